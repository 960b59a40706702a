/**
 * Which part of a log may be compacted, and whether it is worth it.
 * Guarantees: nothing of the active segment, nothing at or above the last stable offset, nothing that is too young; the
 * range ends where a segment begins.
 * Source: Kafka, `LogCleanerManager.cleanableOffsets` and `grabFilthiestCompactedLog`.
 */
import type { TopicConfig } from '../log-config.js';

/** What is known of a segment that is not active. */
export interface CleanableSegment {
  readonly baseOffset: number;
  readonly sizeBytes: number;
  /** Largest timestamp of its records; wall clock of the last write when they have none. */
  readonly largestTimestamp: number;
  /** Timestamp of its first batch, -1 when that has none. */
  readonly firstTimestamp: number;
}

/** What is known of the log. */
export interface CleanableFacts {
  /** From the oldest on, without the active one. */
  readonly segments: readonly CleanableSegment[];
  /** Where the active segment begins. */
  readonly activeBaseOffset: number;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly lastStableOffset: number;
  /** Up to where it was compacted before; null when it never was. */
  readonly checkpoint: number | null;
  readonly nowMs: number;
}

/** The part that may be compacted. */
export interface CleanableRange {
  readonly firstDirtyOffset: number;
  /** A segment begins here. Not above `firstDirtyOffset` when there is nothing to do. */
  readonly endOffset: number;
  /** Share of what would be compacted that has not been before, from 0 to 1. */
  readonly dirtyRatio: number;
  /** Dirty enough, or dirty for too long. */
  readonly isDue: boolean;
}

/** Where compaction begins: the checkpoint, unless it does not fit the log. */
function firstDirtyOffset({ checkpoint, startOffset, endOffset }: CleanableFacts): number {
  return checkpoint === null || checkpoint < startOffset || checkpoint > endOffset ? startOffset : checkpoint;
}

/** See the file comment. */
export function cleanableRange(
  facts: CleanableFacts,
  config: Pick<TopicConfig, 'minCleanableDirtyRatio' | 'minCompactionLagMs' | 'maxCompactionLagMs'>,
): CleanableRange {
  const { segments, nowMs } = facts;
  const firstDirty = firstDirtyOffset(facts);
  const dirty = segments.filter((_, index) => endOf(facts, index) > firstDirty);
  let limit = Math.min(facts.lastStableOffset, facts.activeBaseOffset);
  if (config.minCompactionLagMs > 0) {
    const young = dirty.find(({ largestTimestamp }) => largestTimestamp > nowMs - config.minCompactionLagMs);
    if (young) limit = Math.min(limit, young.baseOffset);
  }
  const endOffset = segments.findLast(({ baseOffset }) => baseOffset <= limit)?.baseOffset ?? 0;
  const rangeEnd = limit >= facts.activeBaseOffset ? facts.activeBaseOffset : endOffset;
  let cleanBytes = 0;
  let dirtyBytes = 0;
  for (const [index, segment] of segments.entries()) {
    if (endOf(facts, index) <= firstDirty) cleanBytes += segment.sizeBytes;
    else if (segment.baseOffset < rangeEnd) dirtyBytes += segment.sizeBytes;
  }
  const dirtyRatio = dirtyBytes === 0 ? 0 : dirtyBytes / (cleanBytes + dirtyBytes);
  const dated = dirty.filter(({ firstTimestamp }) => firstTimestamp > 0);
  const oldest = Math.min(...dated.map(({ firstTimestamp }) => firstTimestamp));
  const isOverdue = oldest < nowMs - config.maxCompactionLagMs;
  const isDue = dirtyBytes > 0 && (isOverdue || dirtyRatio > config.minCleanableDirtyRatio);
  return { firstDirtyOffset: firstDirty, endOffset: rangeEnd, dirtyRatio, isDue };
}

function endOf({ segments, activeBaseOffset }: CleanableFacts, index: number): number {
  return segments[index + 1]?.baseOffset ?? activeBaseOffset;
}
