/**
 * Fetch responses of version 12 by code written by hand for this one message: the peer of our compiled declarations.
 *
 * It does what a careful author would do who needs no other message: offsets in a local variable, the size computed
 * first, one buffer, records passed on as views. Lengths are checked where they decide about memory; the rest is left to
 * the bounds checks of Buffer. The object it makes has the fields of {@link fetchResponse}, tagged ones included.
 */
import { fetchResponse, repeatMessages } from './codec-fetch-response.mjs';

const TWO_32 = 0x1_0000_0000;
const COPY_BYTES_MAX = 2048;
let position = 0;

function uvarintBytes(value) {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

function writeUvarint(buffer, value) {
  let rest = value;
  while (rest >= 0x80) {
    buffer[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  buffer[position++] = rest;
}

function writeLong(buffer, value) {
  const high = Math.floor(value / TWO_32);
  buffer.writeInt32BE(high, position);
  buffer.writeUInt32BE(value - high * TWO_32, position + 4);
  position += 8;
}

function headBytes(response) {
  let total = 4 + 4 + 1 + 4 + 2 + 4 + uvarintBytes(response.responses.length + 1) + 1;
  for (const { topic, partitions } of response.responses) {
    const topicBytes = Buffer.byteLength(topic);
    total += uvarintBytes(topicBytes + 1) + topicBytes + uvarintBytes(partitions.length + 1) + 1;
    for (const { abortedTransactions, records } of partitions) {
      total += 4 + 2 + 8 + 8 + 8 + 4 + uvarintBytes(records.length + 1) + 1;
      total += abortedTransactions === null ? 1 : uvarintBytes(abortedTransactions.length + 1);
      if (abortedTransactions !== null) total += abortedTransactions.length * 17;
      if (records.length < COPY_BYTES_MAX) total += records.length;
    }
  }
  return total;
}

function writePartition(buffer, partition, out) {
  const { abortedTransactions, records } = partition;
  buffer.writeInt32BE(partition.partitionIndex, position);
  buffer.writeInt16BE(partition.errorCode, position + 4);
  position += 6;
  writeLong(buffer, partition.highWatermark);
  writeLong(buffer, partition.lastStableOffset);
  writeLong(buffer, partition.logStartOffset);
  if (abortedTransactions === null) {
    buffer[position++] = 0;
  } else {
    writeUvarint(buffer, abortedTransactions.length + 1);
    for (const { producerId, firstOffset } of abortedTransactions) {
      writeLong(buffer, producerId);
      writeLong(buffer, firstOffset);
      buffer[position++] = 0;
    }
  }
  buffer.writeInt32BE(partition.preferredReadReplica, position);
  position += 4;
  writeUvarint(buffer, records.length + 1);
  if (records.length < COPY_BYTES_MAX) {
    records.copy(buffer, position);
    position += records.length;
  } else {
    out.chunks.push(buffer.subarray(out.start, position), records);
    out.start = position;
  }
  buffer[position++] = 0;
}

function encode(response, correlationId) {
  const buffer = Buffer.allocUnsafe(headBytes(response));
  const out = { chunks: [], start: 0 };
  buffer.writeInt32BE(correlationId, 4);
  buffer[8] = 0;
  buffer.writeInt32BE(response.throttleTimeMs, 9);
  buffer.writeInt16BE(response.errorCode, 13);
  buffer.writeInt32BE(response.sessionId, 15);
  position = 19;
  writeUvarint(buffer, response.responses.length + 1);
  for (const { topic, partitions } of response.responses) {
    const topicBytes = Buffer.byteLength(topic);
    writeUvarint(buffer, topicBytes + 1);
    buffer.write(topic, position, topicBytes, 'utf8');
    position += topicBytes;
    writeUvarint(buffer, partitions.length + 1);
    for (const partition of partitions) writePartition(buffer, partition, out);
    buffer[position++] = 0;
  }
  buffer[position++] = 0;
  out.chunks.push(buffer.subarray(out.start, position));
  let size = 0;
  for (const chunk of out.chunks) size += chunk.length;
  buffer.writeInt32BE(size - 4, 0);
  return out.chunks;
}

function readUvarint(buffer) {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = buffer.readUInt8(position++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value >>> 0;
  }
  throw new Error('a varint is too long');
}

function readLong(buffer) {
  const value = buffer.readInt32BE(position) * TWO_32 + buffer.readUInt32BE(position + 4);
  position += 8;
  if (!Number.isSafeInteger(value)) throw new Error('an int64 is beyond 2^53');
  return value;
}

function readCount(buffer) {
  const count = readUvarint(buffer) - 1;
  if (count > buffer.length - position) throw new Error(`${count} elements do not fit`);
  return count;
}

function skipTagged(buffer) {
  for (let count = readUvarint(buffer); count > 0; count--) {
    readUvarint(buffer);
    position += readUvarint(buffer);
    if (position > buffer.length) throw new Error('a tagged field does not fit');
  }
}

/** The tagged fields of a partition: rare, so they may be slower. */
function readPartitionTags(buffer, partition) {
  for (let count = readUvarint(buffer); count > 0; count--) {
    const tag = readUvarint(buffer);
    const end = readUvarint(buffer) + position;
    if (end > buffer.length) throw new Error('a tagged field does not fit');
    if (tag === 0) {
      const epoch = buffer.readInt32BE(position);
      position += 4;
      partition.divergingEpoch = { epoch, endOffset: readLong(buffer) };
    } else if (tag === 1) {
      const leaderId = buffer.readInt32BE(position);
      partition.currentLeader = { leaderId, leaderEpoch: buffer.readInt32BE(position + 4) };
    } else if (tag === 2) {
      const endOffset = readLong(buffer);
      partition.snapshotId = { endOffset, epoch: buffer.readInt32BE(position) };
    }
    position = end;
  }
}

function readAborted(buffer) {
  const count = readCount(buffer);
  if (count < 0) return null;
  const aborted = [];
  for (let index = 0; index < count; index++) {
    const producerId = readLong(buffer);
    const firstOffset = readLong(buffer);
    skipTagged(buffer);
    aborted.push({ producerId, firstOffset });
  }
  return aborted;
}

function readPartition(buffer) {
  const partitionIndex = buffer.readInt32BE(position);
  const errorCode = buffer.readInt16BE(position + 4);
  position += 6;
  const highWatermark = readLong(buffer);
  const lastStableOffset = readLong(buffer);
  const logStartOffset = readLong(buffer);
  const abortedTransactions = readAborted(buffer);
  const preferredReadReplica = buffer.readInt32BE(position);
  position += 4;
  const length = readUvarint(buffer) - 1;
  if (length > buffer.length - position) throw new Error(`${length} bytes of records do not fit`);
  const records = length < 0 ? null : buffer.subarray(position, position + length);
  if (length > 0) position += length;
  const partition = {
    partitionIndex,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    divergingEpoch: { epoch: -1, endOffset: -1 },
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
    snapshotId: { endOffset: -1, epoch: -1 },
    abortedTransactions,
    preferredReadReplica,
    records,
  };
  if (buffer[position] === 0) position++;
  else readPartitionTags(buffer, partition);
  return partition;
}

function decode(frame) {
  position = 4;
  skipTagged(frame);
  const throttleTimeMs = frame.readInt32BE(position);
  const errorCode = frame.readInt16BE(position + 4);
  const sessionId = frame.readInt32BE(position + 6);
  position += 10;
  const topicCount = readCount(frame);
  const responses = [];
  for (let index = 0; index < topicCount; index++) {
    const topicBytes = readCount(frame);
    const topic = frame.toString('utf8', position, position + topicBytes);
    position += topicBytes;
    const partitionCount = readCount(frame);
    const partitions = [];
    for (let each = 0; each < partitionCount; each++) partitions.push(readPartition(frame));
    skipTagged(frame);
    responses.push({ topic, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitions });
  }
  skipTagged(frame);
  return { throttleTimeMs, errorCode, sessionId, responses, nodeEndpoints: [] };
}

export { decode, encode };

export default {
  'fetch response encode': ({ records }) => {
    const response = fetchResponse();
    return repeatMessages(records, (index) => encode(response, index).length);
  },
  'fetch response decode': ({ records }) => {
    const frame = Buffer.concat(encode(fetchResponse(), 7)).subarray(4);
    return repeatMessages(records, () => decode(frame).responses.length);
  },
};
