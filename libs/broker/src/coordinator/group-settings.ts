/**
 * The broker configs that groups depend on, as typed values.
 *
 * Guarantees: plain values of one configuration; a change at run time is another configuration and other settings.
 */
import type { BrokerConfig, ConfigEntries } from '../cluster/broker-config.js';
import type { ConsumerGroupRules } from './consumer-group/consumer-group.js';
import type { GroupRules } from './group/draft.js';

/** See the file comment. Times in milliseconds; the comment gives Kafka's name. */
export interface GroupSettings extends GroupRules {
  /** `group.min.session.timeout.ms` */
  readonly sessionTimeoutMinMs: number;
  /** `group.max.session.timeout.ms` */
  readonly sessionTimeoutMaxMs: number;
  /** `offset.metadata.max.bytes` */
  readonly offsetMetadataBytesMax: number;
  /** `offsets.commit.timeout.ms` */
  readonly commitTimeoutMs: number;
  /** `offsets.retention.minutes` */
  readonly offsetsRetentionMs: number;
  /** `offsets.retention.check.interval.ms` */
  readonly offsetsRetentionCheckIntervalMs: number;
  /** `offsets.load.buffer.size` */
  readonly loadBytes: number;
  /** `offsets.topic.num.partitions` */
  readonly topicPartitions: number;
  /** `group.coordinator.rebalance.protocols` has `consumer`. */
  readonly servesConsumerGroups: boolean;
  /** What groups of the new protocol depend on. */
  readonly consumer: ConsumerGroupRules;
}

const MINUTE_MS = 60_000;

/** The rules of one group: those of all groups, and what is set for it alone. Source: KIP-848, `GroupConfig`. */
export function consumerGroupRules(common: ConsumerGroupRules, own: ConfigEntries): ConsumerGroupRules {
  const session = own['consumer.session.timeout.ms'];
  const heartbeat = own['consumer.heartbeat.interval.ms'];
  const assignment = own['consumer.assignment.interval.ms'];
  if (session === undefined && heartbeat === undefined && assignment === undefined) return common;
  return {
    ...common,
    sessionTimeoutMs: session === undefined ? common.sessionTimeoutMs : Number(session),
    heartbeatIntervalMs: heartbeat === undefined ? common.heartbeatIntervalMs : Number(heartbeat),
    assignmentIntervalMs: assignment === undefined ? common.assignmentIntervalMs : Number(assignment),
  };
}

/** The settings as the broker is configured now. */
export function groupSettings(config: BrokerConfig): GroupSettings {
  return {
    initialRebalanceDelayMs: config.number('group.initial.rebalance.delay.ms'),
    membersMax: config.number('group.max.size'),
    sessionTimeoutMinMs: config.number('group.min.session.timeout.ms'),
    sessionTimeoutMaxMs: config.number('group.max.session.timeout.ms'),
    offsetMetadataBytesMax: config.number('offset.metadata.max.bytes'),
    commitTimeoutMs: config.number('offsets.commit.timeout.ms'),
    offsetsRetentionMs: config.number('offsets.retention.minutes') * MINUTE_MS,
    offsetsRetentionCheckIntervalMs: config.number('offsets.retention.check.interval.ms'),
    loadBytes: config.number('offsets.load.buffer.size'),
    topicPartitions: config.number('offsets.topic.num.partitions'),
    servesConsumerGroups: config.list('group.coordinator.rebalance.protocols').includes('consumer'),
    consumer: {
      sessionTimeoutMs: config.number('group.consumer.session.timeout.ms'),
      heartbeatIntervalMs: config.number('group.consumer.heartbeat.interval.ms'),
      assignmentIntervalMs: config.number('group.consumer.assignment.interval.ms'),
      membersMax: config.number('group.consumer.max.size'),
      assignors: config.list('group.consumer.assignors'),
    },
  };
}
