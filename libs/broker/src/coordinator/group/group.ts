/**
 * A classic consumer group as plain data: its state, its members, and when something must happen by itself.
 *
 * Guarantees: what is stored in the log is told apart from what lives only here (tokens of waiting requests, deadlines);
 * a loaded group differs from the one that was stored only in the latter.
 * Leaves out all decisions: see decide.ts.
 */

/** Kafka's names, as DescribeGroups shows them. A dead group is one that is not here any more. */
export type GroupStateName = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable';

/** Both clocks at one moment: the wall for what is stored, the monotonic one for deadlines. Milliseconds. */
export interface Instant {
  readonly epochMs: number;
  readonly monotonicMs: number;
}

/** One strategy a member can work with, and what it tells the leader for it (a subscription, for consumers). */
export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

/** A member. Replaced, never changed, but for its session deadline. */
export interface Member {
  readonly id: string;
  /** Set for static members (KIP-345): the name under which a restarted one comes back. */
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** In the member's order of preference. Of a loaded member, only the protocol that was chosen. */
  readonly protocols: readonly MemberProtocol[];
  /** What the leader gave it; empty until the first sync. */
  readonly assignment: Buffer;
  /** The JoinGroup request that waits for an answer, 0 for none. */
  readonly joinToken: number;
  /** The SyncGroup request that waits for an answer, 0 for none. */
  readonly syncToken: number;
  /** Joined, but never yet answered: its session has not begun. */
  readonly isNew: boolean;
  /** Has asked for its assignment in this generation. */
  readonly hasSynced: boolean;
  /** Monotonic time at which it is taken for dead. */
  sessionDeadlineMs: number;
}

/** The wait of a first rebalance for further members (`group.initial.rebalance.delay.ms`). */
export interface InitialDelay {
  /** How much longer the wait may become because members keep coming. */
  readonly remainingMs: number;
  readonly memberCame: boolean;
}

/** A group. Only a draft (draft.ts) and a recovery (records.ts) change it. */
export interface Group {
  readonly id: string;
  state: GroupStateName;
  /** Wall clock of the last change of state. Stored. */
  stateTimestampMs: number;
  generationId: number;
  /** 'consumer' for consumers; null for a group that only ever committed offsets. */
  protocolType: string | null;
  /** The chosen protocol of this generation. */
  protocolName: string | null;
  leaderId: string | null;
  members: Map<string, Member>;
  /** Instance id to member id. */
  staticMembers: Map<string, string>;
  /** Ids given out by the first step of a join (KIP-394) to when they expire, in monotonic time. */
  pendingMembers: Map<string, number>;
  /** Topics of all members, null when they are not known. Only for protocol type 'consumer'. */
  subscribedTopics: ReadonlySet<string> | null;
  /** When the join phase ends at the latest; null outside of it. */
  joinDeadlineMs: number | null;
  initialDelay: InitialDelay | null;
  /** When members that have not synced are dropped; null when none has to. */
  syncDeadlineMs: number | null;
}

/** Kafka's protocol type of consumers. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer';

/** A group nobody has joined yet. */
export function newGroup(id: string, now: Instant): Group {
  return {
    id,
    state: 'Empty',
    stateTimestampMs: now.epochMs,
    generationId: 0,
    protocolType: null,
    protocolName: null,
    leaderId: null,
    members: new Map(),
    staticMembers: new Map(),
    pendingMembers: new Map(),
    subscribedTopics: null,
    joinDeadlineMs: null,
    initialDelay: null,
    syncDeadlineMs: null,
  };
}

/** A copy whose maps can be changed without changing the original. */
export function copyGroup(group: Group): Group {
  return {
    ...group,
    members: new Map(group.members),
    staticMembers: new Map(group.staticMembers),
    pendingMembers: new Map(group.pendingMembers),
  };
}

/** The longest rebalance timeout of the members; 0 without members. */
export function rebalanceTimeoutMs(group: Group): number {
  let longest = 0;
  for (const member of group.members.values()) longest = Math.max(longest, member.rebalanceTimeoutMs);
  return longest;
}

/** True while the member's silence is not held against it: it waits for an answer of ours. */
export function isWaiting(member: Member): boolean {
  return !member.isNew && (member.joinToken !== 0 || member.syncToken !== 0);
}

/** True when every member has asked to join, and nobody is between the two steps of a join. */
export function hasAllJoined(group: Group): boolean {
  if (group.pendingMembers.size > 0) return false;
  for (const member of group.members.values()) if (member.joinToken === 0) return false;
  return true;
}

/** Monotonic time at which `decide` wants a tick; Infinity when nothing can happen by itself. */
export function nextDeadlineMs(group: Group): number {
  let next = Infinity;
  for (const deadline of group.pendingMembers.values()) next = Math.min(next, deadline);
  let waitsForSync = false;
  for (const member of group.members.values()) {
    if (!member.hasSynced) waitsForSync = true;
    if (!isWaiting(member)) next = Math.min(next, member.sessionDeadlineMs);
  }
  if (group.joinDeadlineMs !== null) next = Math.min(next, group.joinDeadlineMs);
  if (group.syncDeadlineMs !== null && waitsForSync) next = Math.min(next, group.syncDeadlineMs);
  return next;
}

/** A sign of life: the session starts over. The one change of a group that needs no decision. */
export function refreshSession(group: Group, memberId: string, now: Instant): void {
  const member = group.members.get(memberId);
  if (member) member.sessionDeadlineMs = now.monotonicMs + member.sessionTimeoutMs;
}
