/**
 * When the next batch needs a new segment: by size, by age, by a full index, or because offsets no longer fit.
 */
import { batchMaxTimestamp, javaStringHash } from '@kafka-template/protocol';
import { assert } from '../assert.js';
import type { TopicConfig } from './log-config.js';
import type { Segment } from './segment.js';

const INT32_MAX = 2 ** 31 - 1;

/** Spreads rolls by time: up to `segment.jitter.ms`, always the same for one segment. */
function jitterMs(segment: Segment, config: TopicConfig): number {
  const { segmentJitterMs } = config;
  return segmentJitterMs <= 0 ? 0 : Math.abs(javaStringHash(segment.logPath)) % segmentJitterMs;
}

/** Age at which a segment is full. What must be compacted in time must leave the active segment in time. */
function maxAgeMs(config: TopicConfig): number {
  const isCompacted = config.cleanupPolicy.includes('compact');
  return isCompacted ? Math.min(config.segmentMs, config.maxCompactionLagMs) : config.segmentMs;
}

/** True when `batch`, which would end at `lastOffset`, must not go into the active segment. An empty one takes anything. */
export function mustRoll(
  active: Segment,
  batch: Buffer,
  lastOffset: number,
  config: TopicConfig,
  nowMs: number,
): boolean {
  const { indexes } = active;
  assert(indexes !== null, 'The indexes of the active segment must be in memory.');
  if (active.plannedBytes === 0) return false;
  if (active.plannedBytes + batch.length > Math.min(config.segmentBytes, INT32_MAX)) return true;
  if (indexes.offsets.isFull || indexes.times.isFull || lastOffset - active.baseOffset > INT32_MAX) return true;
  const maxTimestamp = batchMaxTimestamp(batch);
  const hasTimestamps = active.firstTimestamp >= 0 && maxTimestamp >= 0;
  // Record time where there is one, so that a replayed topic is cut as the original was.
  const ageMs = hasTimestamps ? maxTimestamp - active.firstTimestamp : nowMs - active.createdMs;
  return ageMs > maxAgeMs(config) - jitterMs(active, config);
}
