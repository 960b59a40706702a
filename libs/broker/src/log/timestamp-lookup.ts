/**
 * Finds records by time: the first one that is not older than a timestamp, or the one with the largest timestamp.
 * Guarantees: the answer is a record's own offset, not its batch's, also inside compressed batches.
 * Leaves out the indexes of time beyond skipping: the batches found by them are read and walked.
 */
import {
  RecordReader,
  batchLastOffset,
  batchLeaderEpoch,
  batchMaxTimestamp,
  batchSizeBytes,
} from '@kafka-template/protocol';
import type { LogReader } from './log-reader.js';
import { scanSegment } from './segment-scan.js';
import type { Segment } from './segment.js';

/** A place in the log that answers a question about time. */
export interface TimestampOffset {
  readonly offset: number;
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

/** The part of a log that is searched: offsets from `startOffset` up to, not including, `endOffset`. */
export interface SearchRange {
  readonly startOffset: number;
  readonly endOffset: number;
}

function firstRecordIn(batch: Buffer, range: SearchRange, timestamp: number): TimestampOffset | null {
  const reader = new RecordReader(batch);
  reader.nextBatch();
  const leaderEpoch = batchLeaderEpoch(batch);
  while (reader.nextRecord()) {
    const { offset } = reader;
    if (offset >= range.endOffset) return null;
    if (offset >= range.startOffset && reader.timestamp >= timestamp) {
      return { offset, timestamp: reader.timestamp, leaderEpoch };
    }
  }
  return null;
}

/** The first record of the range in this segment with a timestamp of at least `timestamp`. */
async function findInSegment(
  reader: LogReader,
  segment: Segment,
  range: SearchRange,
  timestamp: number,
): Promise<TimestampOffset | null> {
  const { offsets, times } = await reader.indexes(segment);
  if (segment.maxTimestamp < timestamp) return null;
  const from = Math.max(times.offsetBefore(timestamp) + 1, range.startOffset);
  let found: TimestampOffset | null = null;
  await scanSegment({
    read: (position, length) => reader.readBytes(segment, position, length),
    position: offsets.floor(from),
    endPosition: segment.sizeBytes,
    baseOffset: segment.baseOffset,
    checkCrc: false,
    visit: (block, at) => {
      if (batchLastOffset(block, at) < from || batchMaxTimestamp(block, at) < timestamp) return true;
      found = firstRecordIn(block.subarray(at, at + batchSizeBytes(block, at)), range, timestamp);
      return found === null;
    },
  });
  return found;
}

/** The first record of the range with a timestamp of at least `timestamp`; null when there is none. */
export async function findByTimestamp(
  reader: LogReader,
  segments: readonly Segment[],
  range: SearchRange,
  timestamp: number,
): Promise<TimestampOffset | null> {
  for (const segment of segments) {
    const found = await findInSegment(reader, segment, range, timestamp);
    if (found) return found;
  }
  return null;
}

/** The first record of the range that carries its largest timestamp; null when there is no record with a timestamp. */
export async function findLargestTimestamp(
  reader: LogReader,
  segments: readonly Segment[],
  range: SearchRange,
): Promise<TimestampOffset | null> {
  let newest: Segment | null = null;
  for (const segment of segments) {
    await reader.indexes(segment);
    if (segment.maxTimestamp >= 0 && segment.maxTimestamp > (newest?.maxTimestamp ?? -1)) newest = segment;
  }
  return newest && findInSegment(reader, newest, range, newest.maxTimestamp);
}
