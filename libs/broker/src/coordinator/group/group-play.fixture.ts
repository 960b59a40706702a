/**
 * A group on a stage: commands go in, answers and records are kept, time moves only when told.
 *
 * Checks with every command that `decide` left the group it was given as it was.
 */
import { isDeepStrictEqual } from 'node:util';
import { encodeSubscription, ErrorCode } from '@kafka-template/protocol';
import { checkCommit } from './commit.js';
import { decide, decideHeartbeat, type GroupCommand } from './decide.js';
import type { GroupRules } from './draft.js';
import { newGroup, nextDeadlineMs, refreshSession, type Group, type Instant } from './group.js';
import type { JoinCommand } from './join.js';
import { groupFromMetadata, type GroupRecord } from './records.js';
import type { GroupReply, JoinAnswer, LeaveAnswer, SyncAnswer } from './replies.js';

/** What a join may say; everything has a default. */
export interface JoinWish {
  readonly memberId?: string;
  readonly instanceId?: string | null;
  readonly apiVersion?: number;
  readonly sessionTimeoutMs?: number;
  readonly rebalanceTimeoutMs?: number;
  readonly protocolType?: string;
  readonly protocols?: readonly string[];
  readonly topics?: readonly string[];
}

/** See the file comment. */
export class GroupPlay {
  group: Group;
  readonly records: GroupRecord[] = [];
  readonly replies = new Map<number, GroupReply>();
  private elapsedMs = 0;
  private token = 0;
  private members = 0;

  constructor(readonly rules: GroupRules = { initialRebalanceDelayMs: 0, membersMax: 1000 }) {
    this.group = newGroup('g', this.now);
  }

  get now(): Instant {
    return { epochMs: 1_700_000_000_000 + this.elapsedMs, monotonicMs: this.elapsedMs };
  }

  /** Sends a JoinGroup; returns its token. */
  join(wish: JoinWish = {}): number {
    const memberId = wish.memberId ?? '';
    const metadata = encodeSubscription({ topics: wish.topics ?? ['t'], ownedPartitions: [] });
    const command: JoinCommand = {
      type: 'join',
      token: ++this.token,
      request: {
        groupId: 'g',
        sessionTimeoutMs: wish.sessionTimeoutMs ?? 10_000,
        rebalanceTimeoutMs: wish.rebalanceTimeoutMs ?? 60_000,
        memberId,
        groupInstanceId: wish.instanceId ?? null,
        protocolType: wish.protocolType ?? 'consumer',
        protocols: (wish.protocols ?? ['range']).map((name) => ({ name, metadata })),
        reason: null,
      },
      apiVersion: wish.apiVersion ?? 9,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      newMemberId: `m${(this.members += memberId === '' ? 1 : 0)}`,
    };
    this.run(command);
    return command.token;
  }

  /** Both steps of a dynamic member's join; returns its id and the token of the second step. */
  enter(wish: JoinWish = {}): { id: string; token: number } {
    const first = this.joinAnswer(this.join(wish));
    expect(first?.errorCode).toBe(ErrorCode.MEMBER_ID_REQUIRED);
    const id = first?.memberId ?? '';
    return { id, token: this.join({ ...wish, memberId: id }) };
  }

  sync(
    memberId: string,
    options: { generationId?: number; assignments?: Record<string, string>; instanceId?: string } = {},
  ): number {
    const token = ++this.token;
    const assignments = Object.entries(options.assignments ?? {});
    this.run({
      type: 'sync',
      token,
      request: {
        groupId: 'g',
        generationId: options.generationId ?? this.group.generationId,
        memberId,
        groupInstanceId: options.instanceId ?? null,
        protocolType: 'consumer',
        protocolName: this.group.protocolName,
        assignments: assignments.map(([id, text]) => ({ memberId: id, assignment: Buffer.from(text) })),
      },
    });
    return token;
  }

  leave(...members: { memberId: string; groupInstanceId?: string }[]): readonly LeaveAnswer[] {
    const token = ++this.token;
    const identities = members.map(({ memberId, groupInstanceId = null }) => ({ memberId, groupInstanceId }));
    this.run({ type: 'leave', token, members: identities });
    const reply = this.replies.get(token);
    return reply?.type === 'leave' ? reply.members : [];
  }

  heartbeat(memberId: string, generationId = this.group.generationId, instanceId: string | null = null): number {
    const { errorCode, refresh } = decideHeartbeat(this.group, { memberId, generationId, groupInstanceId: instanceId });
    if (refresh) refreshSession(this.group, memberId, this.now);
    return errorCode;
  }

  /** The code a commit gets. */
  commit(memberId: string, wish: { generationId?: number; instanceId?: string; transactional?: boolean } = {}): number {
    const { generationId = this.group.generationId, instanceId = null, transactional = false } = wish;
    return checkCommit(this.group, { memberId, generationId, groupInstanceId: instanceId }, transactional);
  }

  /** Moves time on, with a tick at every deadline on the way. */
  pass(ms: number): void {
    const endMs = this.elapsedMs + ms;
    for (let next = nextDeadlineMs(this.group); next <= endMs; next = nextDeadlineMs(this.group)) {
      this.elapsedMs = Math.max(this.elapsedMs, next);
      this.run({ type: 'tick' });
    }
    this.elapsedMs = endMs;
  }

  joinAnswer(token: number): JoinAnswer | undefined {
    const reply = this.replies.get(token);
    return reply?.type === 'join' ? reply.answer : undefined;
  }

  syncAnswer(token: number): SyncAnswer | undefined {
    const reply = this.replies.get(token);
    return reply?.type === 'sync' ? reply.answer : undefined;
  }

  /** A stable group of dynamic members, each with its own id as assignment; returns the ids, the leader's first. */
  stable(count: number, wish: JoinWish = {}): string[] {
    const ids: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const entered = this.enter(wish);
      for (const id of ids) this.join({ ...wish, memberId: id });
      ids.push(entered.id);
    }
    this.syncAll(ids);
    expect(this.group.state).toBe('Stable');
    return ids;
  }

  /** Everybody syncs, the leader last. */
  syncAll(ids: readonly string[]): void {
    const { leaderId } = this.group;
    for (const id of ids) if (id !== leaderId) this.sync(id);
    this.sync(leaderId ?? '', { assignments: Object.fromEntries(ids.map((id) => [id, id])) });
  }

  /** The group as it would come back from the log; null when nothing of it is stored. */
  reloaded(): Group | null {
    const last = this.records.filter((record) => record.type === 'groupMetadata').at(-1);
    return last?.value ? groupFromMetadata('g', last.value, this.now) : null;
  }

  /** The broker comes back with what is in the log; requests that waited are never answered. */
  restart(): void {
    this.group = this.reloaded() ?? newGroup('g', this.now);
  }

  private run(command: GroupCommand): void {
    const before = structuredClone(this.group);
    const decision = decide(this.group, command, this.now, this.rules);
    if (!isDeepStrictEqual(structuredClone(this.group), before))
      throw new Error(`decide changed its group: ${command.type}`);
    this.group = decision.group;
    this.records.push(...decision.records);
    for (const reply of decision.replies) {
      if (this.replies.has(reply.token)) throw new Error(`Request ${reply.token} was answered twice.`);
      this.replies.set(reply.token, reply);
    }
  }
}
