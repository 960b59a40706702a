/**
 * Every config a topic can have, as of Kafka 4.3, and the broker configs each takes its default from.
 *
 * Guarantees: names, types, defaults and bounds are Kafka's; what this broker keeps but does not act on says so in its
 * documentation, so that nobody waits for an effect.
 */
import {
  atLeast,
  between,
  config,
  LONG_MAX_TEXT,
  listOf,
  oneOf,
  type ConfigDefinition,
  type ConfigRule,
} from './config-definition.js';

const KEPT = 'Kept and shown for compatibility; this broker does not act on it.';

const gzipLevel: ConfigRule = (value) =>
  value === '-1' || (Number(value) >= 1 && Number(value) <= 9) ? null : 'Value must be between 1 and 9 or equal to -1';

const throttledReplicas: ConfigRule = (value) =>
  value === '' || value === '*' || /^\d+:\d+(\s*,\s*\d+:\d+)*$/.test(value)
    ? null
    : "Value must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...";

const neverTrue: ConfigRule = (value) =>
  value.toLowerCase() === 'true' ? 'Tiered storage functionality is disabled in the broker' : null;

/** The topic configs, in the order of their names. */
export const TOPIC_CONFIGS: readonly ConfigDefinition[] = [
  config(
    'list',
    'cleanup.policy',
    'delete',
    'What happens to old data: delete drops old segments, compact keeps the newest record of each key; both may be given.',
    { rule: listOf('compact', 'delete') },
  ),
  config(
    'int',
    'compression.gzip.level',
    -1,
    'Effort of gzip when the broker has to compress; -1 is the default of the codec.',
    { rule: gzipLevel },
  ),
  config('int', 'compression.lz4.level', 9, `Effort of lz4 when the broker has to compress. ${KEPT}`, {
    rule: between(1, 17),
  }),
  config(
    'string',
    'compression.type',
    'producer',
    'Codec of stored batches. producer keeps each batch as it came; any other value recompresses what differs.',
    { rule: oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer') },
  ),
  config('int', 'compression.zstd.level', 3, 'Effort of zstd when the broker has to compress.', {
    rule: between(-131072, 22),
  }),
  config(
    'long',
    'delete.retention.ms',
    86_400_000,
    'How long a compacted topic keeps a delete marker, so that readers that started before it can see it.',
    { rule: atLeast(0) },
  ),
  config(
    'long',
    'file.delete.delay.ms',
    60_000,
    'How long a removed segment stays on disk under another name before its files go.',
    { rule: atLeast(0) },
  ),
  config(
    'long',
    'flush.messages',
    LONG_MAX_TEXT,
    'Records after which the log is forced to the device. By default that is left to the operating system.',
    { rule: atLeast(1) },
  ),
  config(
    'long',
    'flush.ms',
    LONG_MAX_TEXT,
    'Longest time before the log is forced to the device. By default that is left to the operating system.',
    { rule: atLeast(0) },
  ),
  config('list', 'follower.replication.throttled.replicas', '', `Replicas whose fetching is throttled. ${KEPT}`, {
    rule: throttledReplicas,
  }),
  config('int', 'index.interval.bytes', 4096, 'Bytes of log between two entries of the offset index.', {
    rule: atLeast(0),
  }),
  config('int', 'internal.segment.bytes', null, 'Segment size without the lower bound of segment.bytes, for tests.', {
    rule: atLeast(1),
    internal: true,
  }),
  config('list', 'leader.replication.throttled.replicas', '', `Replicas whose sending is throttled. ${KEPT}`, {
    rule: throttledReplicas,
  }),
  config('long', 'local.retention.bytes', -2, `Bytes kept locally when older segments are tiered. ${KEPT}`, {
    rule: atLeast(-2),
  }),
  config('long', 'local.retention.ms', -2, `Time data is kept locally when older segments are tiered. ${KEPT}`, {
    rule: atLeast(-2),
  }),
  config('long', 'max.compaction.lag.ms', LONG_MAX_TEXT, 'Longest time a record may stay uncompacted.', {
    rule: atLeast(1),
  }),
  config('int', 'max.message.bytes', 1_048_588, 'Largest batch the topic takes, after compression.', {
    rule: atLeast(0),
  }),
  config(
    'long',
    'message.timestamp.after.max.ms',
    3_600_000,
    'How far in the future a record may claim to be. Not used with LogAppendTime.',
    { rule: atLeast(0) },
  ),
  config(
    'long',
    'message.timestamp.before.max.ms',
    LONG_MAX_TEXT,
    'How old a record may claim to be. Not used with LogAppendTime.',
    { rule: atLeast(0) },
  ),
  config(
    'string',
    'message.timestamp.type',
    'CreateTime',
    'Whose clock stamps records: the producer (CreateTime) or the broker (LogAppendTime).',
    { rule: oneOf('CreateTime', 'LogAppendTime') },
  ),
  config(
    'double',
    'min.cleanable.dirty.ratio',
    0.5,
    'Share of the log that must be uncompacted before compaction starts.',
    { rule: between(0, 1) },
  ),
  config('long', 'min.compaction.lag.ms', 0, 'Time a record is safe from compaction.', { rule: atLeast(0) }),
  config(
    'int',
    'min.insync.replicas',
    1,
    'In-sync replicas a write with acks=all needs, the leader included; with fewer it is refused.',
    { rule: atLeast(1) },
  ),
  config('boolean', 'preallocate', false, `Whether a segment takes its disk space when it is created. ${KEPT}`),
  config('boolean', 'remote.log.copy.disable', false, `Whether tiered data becomes read only. ${KEPT}`),
  config(
    'boolean',
    'remote.log.delete.on.disable',
    false,
    `Whether tiered data goes when tiering is switched off. ${KEPT}`,
  ),
  config('boolean', 'remote.storage.enable', false, 'Tiered storage. This broker has none: only false is accepted.', {
    rule: neverTrue,
  }),
  config(
    'long',
    'retention.bytes',
    -1,
    'Bytes a partition may take before its oldest segments go; -1 sets no limit. Only with cleanup.policy delete.',
  ),
  config(
    'long',
    'retention.ms',
    604_800_000,
    'Time records are kept at least; -1 sets no limit. Only with cleanup.policy delete.',
    { rule: atLeast(-1) },
  ),
  config(
    'int',
    'segment.bytes',
    1_073_741_824,
    'Size of one segment file. Retention and compaction work on whole segments.',
    { rule: atLeast(1_048_576) },
  ),
  config(
    'int',
    'segment.index.bytes',
    10_485_760,
    'Size of the offset index of a segment; a full index starts a new segment.',
    { rule: atLeast(4) },
  ),
  config('long', 'segment.jitter.ms', 0, 'Random time taken off segment.ms, so that not all partitions roll at once.', {
    rule: atLeast(0),
  }),
  config('long', 'segment.ms', 604_800_000, 'Time after which a segment is closed even when it is not full.', {
    rule: atLeast(1),
  }),
  config(
    'boolean',
    'unclean.leader.election.enable',
    false,
    'Whether a replica that is out of sync may lead when no other is left. It costs data.',
  ),
];

/** A broker config that gives a topic config its default, and the factor from its unit to the topic's. */
export interface ConfigSynonym {
  readonly name: string;
  readonly factor: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function same(name: string): readonly ConfigSynonym[] {
  return [{ name, factor: 1 }];
}

/** Topic config to broker configs, the strongest first. Configs that are missing here have no broker-wide form. */
export const TOPIC_CONFIG_SYNONYMS: Readonly<Record<string, readonly ConfigSynonym[]>> = {
  'cleanup.policy': same('log.cleanup.policy'),
  'compression.gzip.level': same('compression.gzip.level'),
  'compression.lz4.level': same('compression.lz4.level'),
  'compression.type': same('compression.type'),
  'compression.zstd.level': same('compression.zstd.level'),
  'delete.retention.ms': same('log.cleaner.delete.retention.ms'),
  'file.delete.delay.ms': same('log.segment.delete.delay.ms'),
  'flush.messages': same('log.flush.interval.messages'),
  'flush.ms': [...same('log.flush.interval.ms'), ...same('log.flush.scheduler.interval.ms')],
  'index.interval.bytes': same('log.index.interval.bytes'),
  'local.retention.bytes': same('log.local.retention.bytes'),
  'local.retention.ms': same('log.local.retention.ms'),
  'max.compaction.lag.ms': same('log.cleaner.max.compaction.lag.ms'),
  'max.message.bytes': same('message.max.bytes'),
  'message.timestamp.after.max.ms': same('log.message.timestamp.after.max.ms'),
  'message.timestamp.before.max.ms': same('log.message.timestamp.before.max.ms'),
  'message.timestamp.type': same('log.message.timestamp.type'),
  'min.cleanable.dirty.ratio': same('log.cleaner.min.cleanable.ratio'),
  'min.compaction.lag.ms': same('log.cleaner.min.compaction.lag.ms'),
  'min.insync.replicas': same('min.insync.replicas'),
  preallocate: same('log.preallocate'),
  'retention.bytes': same('log.retention.bytes'),
  'retention.ms': [
    { name: 'log.retention.ms', factor: 1 },
    { name: 'log.retention.minutes', factor: MINUTE_MS },
    { name: 'log.retention.hours', factor: HOUR_MS },
  ],
  'segment.bytes': same('log.segment.bytes'),
  'segment.index.bytes': same('log.index.size.max.bytes'),
  'segment.jitter.ms': [
    { name: 'log.roll.jitter.ms', factor: 1 },
    { name: 'log.roll.jitter.hours', factor: HOUR_MS },
  ],
  'segment.ms': [
    { name: 'log.roll.ms', factor: 1 },
    { name: 'log.roll.hours', factor: HOUR_MS },
  ],
  'unclean.leader.election.enable': same('unclean.leader.election.enable'),
};
