/**
 * A share group (KIP-932) as plain data: its epochs, its members, what each shall have and has, and which partitions its
 * state is kept for.
 *
 * Guarantees: everything but deadlines and `checkedTopics` is made of records, see apply.ts. Leaves out all decisions,
 * and what was delivered to whom: see ../partition.
 */
import type { Topics } from '../../consumer-group/consumer-group.js';
import { NO_TARGET, type Target } from '../../consumer-group/assignment.js';
import type { Instant } from '../../group/group.js';

/** Epoch of a member that leaves, in its last request and answer. */
export const LEAVE_EPOCH = -1;

/** What a member says about itself. */
export interface ShareMemberMetadata {
  readonly rackId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** In ascending order. */
  readonly subscribedTopicNames: readonly string[];
}

/** What a member has: with one step it has what it shall have. */
export interface ShareMemberAssignment {
  readonly epoch: number;
  readonly previousEpoch: number;
  readonly assigned: Target;
}

/** A member. Replaced, never changed, but for its session deadline. */
export interface ShareMember extends ShareMemberMetadata, ShareMemberAssignment {
  readonly id: string;
  /** Monotonic time at which it is taken for dead. */
  sessionDeadlineMs: number;
}

/** A topic whose partitions the group has state of. */
export interface ShareTopic {
  readonly name: string;
  /** In ascending order. */
  readonly partitions: readonly number[];
}

/** Topic id to what is known of it. */
export type ShareTopics = ReadonlyMap<string, ShareTopic>;

/** Which state exists. Members get only partitions whose state does. */
export interface ShareTopicStates {
  readonly initializing: ShareTopics;
  readonly initialized: ShareTopics;
}

/** A group. Only apply.ts changes it, but for `checkedTopics`. */
export interface ShareGroup extends ShareTopicStates {
  readonly id: string;
  epoch: number;
  metadataHash: bigint;
  /** The epoch for which the targets were computed. */
  assignmentEpoch: number;
  readonly members: Map<string, ShareMember>;
  readonly targets: Map<string, Target>;
  initializing: ShareTopics;
  initialized: ShareTopics;
  /** The topics of the cluster as they were when they were last compared with the hash. Not stored. */
  checkedTopics: object | null;
}

/** Settings that decisions depend on; the comment gives Kafka's name. */
export interface ShareGroupRules {
  /** `group.share.session.timeout.ms`, or the group's own `share.session.timeout.ms` */
  readonly sessionTimeoutMs: number;
  /** `group.share.heartbeat.interval.ms`, or the group's own `share.heartbeat.interval.ms` */
  readonly heartbeatIntervalMs: number;
  /** `group.share.max.size` */
  readonly membersMax: number;
}

/** Everything a decision may look at beside the group. */
export interface ShareWorld {
  readonly now: Instant;
  readonly rules: ShareGroupRules;
  readonly topics: Topics;
}

/** A group nobody has joined yet. Kafka's first epoch is 1: 0 is what members come with. */
export function newShareGroup(id: string): ShareGroup {
  return {
    id,
    epoch: 1,
    metadataHash: 0n,
    assignmentEpoch: 0,
    members: new Map(),
    targets: new Map(),
    initializing: new Map(),
    initialized: new Map(),
    checkedTopics: null,
  };
}

/** A copy that can be changed without changing the original. */
export function copyShareGroup(group: ShareGroup): ShareGroup {
  return { ...group, members: new Map(group.members), targets: new Map(group.targets) };
}

/** A member that has said nothing yet. */
export function newShareMember(id: string): ShareMember {
  const metadata = { rackId: null, clientId: '', clientHost: '', subscribedTopicNames: [] };
  return { id, ...metadata, epoch: 0, previousEpoch: 0, assigned: NO_TARGET, sessionDeadlineMs: Infinity };
}

/** Monotonic time at which something happens by itself; Infinity for never. */
export function nextShareDeadlineMs(group: ShareGroup): number {
  let next = Infinity;
  for (const { sessionDeadlineMs } of group.members.values()) next = Math.min(next, sessionDeadlineMs);
  return next;
}

/** Kafka's names, as ListGroups and ShareGroupDescribe show them. */
export function shareStateOf(group: ShareGroup): 'Empty' | 'Stable' {
  return group.members.size === 0 ? 'Empty' : 'Stable';
}
