/**
 * A group of the new consumer protocol (KIP-848) as plain data: its epochs, its members, what each shall have and has.
 *
 * Guarantees: everything but deadlines and `checkedTopics` is made of records, see apply.ts; a loaded group differs from
 * the one that was stored only in these. Leaves out all decisions: see heartbeat.ts, leave.ts and tick.ts.
 */
import type { TopicImage } from '../../cluster/image.js';
import type { Instant } from '../group/group.js';
import { NO_OWNED, NO_TARGET, type Owned, type Target } from './assignment.js';

/** Where a member stands on the way to its target. The numbers are stored. */
export const MemberState = { STABLE: 0, UNREVOKED: 1, UNRELEASED: 2, UNKNOWN: 127 } as const;

/** Epoch of a member that left for good, in its last request and answer. */
export const LEAVE_EPOCH = -1;
/** Epoch of a static member that left and will come back. Stored. */
export const LEAVE_STATIC_EPOCH = -2;

/** What a member says about itself. */
export interface MemberMetadata {
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** In ascending order. */
  readonly subscribedTopicNames: readonly string[];
  /** A pattern in RE2's syntax; '' for none. */
  readonly subscribedTopicRegex: string;
  readonly rebalanceTimeoutMs: number;
  readonly serverAssignor: string | null;
}

/** What a member has. `assigned` it may read; `pendingRevocation` it was told to give up and may still read. */
export interface MemberAssignment {
  readonly epoch: number;
  readonly previousEpoch: number;
  /** One of {@link MemberState}. */
  readonly state: number;
  readonly assigned: Owned;
  readonly pendingRevocation: Owned;
}

/** A member. Replaced, never changed, but for its session deadline. */
export interface ConsumerMember extends MemberMetadata, MemberAssignment {
  readonly id: string;
  /** Monotonic time at which it is dropped unless it has given up what it was told to; Infinity for nothing. */
  readonly revocationDeadlineMs: number;
  /** Monotonic time at which it is taken for dead. */
  sessionDeadlineMs: number;
}

/** A group. Only apply.ts changes it, but for `checkedTopics`. */
export interface ConsumerGroup {
  readonly id: string;
  /** Grows with every change of members, subscriptions and topics. */
  epoch: number;
  /** Stands for the topics of all members and their partitions. */
  metadataHash: bigint;
  /** The epoch for which the targets were computed. */
  assignmentEpoch: number;
  /** Wall clock when the targets were computed; 0 for never. */
  assignedMs: number;
  readonly members: Map<string, ConsumerMember>;
  /** Instance id to member id. */
  readonly staticMembers: Map<string, string>;
  readonly targets: Map<string, Target>;
  /** Partition to the member that has it or has not given it up yet. */
  readonly owners: Map<string, string>;
  /** Pattern to the topics it matched when it was last looked at. */
  readonly patterns: Map<string, readonly string[]>;
  /** The topics of the cluster as they were when they were last compared with the hash. Not stored. */
  checkedTopics: object | null;
}

/** The topics of the cluster, as far as groups ask. A `ClusterImage` is one: another object when anything changed. */
export interface Topics {
  topic(name: string): TopicImage | undefined;
  topicById(id: string): TopicImage | undefined;
  topics(): Iterable<TopicImage>;
}

/** Settings that decisions depend on; the comment gives Kafka's name. */
export interface ConsumerGroupRules {
  /** `group.consumer.session.timeout.ms`, or the group's own `consumer.session.timeout.ms` */
  readonly sessionTimeoutMs: number;
  /** `group.consumer.heartbeat.interval.ms`, or the group's own `consumer.heartbeat.interval.ms` */
  readonly heartbeatIntervalMs: number;
  /** `group.consumer.assignment.interval.ms`, or the group's own `consumer.assignment.interval.ms` */
  readonly assignmentIntervalMs: number;
  /** `group.consumer.max.size` */
  readonly membersMax: number;
  /** `group.consumer.assignors`, the default first. */
  readonly assignors: readonly string[];
}

/** Everything a decision may look at beside the group. */
export interface World {
  readonly now: Instant;
  readonly rules: ConsumerGroupRules;
  readonly topics: Topics;
}

/** A group nobody has joined yet. Kafka's first epoch is 1: 0 is what members come with. */
export function newConsumerGroup(id: string): ConsumerGroup {
  return {
    id,
    epoch: 1,
    metadataHash: 0n,
    assignmentEpoch: 0,
    assignedMs: 0,
    members: new Map(),
    staticMembers: new Map(),
    targets: new Map(),
    owners: new Map(),
    patterns: new Map(),
    checkedTopics: null,
  };
}

/** A copy that can be changed without changing the original. */
export function copyConsumerGroup(group: ConsumerGroup): ConsumerGroup {
  return {
    ...group,
    members: new Map(group.members),
    staticMembers: new Map(group.staticMembers),
    targets: new Map(group.targets),
    owners: new Map(group.owners),
    patterns: new Map(group.patterns),
  };
}

/** A member that has said nothing yet. */
export function newConsumerMember(id: string): ConsumerMember {
  return {
    id,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: [],
    subscribedTopicRegex: '',
    rebalanceTimeoutMs: -1,
    serverAssignor: null,
    epoch: 0,
    previousEpoch: 0,
    state: MemberState.STABLE,
    assigned: NO_OWNED,
    pendingRevocation: NO_OWNED,
    revocationDeadlineMs: Infinity,
    sessionDeadlineMs: Infinity,
  };
}

/** What a member shall have. */
export function targetFor(group: ConsumerGroup, memberId: string): Target {
  return group.targets.get(memberId) ?? NO_TARGET;
}

/** True when the member has exactly what was computed for the epoch. */
export function isReconciled(member: MemberAssignment, assignmentEpoch: number): boolean {
  return member.state === MemberState.STABLE && member.epoch === assignmentEpoch;
}

/** Kafka's names, as ListGroups and ConsumerGroupDescribe show them. */
export type ConsumerGroupStateName = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable';

/** The state of a group: a summary of its epochs. */
export function stateOf(group: ConsumerGroup): ConsumerGroupStateName {
  if (group.members.size === 0) return 'Empty';
  if (group.epoch > group.assignmentEpoch) return 'Assigning';
  for (const member of group.members.values()) if (!isReconciled(member, group.assignmentEpoch)) return 'Reconciling';
  return 'Stable';
}

/** Monotonic time at which something happens by itself; Infinity for never. */
export function nextConsumerDeadlineMs(group: ConsumerGroup): number {
  let next = Infinity;
  for (const { sessionDeadlineMs, revocationDeadlineMs } of group.members.values()) {
    next = Math.min(next, sessionDeadlineMs, revocationDeadlineMs);
  }
  return next;
}
