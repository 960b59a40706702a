/**
 * Broker configs about logs: the defaults of topic configs, and how this broker keeps, flushes and cleans its files.
 *
 * Guarantees: names, types, defaults and bounds are Kafka's; `update` says where Kafka lets them change at run time.
 */
import { atLeast, between, config, LONG_MAX_TEXT, listOf, oneOf, type ConfigDefinition } from './config-definition.js';

const update = 'cluster-wide';
const KEPT = 'Kept and shown for compatibility; this broker does not act on it.';

/** The log related broker configs, in no particular order. */
export const LOG_BROKER_CONFIGS: readonly ConfigDefinition[] = [
  config('list', 'log.dirs', null, 'Where the logs are. This broker uses one directory.'),
  config(
    'string',
    'log.dir',
    null,
    'Where the logs are when log.dirs is not set. Without both the broker keeps everything in memory.',
  ),
  config('list', 'log.cleanup.policy', 'delete', 'Default of cleanup.policy.', {
    update,
    rule: listOf('compact', 'delete'),
  }),
  config('int', 'log.segment.bytes', 1_073_741_824, 'Default of segment.bytes.', { update, rule: atLeast(1_048_576) }),
  config('long', 'log.roll.ms', null, 'Default of segment.ms. Unset, log.roll.hours counts.', {
    update,
    rule: atLeast(1),
  }),
  config('int', 'log.roll.hours', 168, 'Default of segment.ms in hours.', { rule: atLeast(1) }),
  config('long', 'log.roll.jitter.ms', null, 'Default of segment.jitter.ms. Unset, log.roll.jitter.hours counts.', {
    update,
    rule: atLeast(0),
  }),
  config('int', 'log.roll.jitter.hours', 0, 'Default of segment.jitter.ms in hours.', { rule: atLeast(0) }),
  config(
    'long',
    'log.retention.ms',
    null,
    'Default of retention.ms; -1 sets no limit. Unset, log.retention.minutes counts.',
    { update, rule: atLeast(-1) },
  ),
  config(
    'int',
    'log.retention.minutes',
    null,
    'Default of retention.ms in minutes. Unset, log.retention.hours counts.',
  ),
  config('int', 'log.retention.hours', 168, 'Default of retention.ms in hours.', { rule: atLeast(-1) }),
  config('long', 'log.retention.bytes', -1, 'Default of retention.bytes; -1 sets no limit.', { update }),
  config('long', 'log.retention.check.interval.ms', 300_000, 'How often old segments are looked for.', {
    rule: atLeast(1),
  }),
  config('int', 'log.index.size.max.bytes', 10_485_760, 'Default of segment.index.bytes.', {
    update,
    rule: atLeast(4),
  }),
  config('int', 'log.index.interval.bytes', 4096, 'Default of index.interval.bytes.', { update, rule: atLeast(0) }),
  config('long', 'log.flush.interval.messages', LONG_MAX_TEXT, 'Default of flush.messages.', {
    update,
    rule: atLeast(1),
  }),
  config('long', 'log.flush.interval.ms', null, 'Default of flush.ms. Unset, log.flush.scheduler.interval.ms counts.', {
    update,
  }),
  config(
    'long',
    'log.flush.scheduler.interval.ms',
    LONG_MAX_TEXT,
    'How often logs are looked at for a flush that is due.',
  ),
  config('int', 'log.flush.offset.checkpoint.interval.ms', 60_000, 'How often the recovery points are written down.', {
    rule: atLeast(0),
  }),
  config('int', 'log.flush.start.offset.checkpoint.interval.ms', 60_000, 'How often the log starts are written down.', {
    rule: atLeast(0),
  }),
  config('long', 'log.segment.delete.delay.ms', 60_000, 'Default of file.delete.delay.ms.', {
    update,
    rule: atLeast(0),
  }),
  config('boolean', 'log.preallocate', false, `Default of preallocate. ${KEPT}`, { update }),
  config('string', 'log.message.timestamp.type', 'CreateTime', 'Default of message.timestamp.type.', {
    update,
    rule: oneOf('CreateTime', 'LogAppendTime'),
  }),
  config('long', 'log.message.timestamp.before.max.ms', LONG_MAX_TEXT, 'Default of message.timestamp.before.max.ms.', {
    update,
    rule: atLeast(0),
  }),
  config('long', 'log.message.timestamp.after.max.ms', 3_600_000, 'Default of message.timestamp.after.max.ms.', {
    update,
    rule: atLeast(0),
  }),
  config('long', 'log.local.retention.bytes', -2, `Default of local.retention.bytes. ${KEPT}`, {
    update,
    rule: atLeast(-2),
  }),
  config('long', 'log.local.retention.ms', -2, `Default of local.retention.ms. ${KEPT}`, { update, rule: atLeast(-2) }),
  config('string', 'compression.type', 'producer', 'Default of the topic config of the same name.', {
    update,
    rule: oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'),
  }),
  config('int', 'compression.gzip.level', -1, 'Default of the topic config of the same name.', {
    update,
    rule: between(-1, 9),
  }),
  config('int', 'compression.lz4.level', 9, 'Default of the topic config of the same name.', {
    update,
    rule: between(1, 17),
  }),
  config('int', 'compression.zstd.level', 3, 'Default of the topic config of the same name.', {
    update,
    rule: between(-131_072, 22),
  }),
  config('int', 'message.max.bytes', 1_048_588, 'Default of max.message.bytes.', { update, rule: atLeast(0) }),
  config('int', 'min.insync.replicas', 1, 'Default of the topic config of the same name.', {
    update,
    rule: atLeast(1),
  }),
  config('boolean', 'unclean.leader.election.enable', false, 'Default of the topic config of the same name.', {
    update,
  }),
  config('boolean', 'log.cleaner.enable', true, 'Whether compacted topics are compacted.'),
  config('int', 'log.cleaner.threads', 1, `Compactions at the same time; this broker makes one. ${KEPT}`, {
    update,
    rule: atLeast(0),
  }),
  config('long', 'log.cleaner.backoff.ms', 15_000, 'Pause of the cleaner when nothing is dirty. Read at start.', {
    update,
    rule: atLeast(0),
  }),
  config(
    'long',
    'log.cleaner.dedupe.buffer.size',
    134_217_728,
    'Memory for the keys of one compaction. With more keys it takes several. Read at start.',
    {
      update,
    },
  ),
  config('int', 'log.cleaner.io.buffer.size', 524_288, `Memory for reading and writing in a compaction. ${KEPT}`, {
    update,
    rule: atLeast(0),
  }),
  config(
    'double',
    'log.cleaner.io.buffer.load.factor',
    0.9,
    'How full the key table of a compaction may be. Read at start.',
    {
      update,
    },
  ),
  config(
    'double',
    'log.cleaner.io.max.bytes.per.second',
    '1.7976931348623157E308',
    'Speed limit of compaction: bytes read and written. Read at start.',
    { update },
  ),
  config('long', 'log.cleaner.delete.retention.ms', 86_400_000, 'Default of delete.retention.ms.', {
    update,
    rule: atLeast(0),
  }),
  config('double', 'log.cleaner.min.cleanable.ratio', 0.5, 'Default of min.cleanable.dirty.ratio.', {
    update,
    rule: between(0, 1),
  }),
  config('long', 'log.cleaner.min.compaction.lag.ms', 0, 'Default of min.compaction.lag.ms.', {
    update,
    rule: atLeast(0),
  }),
  config('long', 'log.cleaner.max.compaction.lag.ms', LONG_MAX_TEXT, 'Default of max.compaction.lag.ms.', {
    update,
    rule: atLeast(1),
  }),
  config('int', 'num.recovery.threads.per.data.dir', 2, `Threads that recover logs at start. ${KEPT}`, {
    update,
    rule: atLeast(1),
  }),
  config(
    'int',
    'producer.id.expiration.ms',
    86_400_000,
    'How long the sequence numbers of a silent producer are remembered.',
    { update, rule: atLeast(1) },
  ),
];
