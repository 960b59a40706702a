/**
 * The groups of one partition of `__consumer_offsets`: loads them, runs decisions, stores what they say, answers.
 *
 * Guarantees: records go to the log before the state moves on, answers leave after the log has them; a request that waits
 * is answered exactly once, by a decision, by a failure of the log or by the end of the shard. When the log fails after
 * it had accepted a write, the shard forgets everything and loads again: what is in the log is what is true.
 * Leaves out which group belongs here, and the forms of the answers: see group-coordinator.ts.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { COORDINATOR_RECORDS_PER_BATCH_MAX } from '../../limits.js';
import type { Clock } from '../../io/clock.js';
import type { Logger } from '../../io/logger.js';
import type { Partition } from '../../replication/partition.js';
import type { ConsumerGroupRules, Topics } from '../consumer-group/consumer-group.js';
import { groupTombstones } from '../consumer-group/decide.js';
import { isConsumerOffsetExpired } from '../consumer-group/expiry.js';
import type { GroupSettings } from '../group-settings.js';
import { decide, type GroupCommand } from '../group/decide.js';
import { isExpired, isForgettable } from '../group/expiry.js';
import { newGroup, nextDeadlineMs, type Group, type Instant } from '../group/group.js';
import { Offsets } from '../group/offsets.js';
import { groupFromMetadata, type CommittedOffset, type GroupRecord } from '../group/records.js';
import type { GroupReply } from '../group/replies.js';
import { shareGroupTombstones } from '../share/group/decide.js';
import type { ShareGroupRules } from '../share/group/share-group.js';
import {
  decodeStoredRecord,
  encodeStoredRecord,
  isGroupRecord,
  isShareGroupRecord,
  type StoredRecord,
} from '../stored-record.js';
import { Alarm, type Alarms } from './alarms.js';
import { ConsumerGroupLoad, ConsumerGroups } from './consumer-groups.js';
import { GatedLog, type TransactionalProducer, type WriteSteps } from './gated-log.js';
import { replay } from './replay.js';
import { ShareGroupLoad, ShareGroups } from './share-groups.js';

/** Pause before something that happens by itself is tried again after the log refused it. */
export const TICK_RETRY_MS = 1000;

/** What a shard needs from its coordinator. */
export interface ShardOptions {
  readonly partition: Partition;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly alarms: Alarms;
  readonly settings: () => GroupSettings;
  /** What a group of the new protocol depends on. */
  readonly consumerRules: (groupId: string) => ConsumerGroupRules;
  /** What a share group depends on. */
  readonly shareRules: (groupId: string) => ShareGroupRules;
  /** A member of a share group has left, or was dropped; `isLast`: the group has no members any more. */
  readonly onShareMemberGone: (groupId: string, memberId: string, isLast: boolean) => void;
  /** The topics of the cluster now. */
  readonly topics: () => Topics;
}

/** Loading: 14 for everybody. Closed: 16. */
export type ShardStatus = 'loading' | 'active' | 'closed';

/** Who waits for the answer to a command. Exactly one of the two is called. */
export interface Waiter {
  reply(reply: GroupReply): void;
  /** Kafka's code for the client. */
  fail(errorCode: number): void;
}

/** Who waits for a write. Exactly one of the two is called. */
export interface WriteDone {
  stored(): void;
  /** The code the partition gave. */
  failed(errorCode: number): void;
}

/** A shard that serves a group, or why there is none. */
export type Located =
  | { readonly shard: GroupShard; readonly errorCode: typeof ErrorCode.NONE }
  | { readonly shard: null; readonly errorCode: number };

interface Entry {
  group: Group;
  readonly alarm: Alarm;
}

/** What clients are told when the log did not take a record. Source: Kafka, `CoordinatorRuntime`. */
export function clientCode(logCode: number): number {
  switch (logCode) {
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.NOT_ENOUGH_REPLICAS:
    case ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case ErrorCode.REQUEST_TIMED_OUT:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
    case ErrorCode.KAFKA_STORAGE_ERROR:
      return ErrorCode.NOT_COORDINATOR;
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.RECORD_LIST_TOO_LARGE:
      return ErrorCode.UNKNOWN_SERVER_ERROR;
    default:
      return logCode;
  }
}

/** See the file comment. */
export class GroupShard {
  status: ShardStatus = 'loading';
  offsets = new Offsets();
  /** The groups of the new protocol (KIP-848). An id belongs to one of them or to a classic group, never to both. */
  readonly consumers: ConsumerGroups;
  /** The share groups (KIP-932); the same holds for their ids. */
  readonly shares: ShareGroups;
  private entries = new Map<string, Entry>();
  private waiters = new Map<number, Waiter>();
  private readonly endedWhileLoading: { readonly producerId: number; readonly committed: boolean }[] = [];
  private log: GatedLog;
  private loads = 0;
  private readonly leaderEpoch: number;

  constructor(private readonly options: ShardOptions) {
    this.leaderEpoch = options.partition.leaderEpoch;
    this.log = this.openLog();
    const seams = {
      alarms: options.alarms,
      logger: options.logger,
      now: () => this.now(),
      topics: options.topics,
      isActive: () => this.status === 'active',
      write: (records: readonly StoredRecord[], steps: WriteSteps) => this.write(records, undefined, steps),
      afterWrites: (answer: () => void, failed: (errorCode: number) => void) => this.log.afterWrites(answer, failed),
    };
    this.consumers = new ConsumerGroups({ ...seams, rules: options.consumerRules });
    this.shares = new ShareGroups({ ...seams, rules: options.shareRules, onMemberGone: options.onShareMemberGone });
  }

  /** True when this shard is about the partition as it is led now. */
  serves(partition: Partition): boolean {
    const same = partition === this.options.partition && partition.leaderEpoch === this.leaderEpoch;
    return same && this.status !== 'closed';
  }

  /** Reads the partition; `active` after it, unless the shard was closed meanwhile or the partition cannot be read. */
  async load(): Promise<void> {
    const { partition, clock, logger, settings } = this.options;
    const load = ++this.loads;
    const cancelled = (): boolean => this.status === 'closed' || load !== this.loads;
    const startedMs = clock.monotonic();
    const groups = new Map<string, Group>();
    const consumers = new ConsumerGroupLoad(this.now(), this.options.consumerRules);
    const shares = new ShareGroupLoad(this.now(), this.options.shareRules);
    const offsets = new Offsets();
    const apply = (record: StoredRecord, producerId: number): void => {
      if (isShareGroupRecord(record)) shares.apply(record);
      else if (!isGroupRecord(record)) consumers.apply(record);
      else if (record.type === 'groupMetadata') {
        if (record.value === null) groups.delete(record.groupId);
        else groups.set(record.groupId, groupFromMetadata(record.groupId, record.value, this.now()));
      } else if (producerId === -1) offsets.apply(record, record.value);
      else offsets.applyTransactional(producerId, record, record.value);
    };
    const target = {
      record: (key: Buffer, value: Buffer | null, producerId: number): void => {
        const record = decodeStoredRecord(key, value);
        if (record) apply(record, producerId);
      },
      transactionEnd: (producerId: number, committed: boolean): void => {
        offsets.applyTransactionEnd(producerId, committed);
      },
    };
    try {
      await replay(partition, { maxBytes: settings().loadBytes, clock, cancelled }, target);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.error('Groups could not be loaded', { partition: partition.partition, reason });
      return this.close();
    }
    if (cancelled()) return;
    this.consumers.takeOver(consumers);
    this.shares.takeOver(shares);
    this.activate(groups, offsets);
    const tookMs = Math.round(clock.monotonic() - startedMs);
    if (groups.size > 0) logger.debug('Groups loaded', { partition: partition.partition, groups: groups.size, tookMs });
  }

  /** Fails whatever waits with NOT_COORDINATOR. */
  close(): void {
    if (this.status === 'closed') return;
    this.status = 'closed';
    this.forget(ErrorCode.NOT_COORDINATOR);
  }

  /** Fails whatever waits because the broker stops: clients look for another coordinator. */
  shutdown(): void {
    this.status = 'closed';
    this.forget(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  }

  group(groupId: string): Group | undefined {
    return this.entries.get(groupId)?.group;
  }

  /** All groups of this partition, in no particular order. */
  *groups(): Iterable<Group> {
    for (const { group } of this.entries.values()) yield group;
  }

  /** Makes a group that is only in memory until something about it is stored. */
  createGroup(groupId: string): Group {
    const group = newGroup(groupId, this.now());
    this.put(group);
    return group;
  }

  /** Decides a command of a member; the waiter is answered by this decision or by a later one. */
  run(group: Group, command: Exclude<GroupCommand, { type: 'tick' }>, waiter: Waiter): void {
    this.waiters.set(command.token, waiter);
    const decision = decide(group, command, this.now(), this.options.settings());
    const refused = (errorCode: number): void => {
      this.waiters.delete(command.token);
      waiter.fail(clientCode(errorCode));
    };
    this.follow(decision, refused);
  }

  /** Runs `answer` once everything written so far is in the log. */
  afterWrites(done: WriteDone): void {
    this.log.afterWrites(
      () => done.stored(),
      (errorCode) => done.failed(errorCode),
    );
  }

  /** Stores offsets as one batch. Readers of `offsets` see them a moment before `stored`: from the acceptance on. */
  writeOffsets(records: readonly GroupRecord[], done: WriteDone, producer?: TransactionalProducer): void {
    this.write(records, producer, {
      applied: () => this.applyOffsets(records, producer?.producerId ?? -1),
      stored: () => done.stored(),
      refused: (errorCode) => done.failed(errorCode),
      failed: (errorCode) => done.failed(errorCode),
    });
  }

  /** Deletes offsets, and the group with them when `forgetGroup` is set; in as many batches as it takes. */
  writeTombstones(groupId: string, records: readonly StoredRecord[], forgetGroup: boolean, done: WriteDone): void {
    const all: StoredRecord[] = [...records];
    if (forgetGroup && this.consumers.has(groupId)) all.push(...groupTombstones(groupId));
    else if (forgetGroup && this.shares.has(groupId)) all.push(...shareGroupTombstones(groupId));
    else if (forgetGroup) all.push({ type: 'groupMetadata', groupId, value: null });
    let first: number | null = null;
    for (let start = 0; start < all.length; start += COORDINATOR_RECORDS_PER_BATCH_MAX) {
      const chunk = all.slice(start, start + COORDINATOR_RECORDS_PER_BATCH_MAX);
      const failed = (errorCode: number): void => {
        first ??= errorCode;
      };
      this.write(chunk, undefined, {
        applied: () => this.applyTombstones(chunk),
        stored: () => undefined,
        refused: failed,
        failed,
      });
    }
    this.afterWrites({
      stored: () => (first === null ? done.stored() : done.failed(first)),
      failed: (errorCode) => done.failed(errorCode),
    });
  }

  /** A transaction whose marker is in the log now: its offsets become visible, or go. */
  endTransaction(producerId: number, committed: boolean): void {
    // The load may have begun before the marker came, and does not see it then.
    if (this.status === 'loading') this.endedWhileLoading.push({ producerId, committed });
    for (const groupId of this.offsets.applyTransactionEnd(producerId, committed)) {
      if (this.offsets.has(groupId)) this.makeRoom(groupId);
    }
  }

  /** Forgets expired offsets, and groups of which nothing is left. */
  cleanUp(): void {
    const { settings } = this.options;
    const rules = { nowEpochMs: this.now().epochMs, retentionMs: settings().offsetsRetentionMs };
    for (const { group } of [...this.entries.values()]) {
      const { expired, isEmpty } = this.expire(group.id, (topic, offset) => isExpired(group, topic, offset, rules));
      this.forgetExpired(group.id, expired, isForgettable(group, !isEmpty));
    }
    for (const group of [...this.consumers.all()]) {
      const isOver = (topic: string, offset: CommittedOffset): boolean =>
        isConsumerOffsetExpired(group, topic, offset, rules);
      const { expired, isEmpty } = this.expire(group.id, isOver);
      this.forgetExpired(group.id, expired, group.members.size === 0 && isEmpty);
    }
  }

  /** The tombstones of the offsets that are over, and whether none would be left. */
  private expire(groupId: string, isOver: (topic: string, offset: CommittedOffset) => boolean) {
    const expired: GroupRecord[] = [];
    let kept = 0;
    for (const [topic, partitions] of this.offsets.ofGroup(groupId)) {
      for (const [partition, offset] of partitions) {
        if (isOver(topic, offset)) expired.push({ type: 'offset', groupId, topic, partition, value: null });
        else kept += 1;
      }
    }
    return { expired, isEmpty: kept === 0 && !this.offsets.hasPending(groupId) };
  }

  private forgetExpired(groupId: string, expired: readonly GroupRecord[], forget: boolean): void {
    if (expired.length === 0 && !forget) return;
    const { logger, partition } = this.options;
    const facts = { group: groupId, partition: partition.partition };
    logger.debug('Forgetting offsets', { ...facts, offsets: expired.length, forget });
    this.writeTombstones(groupId, expired, forget, {
      stored: () => undefined,
      failed: (errorCode) => logger.warn('Expired offsets could not be deleted', { ...facts, errorCode }),
    });
  }

  /** Both clocks now. */
  now(): Instant {
    const { clock } = this.options;
    return { epochMs: clock.now(), monotonicMs: clock.monotonic() };
  }

  private openLog(): GatedLog {
    return new GatedLog(this.options.partition, (errorCode) => this.logFailed(errorCode));
  }

  private activate(groups: ReadonlyMap<string, Group>, offsets: Offsets): void {
    for (const { producerId, committed } of this.endedWhileLoading.splice(0)) {
      offsets.applyTransactionEnd(producerId, committed);
    }
    this.offsets = offsets;
    for (const group of groups.values()) this.put(group);
    for (const groupId of offsets.groupIds()) this.makeRoom(groupId);
    this.log = this.openLog();
    this.status = 'active';
  }

  /** Offsets always belong to a group, and an id to one. */
  private makeRoom(groupId: string): void {
    if (this.entries.has(groupId) || this.consumers.has(groupId) || this.shares.has(groupId)) return;
    this.createGroup(groupId);
  }

  private put(group: Group): void {
    const entry = this.entries.get(group.id) ?? this.newEntry(group);
    entry.group = group;
    this.options.alarms.set(entry.alarm, nextDeadlineMs(group));
  }

  private newEntry(group: Group): Entry {
    const entry: Entry = { group, alarm: new Alarm(() => this.tick(entry)) };
    this.entries.set(group.id, entry);
    return entry;
  }

  /** Forgets a classic group; what is stored of it is the caller's. */
  drop(groupId: string): void {
    const entry = this.entries.get(groupId);
    if (!entry) return;
    this.options.alarms.clear(entry.alarm);
    this.entries.delete(groupId);
  }

  private tick(entry: Entry): void {
    if (this.status !== 'active') return;
    const now = this.now();
    const deadlineMs = nextDeadlineMs(entry.group);
    // Heartbeats move deadlines without moving the alarm: most alarms ring too early and are only set again.
    if (deadlineMs > now.monotonicMs) return this.options.alarms.set(entry.alarm, deadlineMs);
    const decision = decide(entry.group, { type: 'tick' }, now, this.options.settings());
    this.follow(decision, () => this.options.alarms.set(entry.alarm, now.monotonicMs + TICK_RETRY_MS));
  }

  /** Stores, moves on, answers. */
  private follow(decision: ReturnType<typeof decide>, refused: (errorCode: number) => void): void {
    const answer = (): void => {
      for (const reply of decision.replies) this.deliver(reply);
    };
    const fail = (errorCode: number): void => {
      for (const { token } of decision.replies) this.fail(token, errorCode);
    };
    if (decision.records.length === 0) {
      this.put(decision.group);
      return this.log.afterWrites(answer, fail);
    }
    this.write(decision.records, undefined, {
      applied: () => this.put(decision.group),
      stored: answer,
      refused,
      failed: fail,
    });
  }

  private deliver(reply: GroupReply): void {
    const waiter = this.waiters.get(reply.token);
    this.waiters.delete(reply.token);
    waiter?.reply(reply);
  }

  private fail(token: number, logCode: number): void {
    const waiter = this.waiters.get(token);
    this.waiters.delete(token);
    waiter?.fail(clientCode(logCode));
  }

  private write(
    records: readonly StoredRecord[],
    producer: TransactionalProducer | undefined,
    steps: Parameters<GatedLog['write']>[2],
  ): void {
    const options = { nowEpochMs: this.options.clock.now(), timeoutMs: this.options.settings().commitTimeoutMs };
    this.log.write(records.map(encodeStoredRecord), producer ? { ...options, producer } : options, steps);
  }

  private applyOffsets(records: readonly GroupRecord[], producerId: number): void {
    for (const record of records) {
      if (record.type !== 'offset') continue;
      if (producerId === -1) this.offsets.apply(record, record.value);
      else this.offsets.applyTransactional(producerId, record, record.value);
    }
  }

  private applyTombstones(records: readonly StoredRecord[]): void {
    this.applyOffsets(records.filter(isGroupRecord), -1);
    for (const record of records) {
      if (record.type === 'groupMetadata') this.drop(record.groupId);
      if (record.type === 'group') this.consumers.drop(record.groupId);
      if (record.type === 'shareGroup') this.shares.drop(record.groupId);
    }
  }

  /** An accepted write was lost: the state is ahead of the log, so the log is read again. */
  private logFailed(errorCode: number): void {
    const { partition, logger } = this.options;
    logger.error('A write of group state failed after it was accepted', { partition: partition.partition, errorCode });
    if (this.status !== 'active') return;
    this.status = 'loading';
    this.forget(ErrorCode.NOT_COORDINATOR);
    if (!partition.isOnline) return this.close();
    void this.load();
  }

  private forget(errorCode: number): void {
    this.log.close(errorCode);
    for (const groupId of [...this.entries.keys()]) this.drop(groupId);
    this.consumers.clear();
    this.shares.clear();
    this.offsets = new Offsets();
    const waiters = this.waiters;
    this.waiters = new Map();
    for (const waiter of waiters.values()) waiter.fail(errorCode);
  }
}
