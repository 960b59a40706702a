/**
 * The producer state of a partition at an offset, as a file: Kafka's `<offset>.snapshot`.
 * Guarantees: bytes as Kafka writes them (version 1, CRC-32C); a damaged file is reported as absent.
 * Leaves out all but the newest batch of each producer, as the format does.
 * Layout: version int16, crc uint32 over the rest, count int32, entries of 46 bytes.
 */
import { crc32c } from '@kafka-template/protocol';
import { type ProducerEntry, ProducerState } from './producer-state.js';

const VERSION = 1;
const HEADER_BYTES = 10;
const CRC_POSITION = 2;
const CRC_START = 6;
/** producer id 8, epoch 2, last sequence 4, last offset 8, offset delta 4, timestamp 8, coordinator epoch 4, first offset 8 */
const ENTRY_BYTES = 46;
const SEQUENCE_MODULUS = 2 ** 31;

function writeEntry(out: Buffer, position: number, entry: ProducerEntry): void {
  const last = entry.batches[entry.batches.length - 1];
  out.writeBigInt64BE(BigInt(entry.producerId), position);
  out.writeInt16BE(entry.epoch, position + 8);
  out.writeInt32BE(last?.lastSequence ?? -1, position + 10);
  out.writeBigInt64BE(BigInt(last?.lastOffset ?? -1), position + 14);
  out.writeInt32BE(last?.offsetDelta ?? 0, position + 22);
  out.writeBigInt64BE(BigInt(entry.lastTimestamp), position + 26);
  out.writeInt32BE(entry.coordinatorEpoch, position + 34);
  out.writeBigInt64BE(BigInt(entry.currentTransactionFirstOffset), position + 38);
}

function readEntry(file: Buffer, position: number): ProducerEntry {
  const lastSequence = file.readInt32BE(position + 10);
  const offsetDelta = file.readInt32BE(position + 22);
  const timestamp = Number(file.readBigInt64BE(position + 26));
  const span = {
    firstSequence: (lastSequence - offsetDelta + SEQUENCE_MODULUS) % SEQUENCE_MODULUS,
    lastSequence,
    lastOffset: Number(file.readBigInt64BE(position + 14)),
    offsetDelta,
    timestamp,
  };
  return {
    producerId: Number(file.readBigInt64BE(position)),
    epoch: file.readInt16BE(position + 8),
    batches: lastSequence < 0 ? [] : [span],
    lastTimestamp: timestamp,
    lastSeenMs: timestamp,
    coordinatorEpoch: file.readInt32BE(position + 34),
    currentTransactionFirstOffset: Number(file.readBigInt64BE(position + 38)),
  };
}

/** The file content for a state. */
export function encodeProducerSnapshot(state: ProducerState): Buffer {
  const out = Buffer.alloc(HEADER_BYTES + state.size * ENTRY_BYTES);
  out.writeInt16BE(VERSION, 0);
  out.writeInt32BE(state.size, CRC_START);
  let position = HEADER_BYTES;
  for (const entry of state.all()) {
    writeEntry(out, position, entry);
    position += ENTRY_BYTES;
  }
  out.writeUInt32BE(crc32c(out, CRC_START), CRC_POSITION);
  return out;
}

/** The state in a file, or null when the file is damaged or of another version. */
export function decodeProducerSnapshot(file: Buffer): ProducerState | null {
  if (file.length < HEADER_BYTES || file.readInt16BE(0) !== VERSION) return null;
  if (file.readUInt32BE(CRC_POSITION) !== crc32c(file, CRC_START)) return null;
  const count = file.readInt32BE(CRC_START);
  if (count < 0 || HEADER_BYTES + count * ENTRY_BYTES !== file.length) return null;
  const state = new ProducerState();
  for (let index = 0; index < count; index++) state.restore(readEntry(file, HEADER_BYTES + index * ENTRY_BYTES));
  return state;
}
