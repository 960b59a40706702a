/**
 * Broker configs about groups, committed offsets and transactions, and the configs a group of its own can have.
 *
 * Guarantees: names, types and bounds are Kafka's, and so are the defaults but one: a group's first rebalance does not
 * wait for further members (`group.initial.rebalance.delay.ms` 0 instead of 3000), because a broker for development
 * should answer at once.
 */
import { SHARE_GROUP_CONFIGS } from './broker-configs-share.js';
import { atLeast, config, listOf, oneOf, type ConfigDefinition } from './config-definition.js';

const update = 'cluster-wide';
const KEPT = 'Kept and shown for compatibility; this broker does not act on it.';

/** The coordinator related broker configs, in no particular order. */
export const COORDINATION_BROKER_CONFIGS: readonly ConfigDefinition[] = [
  config(
    'int',
    'group.initial.rebalance.delay.ms',
    0,
    'How long the first rebalance of a group waits for further members.',
  ),
  config('int', 'group.min.session.timeout.ms', 6000, 'Shortest session timeout a member of a group may ask for.'),
  config('int', 'group.max.session.timeout.ms', 1_800_000, 'Longest session timeout a member of a group may ask for.'),
  config('int', 'group.max.size', 2_147_483_647, 'Most members of one group.', { rule: atLeast(1) }),
  config('list', 'group.coordinator.rebalance.protocols', 'classic,consumer', 'Kinds of groups this broker serves.', {
    rule: listOf('classic', 'consumer', 'share'),
  }),
  config('int', 'group.coordinator.threads', 4, `Threads for groups. ${KEPT}`, { rule: atLeast(1) }),
  config(
    'int',
    'group.coordinator.append.linger.ms',
    -1,
    `How long group records wait to be written together. ${KEPT}`,
    { rule: atLeast(-1) },
  ),
  config('int', 'group.consumer.session.timeout.ms', 45_000, 'Session timeout of groups with the new protocol.', {
    rule: atLeast(1),
  }),
  config('int', 'group.consumer.min.session.timeout.ms', 45_000, 'Shortest session timeout a group may be given.', {
    rule: atLeast(1),
  }),
  config('int', 'group.consumer.max.session.timeout.ms', 60_000, 'Longest session timeout a group may be given.', {
    rule: atLeast(1),
  }),
  config('int', 'group.consumer.heartbeat.interval.ms', 5000, 'Heartbeat interval of groups with the new protocol.', {
    rule: atLeast(1),
  }),
  config('int', 'group.consumer.min.heartbeat.interval.ms', 5000, 'Shortest heartbeat interval a group may be given.', {
    rule: atLeast(1),
  }),
  config(
    'int',
    'group.consumer.max.heartbeat.interval.ms',
    15_000,
    'Longest heartbeat interval a group may be given.',
    { rule: atLeast(1) },
  ),
  config(
    'int',
    'group.consumer.assignment.interval.ms',
    0,
    'How long a group with the new protocol keeps its targets at least, although members came or went.',
    { rule: atLeast(0) },
  ),
  config('int', 'group.consumer.min.assignment.interval.ms', 0, 'Shortest such time a group may be given.', {
    rule: atLeast(0),
  }),
  config('int', 'group.consumer.max.assignment.interval.ms', 15_000, 'Longest such time a group may be given.', {
    rule: atLeast(0),
  }),
  config(
    'boolean',
    'group.consumer.assignor.offload.enable',
    true,
    `Whether targets are computed in another thread. ${KEPT}`,
  ),
  config('int', 'group.consumer.max.size', 2_147_483_647, 'Most members of one group with the new protocol.', {
    rule: atLeast(1),
  }),
  config('list', 'group.consumer.assignors', 'uniform,range', 'Assignors of the new protocol, the default first.', {
    rule: listOf('uniform', 'range'),
  }),
  config(
    'string',
    'group.consumer.migration.policy',
    'disabled',
    'Whether a group may change its protocol while it has members.',
    { rule: oneOf('disabled') },
  ),
  config('int', 'offset.metadata.max.bytes', 4096, 'Longest text that may be committed with an offset.'),
  config('int', 'offsets.commit.timeout.ms', 5000, 'How long the replicas may take to have a commit.', {
    rule: atLeast(1),
  }),
  config('int', 'offsets.load.buffer.size', 5_242_880, 'Bytes read at once when the offsets are loaded.', {
    rule: atLeast(1),
  }),
  config('long', 'offsets.retention.check.interval.ms', 600_000, 'How often expired offsets are looked for.', {
    rule: atLeast(1),
  }),
  config('int', 'offsets.retention.minutes', 10_080, 'How long the offsets of a group without members are kept.', {
    rule: atLeast(1),
  }),
  config('int', 'offsets.topic.compression.codec', 0, `Codec of the offsets topic. ${KEPT}`),
  config(
    'int',
    'offsets.topic.num.partitions',
    50,
    'Partitions of the offsets topic. Not to be changed once it exists.',
    { rule: atLeast(1) },
  ),
  config(
    'short',
    'offsets.topic.replication.factor',
    3,
    'Replicas of the offsets topic; never more than there are brokers when it is created.',
    { rule: atLeast(1) },
  ),
  config('int', 'offsets.topic.segment.bytes', 104_857_600, 'Segment size of the offsets topic.', { rule: atLeast(1) }),
  config('int', 'transaction.max.timeout.ms', 900_000, 'Longest timeout a transaction may ask for.', {
    rule: atLeast(1),
  }),
  config('int', 'transactional.id.expiration.ms', 604_800_000, 'How long an unused transactional id is remembered.', {
    rule: atLeast(1),
  }),
  config(
    'int',
    'transaction.state.log.num.partitions',
    50,
    'Partitions of the transactions topic. Not to be changed once it exists.',
    { rule: atLeast(1) },
  ),
  config(
    'short',
    'transaction.state.log.replication.factor',
    3,
    'Replicas of the transactions topic; never more than there are brokers when it is created.',
    { rule: atLeast(1) },
  ),
  config(
    'int',
    'transaction.state.log.min.isr',
    2,
    'min.insync.replicas of the transactions topic; never more than its replicas.',
    { rule: atLeast(1) },
  ),
  config('int', 'transaction.state.log.segment.bytes', 104_857_600, 'Segment size of the transactions topic.', {
    rule: atLeast(1),
  }),
  config(
    'int',
    'transaction.state.log.load.buffer.size',
    5_242_880,
    'Bytes read at once when transactions are loaded.',
    { rule: atLeast(1) },
  ),
  config(
    'int',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms',
    10_000,
    'How often transactions over their timeout are looked for.',
    { rule: atLeast(1) },
  ),
  config(
    'int',
    'transaction.remove.expired.transaction.cleanup.interval.ms',
    3_600_000,
    'How often expired transactional ids are looked for.',
    { rule: atLeast(1) },
  ),
  config(
    'boolean',
    'transaction.partition.verification.enable',
    true,
    'Whether a partition asks the coordinator before it takes the first batch of a transaction.',
    { update },
  ),
];

/** Configs of one group (resource type GROUP). Source: KIP-848. */
export const GROUP_CONFIGS: readonly ConfigDefinition[] = [
  config('int', 'consumer.session.timeout.ms', 45_000, 'Session timeout of this group.', { rule: atLeast(1) }),
  config('int', 'consumer.heartbeat.interval.ms', 5000, 'Heartbeat interval of this group.', { rule: atLeast(1) }),
  config('int', 'consumer.assignment.interval.ms', 0, 'How long this group keeps its targets at least.', {
    rule: atLeast(0),
  }),
  config(
    'boolean',
    'consumer.assignor.offload.enable',
    true,
    `Whether targets of this group are computed in another thread. ${KEPT}`,
  ),
  ...SHARE_GROUP_CONFIGS,
];
