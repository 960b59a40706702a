/**
 * Reads the records a broker has locked for this member out of the batches it sent.
 *
 * Guarantees: records that were not acquired are passed over; offsets that were and at which there is nothing (compaction,
 * markers) are reported as gaps; a batch that cannot be read is reported as bad, and nothing of it is handed out.
 */
import {
  batchBaseOffset,
  batchBaseTimestamp,
  batchLastOffset,
  batchLeaderEpoch,
  isControlBatch,
  isLogAppendTime,
  ProtocolError,
  RecordReader,
} from '@kafka-template/protocol';
import type { RecordBatchContext } from '../consumer/consumer-record.js';
import type { TopicPartition } from '../consumer/topic-partition.js';
import { ShareRecord } from './share-record.js';

/** Records that were locked together. */
export interface AcquiredRange {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly deliveryCount: number;
}

/** What was found; every acquired offset is in exactly one of the three. */
export interface AcquiredRecords {
  readonly records: ShareRecord[];
  readonly gaps: readonly number[];
  readonly bad: readonly number[];
}

/** Reads the answer for one partition. */
export function readAcquired(
  topicPartition: TopicPartition,
  bytes: Buffer,
  acquired: readonly AcquiredRange[],
  checkCrcs: boolean,
): AcquiredRecords {
  const counts = new Map<number, number>();
  for (const { firstOffset, lastOffset, deliveryCount } of acquired) {
    for (let offset = firstOffset; offset <= lastOffset; offset++) counts.set(offset, deliveryCount);
  }
  const records: ShareRecord[] = [];
  const bad: number[] = [];
  const reader = new RecordReader(bytes);
  while (reader.nextBatch()) {
    const { buffer, batchPosition } = reader;
    if (isControlBatch(buffer, batchPosition)) continue;
    const found: ShareRecord[] = [];
    try {
      if (checkCrcs && !reader.checkCrc()) throw new ProtocolError('CORRUPT_BATCH', 'the check sum does not match');
      readBatch(reader, topicPartition, counts, found);
      records.push(...found);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const last = batchLastOffset(buffer, batchPosition);
      for (let offset = batchBaseOffset(buffer, batchPosition); offset <= last; offset++) {
        if (counts.has(offset)) bad.push(offset);
      }
    }
  }
  for (const { offset } of records) counts.delete(offset);
  for (const offset of bad) counts.delete(offset);
  return { records, gaps: [...counts.keys()], bad };
}

function readBatch(
  reader: RecordReader,
  { topic, partition }: TopicPartition,
  counts: ReadonlyMap<number, number>,
  into: ShareRecord[],
): void {
  const { buffer, batchPosition } = reader;
  let batch: RecordBatchContext | null = null;
  while (reader.nextRecord()) {
    const deliveryCount = counts.get(reader.offset);
    if (deliveryCount === undefined) continue;
    batch ??= {
      topic,
      partition,
      baseOffset: batchBaseOffset(buffer, batchPosition),
      baseTimestamp: batchBaseTimestamp(buffer, batchPosition),
      timestampType: isLogAppendTime(buffer, batchPosition) ? 'LogAppendTime' : 'CreateTime',
      leaderEpoch: batchLeaderEpoch(buffer, batchPosition),
      data: reader.data,
    };
    const record = new ShareRecord(
      batch,
      reader.offset - batch.baseOffset,
      reader.timestamp - batch.baseTimestamp,
      reader.keyStart,
      reader.keyLength,
      reader.valueStart,
      reader.valueLength,
      reader.headersStart,
      reader.recordEnd,
    );
    record.deliveryCount = deliveryCount;
    into.push(record);
  }
}
