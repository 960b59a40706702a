/**
 * Which of a log's oldest segments have had their time, as a pure decision.
 * Guarantees: nothing at or above the high watermark goes; a segment goes only with all that are older.
 * Leaves out the deletion itself, and compacted topics without `delete` in their `cleanup.policy`.
 */
import type { TopicConfig } from './log-config.js';
import type { Segment } from './segment.js';

/** What the decision needs to know of a segment. */
export interface SegmentFacts {
  readonly sizeBytes: number;
  /** Largest record timestamp, -1 when there is none. */
  readonly maxTimestamp: number;
  /** Wall clock of the last write. */
  readonly modifiedMs: number;
  /** First offset of the next segment; the log end for the active one. */
  readonly endOffset: number;
}

/** The facts of all segments of a log whose next batch gets `nextOffset`. */
export function factsOf(segments: readonly Segment[], nextOffset: number): SegmentFacts[] {
  return segments.map((segment, index) => ({
    sizeBytes: segment.plannedBytes,
    maxTimestamp: segment.maxTimestamp,
    // Nothing is too old before its timestamps are known.
    modifiedMs: segment.hasTimestamps ? segment.modifiedMs : Infinity,
    endOffset: segments[index + 1]?.baseOffset ?? nextOffset,
  }));
}

/** What bounds the decision. */
export interface RetentionLimits {
  readonly nowMs: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
}

/**
 * Age of a segment counts from its newest record, but not from the future: a record dated next year would otherwise keep
 * its segment, and all that follow, until then.
 */
function ageMs(segment: SegmentFacts, nowMs: number): number {
  const isDated = segment.maxTimestamp >= 0 && segment.modifiedMs !== Infinity;
  const newest = isDated ? Math.min(segment.maxTimestamp, segment.modifiedMs) : segment.modifiedMs;
  return nowMs - newest;
}

/** How many segments, from the oldest on, are to be deleted; may be all of them. */
export function expiredSegments(
  segments: readonly SegmentFacts[],
  config: TopicConfig,
  limits: RetentionLimits,
): number {
  const deletes = config.cleanupPolicy.includes('delete');
  let totalBytes = 0;
  for (const segment of segments) totalBytes += segment.sizeBytes;
  let surplusBytes = deletes && config.retentionBytes >= 0 ? totalBytes - config.retentionBytes : -1;
  let count = 0;
  for (const [index, segment] of segments.entries()) {
    // An empty segment at the end is the active one; before the end, compaction has left nothing of it.
    const isEmptyEnd = segment.sizeBytes === 0 && index === segments.length - 1;
    if (segment.endOffset > limits.highWatermark || isEmptyEnd) break;
    const isBelowStart = segment.endOffset <= limits.logStartOffset;
    const isTooOld = deletes && config.retentionMs >= 0 && ageMs(segment, limits.nowMs) > config.retentionMs;
    const isSurplus = surplusBytes >= segment.sizeBytes;
    if (!isBelowStart && !isTooOld && !isSurplus) break;
    surplusBytes -= segment.sizeBytes;
    count++;
  }
  return count;
}
