/**
 * Which neighbouring segments compaction makes one of: as many as fit into a segment, by bytes, by index and by offsets.
 * Guarantees: every segment is in one group, in order; a group has at least one.
 */
import type { TopicConfig } from '../log-config.js';

/** What is known of a segment. */
export interface GroupFacts {
  readonly baseOffset: number;
  readonly sizeBytes: number;
  readonly indexBytes: number;
  /** First offset of the segment after it. */
  readonly endOffset: number;
}

const INT32_MAX = 2 ** 31 - 1;

/** How many segments each group has. */
export function groupSegments(
  segments: readonly GroupFacts[],
  config: Pick<TopicConfig, 'segmentBytes' | 'segmentIndexBytes'>,
): number[] {
  const counts: number[] = [];
  let first: GroupFacts | null = null;
  let sizeBytes = 0;
  let indexBytes = 0;
  for (const segment of segments) {
    sizeBytes += segment.sizeBytes;
    indexBytes += segment.indexBytes;
    const fits =
      first !== null &&
      sizeBytes <= config.segmentBytes &&
      indexBytes <= config.segmentIndexBytes &&
      segment.endOffset - 1 - first.baseOffset <= INT32_MAX;
    if (fits) {
      counts[counts.length - 1]!++;
      continue;
    }
    counts.push(1);
    first = segment;
    sizeBytes = segment.sizeBytes;
    indexBytes = segment.indexBytes;
  }
  return counts;
}
