/**
 * The effective configuration of one topic as the log and the partition read it: typed, with Kafka's defaults.
 * Guarantees: plain immutable data; a change of configuration is a new object.
 * Leaves out names, documentation and parsing of configs: see `cluster/`, which builds this from overrides.
 */

/** `compression.type`; `producer` stores batches as they come. */
export type TopicCompression = 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** One entry of `cleanup.policy`. */
export type CleanupPolicy = 'delete' | 'compact';

/** Kafka's "no limit" for 64 bit settings, as far as a number can hold it. */
export const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** Effective topic configuration. Sizes in bytes, times in milliseconds; the comment gives Kafka's name and default. */
export interface TopicConfig {
  /** `cleanup.policy`, only `delete`. At least one of the two. */
  readonly cleanupPolicy: readonly CleanupPolicy[];
  /** `segment.bytes`, 1 GiB. */
  readonly segmentBytes: number;
  /** `segment.ms`, 7 days. */
  readonly segmentMs: number;
  /** `segment.jitter.ms`, 0. */
  readonly segmentJitterMs: number;
  /** `segment.index.bytes`, 10 MiB: a full index forces a roll. */
  readonly segmentIndexBytes: number;
  /** `index.interval.bytes`, 4096. */
  readonly indexIntervalBytes: number;
  /** `retention.ms`, 7 days; -1 keeps for ever. */
  readonly retentionMs: number;
  /** `retention.bytes`, -1 (no limit). */
  readonly retentionBytes: number;
  /** `delete.retention.ms`, 1 day: life of tombstones in compacted topics. */
  readonly deleteRetentionMs: number;
  /** `min.compaction.lag.ms`, 0. */
  readonly minCompactionLagMs: number;
  /** `max.compaction.lag.ms`, no limit. */
  readonly maxCompactionLagMs: number;
  /** `min.cleanable.dirty.ratio`, 0.5. */
  readonly minCleanableDirtyRatio: number;
  /** `file.delete.delay.ms`, 1 minute. */
  readonly fileDeleteDelayMs: number;
  /** `max.message.bytes`, 1048588: the largest batch, after compression, with its 12 byte prefix. */
  readonly maxMessageBytes: number;
  /** `message.timestamp.type`, `CreateTime`. */
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime';
  /** `message.timestamp.before.max.ms`, no limit. */
  readonly messageTimestampBeforeMaxMs: number;
  /** `message.timestamp.after.max.ms`, 1 hour. */
  readonly messageTimestampAfterMaxMs: number;
  /** `compression.type`, `producer`. */
  readonly compressionType: TopicCompression;
  /** `flush.messages`, no limit: records after which the log is forced to the device. */
  readonly flushMessages: number;
  /** `flush.ms`, no limit. */
  readonly flushMs: number;
  /** `min.insync.replicas`, 1. */
  readonly minInsyncReplicas: number;
  /** `unclean.leader.election.enable`, false. */
  readonly uncleanLeaderElectionEnable: boolean;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Kafka 4.x defaults. */
export const DEFAULT_TOPIC_CONFIG: TopicConfig = {
  cleanupPolicy: ['delete'],
  segmentBytes: 1024 ** 3,
  segmentMs: 7 * DAY_MS,
  segmentJitterMs: 0,
  segmentIndexBytes: 10 * 1024 ** 2,
  indexIntervalBytes: 4096,
  retentionMs: 7 * DAY_MS,
  retentionBytes: -1,
  deleteRetentionMs: DAY_MS,
  minCompactionLagMs: 0,
  maxCompactionLagMs: NO_LIMIT,
  minCleanableDirtyRatio: 0.5,
  fileDeleteDelayMs: 60_000,
  maxMessageBytes: 1024 * 1024 + 12,
  messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: NO_LIMIT,
  messageTimestampAfterMaxMs: HOUR_MS,
  compressionType: 'producer',
  flushMessages: NO_LIMIT,
  flushMs: NO_LIMIT,
  minInsyncReplicas: 1,
  uncleanLeaderElectionEnable: false,
};
