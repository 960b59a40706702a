/**
 * Broker configs about share groups (KIP-932), and the configs a share group of its own can have.
 *
 * Guarantees: names, types, bounds and defaults are those of Kafka 4.3.
 */
import { atLeast, config, listOf, oneOf, type ConfigDefinition } from './config-definition.js';
import { shareOffsetReset } from './share-offset-reset.js';

const KEPT = 'Kept and shown for compatibility; this broker does not act on it.';

function int(name: string, defaultValue: number, least: number, documentation: string): ConfigDefinition {
  return config('int', name, defaultValue, documentation, { rule: atLeast(least) });
}

/** The share group related broker configs, in no particular order. */
export const SHARE_BROKER_CONFIGS: readonly ConfigDefinition[] = [
  int('group.share.session.timeout.ms', 45_000, 1, 'Session timeout of share groups.'),
  int('group.share.min.session.timeout.ms', 45_000, 1, 'Shortest session timeout a share group may be given.'),
  int('group.share.max.session.timeout.ms', 60_000, 1, 'Longest session timeout a share group may be given.'),
  int('group.share.heartbeat.interval.ms', 5000, 1, 'Heartbeat interval of share groups.'),
  int('group.share.min.heartbeat.interval.ms', 5000, 1, 'Shortest heartbeat interval a share group may be given.'),
  int('group.share.max.heartbeat.interval.ms', 15_000, 1, 'Longest heartbeat interval a share group may be given.'),
  int('group.share.max.size', 200, 1, 'Most members of one share group.'),
  int('group.share.max.share.sessions', 2000, 1, 'Most share sessions, that is fetching members, of this broker.'),
  int('group.share.partition.max.record.locks', 2000, 100, 'Most records of a partition a share group has in hand.'),
  int('group.share.min.partition.max.record.locks', 100, 100, 'Fewest record locks a share group may be given.'),
  int('group.share.max.partition.max.record.locks', 4000, 100, 'Most record locks a share group may be given.'),
  int('group.share.delivery.count.limit', 5, 2, 'How often a share group is given a record before it is archived.'),
  int('group.share.min.delivery.count.limit', 2, 2, 'Smallest delivery count limit a share group may be given.'),
  int('group.share.max.delivery.count.limit', 10, 2, 'Largest delivery count limit a share group may be given.'),
  int('group.share.record.lock.duration.ms', 30_000, 1000, 'How long a member of a share group may keep a record.'),
  int('group.share.min.record.lock.duration.ms', 15_000, 1000, 'Shortest record lock a share group may be given.'),
  int('group.share.max.record.lock.duration.ms', 60_000, 1000, 'Longest record lock a share group may be given.'),
  config('list', 'group.share.assignors', 'simple', 'Assignors of share groups; there is one.', {
    rule: listOf('simple'),
  }),
  int('share.coordinator.state.topic.num.partitions', 50, 1, 'Partitions of the topic of share group state.'),
  config(
    'short',
    'share.coordinator.state.topic.replication.factor',
    3,
    'Replicas of the topic of share group state; never more than there are brokers when it is created.',
    { rule: atLeast(1) },
  ),
  config(
    'short',
    'share.coordinator.state.topic.min.isr',
    2,
    'min.insync.replicas of the topic of share group state; never more than its replicas.',
    { rule: atLeast(1) },
  ),
  int('share.coordinator.state.topic.segment.bytes', 104_857_600, 1, 'Segment size of the topic of share group state.'),
  int('share.coordinator.state.topic.compression.codec', 0, 0, `Codec of the topic of share group state. ${KEPT}`),
  int('share.coordinator.load.buffer.size', 5_242_880, 1, 'Bytes read at once when share group state is loaded.'),
  int('share.coordinator.write.timeout.ms', 5000, 1, 'How long the replicas may take to have share group state.'),
  config(
    'int',
    'share.coordinator.snapshot.update.records.per.snapshot',
    500,
    'After so many changes the whole state of a share partition is stored again.',
    { rule: atLeast(0) },
  ),
  int(
    'share.coordinator.state.topic.prune.interval.ms',
    300_000,
    1,
    'How often share group state is looked through for what may be deleted.',
  ),
];

/** Configs of one share group (resource type GROUP). Source: KIP-932, KIP-1222. */
export const SHARE_GROUP_CONFIGS: readonly ConfigDefinition[] = [
  int('share.session.timeout.ms', 45_000, 1, 'Session timeout of this share group.'),
  int('share.heartbeat.interval.ms', 5000, 1, 'Heartbeat interval of this share group.'),
  int('share.record.lock.duration.ms', 30_000, 1000, 'How long a member of this share group may keep a record.'),
  int('share.delivery.count.limit', 5, 2, 'How often this share group is given a record before it is archived.'),
  int('share.partition.max.record.locks', 2000, 100, 'Most records of a partition this share group has in hand.'),
  config(
    'string',
    'share.auto.offset.reset',
    'latest',
    'Where this share group begins in a partition it has not read: earliest, latest, or by_duration:<PnDTnHnMn.nS>.',
    {
      rule: (value) =>
        shareOffsetReset(value) === null
          ? `Invalid value \`${value}\` for configuration share.auto.offset.reset. The value must be either ` +
            "'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'."
          : null,
    },
  ),
  config(
    'string',
    'share.isolation.level',
    'read_uncommitted',
    'Whether this share group gets records of aborted transactions (read_uncommitted) or not (read_committed).',
    { rule: oneOf('read_committed', 'read_uncommitted') },
  ),
  config(
    'boolean',
    'share.renew.acknowledge.enable',
    true,
    'Whether members of this share group may keep a record for longer by renewing its lock.',
  ),
];
