/**
 * One share partition at work: runs decisions about its records, stores what they come to, and wakes whoever waits.
 *
 * Guarantees: what is stored goes to the log before the delivery moves on, and answers leave after the log has it; locks
 * are in memory only, so after a restart everything that was not settled is free. Locks that are over are taken back by
 * themselves. Leaves out reading the log: see api/share.
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { Logger } from '../../../io/logger.js';
import { SHARE_FETCH_WAITERS_MAX } from '../../../limits.js';
import type { Partition } from '../../../replication/partition.js';
import { Alarm, type Alarms } from '../../runtime/alarms.js';
import type { ShareKey } from '../state/share-state.js';
import type { ShareStates } from '../state/share-state-coordinator.js';
import { decideAcquire, type AcquireCommand, type Acquired } from './acquire.js';
import {
  isDone,
  nextFetchOffset,
  nextLockDeadlineMs,
  recordsDone,
  recordsInFlight,
  storedBatches,
  withLogStart,
  withRows,
  type Delivery,
  type DeliveryRules,
  type InFlight,
} from './delivery.js';
import { decideAcknowledge, decideExpiry, decideRelease, type AcknowledgedBatch } from './settle.js';

/** Pause before locks that are over are taken back again after the log refused it. */
const EXPIRY_RETRY_MS = 1000;

/** What it needs. */
export interface SharePartitionOptions {
  readonly key: ShareKey;
  readonly partition: Partition;
  readonly stateEpoch: number;
  readonly delivery: Delivery;
  readonly states: ShareStates;
  readonly alarms: Alarms;
  readonly logger: Logger;
  readonly rules: () => DeliveryRules;
  /** Monotonic. */
  readonly nowMs: () => number;
}

/** Who waits for an outcome: Kafka's code, and its text or null. */
export type SettleDone = (errorCode: number, errorMessage: string | null) => void;

/** See the file comment. */
export class SharePartition {
  private delivery: Delivery;
  private readonly alarm = new Alarm(() => this.expire());
  private readonly waiters = new Set<() => void>();
  private closed = false;

  constructor(private readonly options: SharePartitionOptions) {
    this.delivery = options.delivery;
  }

  get key(): ShareKey {
    return this.options.key;
  }

  /** The log. */
  get partition(): Partition {
    return this.options.partition;
  }

  /** False when what it knows is not the truth any more: it has to be opened anew. */
  get isOpen(): boolean {
    return !this.closed && this.options.partition.isOnline;
  }

  /** What is known of the records now. */
  get state(): Delivery {
    return this.delivery;
  }

  /** Where a fetch should read; null when it could get nothing. */
  fetchOffset(): number | null {
    this.delivery = withLogStart(this.delivery, this.options.partition.logStartOffset);
    const offset = nextFetchOffset(this.delivery);
    const full = recordsInFlight(this.delivery) >= this.options.rules().recordLocksMax;
    return offset >= this.delivery.endOffset && full ? null : offset;
  }

  /** Locks records for a member. Nothing is stored: what is done with at once will be with the next acknowledgement. */
  acquire(command: AcquireCommand): readonly Acquired[] {
    const { rules, nowMs } = this.options;
    const { changed, acquired } = decideAcquire(this.delivery, command, rules(), nowMs());
    if (changed.length > 0) this.apply(changed);
    return acquired;
  }

  /** What a member says about records it has. */
  acknowledge(memberId: string, batches: readonly AcknowledgedBatch[], done: SettleDone): void {
    const { rules, nowMs } = this.options;
    const decision = decideAcknowledge(this.delivery, { memberId, batches }, rules(), nowMs());
    if (decision.errorCode !== ErrorCode.NONE) return done(decision.errorCode, decision.errorMessage);
    this.store(decision.changed, done);
  }

  /** Frees whatever a member has. */
  release(memberId: string, done: SettleDone = () => undefined): void {
    this.store(decideRelease(this.delivery, memberId, this.options.rules()), done);
  }

  /** Calls `wake` once, when something may be free that was not; returns how to take that back. */
  whenFree(wake: () => void): () => void {
    if (this.closed || this.waiters.size >= SHARE_FETCH_WAITERS_MAX) {
      wake();
      return () => undefined;
    }
    this.waiters.add(wake);
    return () => this.waiters.delete(wake);
  }

  /** Nothing is decided here any more. Whoever waits looks again. */
  close(): void {
    this.closed = true;
    this.options.alarms.clear(this.alarm);
    this.wake();
  }

  private store(changed: readonly InFlight[], done: SettleDone): void {
    const batches = storedBatches(changed);
    if (batches.length === 0) {
      this.apply(changed);
      return done(ErrorCode.NONE, null);
    }
    if (this.closed) return done(ErrorCode.NOT_LEADER_OR_FOLLOWER, null);
    const { states, key, stateEpoch, partition } = this.options;
    const next = withRows(this.delivery, changed);
    const command = {
      stateEpoch,
      leaderEpoch: partition.leaderEpoch,
      startOffset: next.startOffset,
      deliveryCompleteCount: recordsDone(next),
      batches: batches.filter(({ lastOffset }) => lastOffset >= next.startOffset),
    };
    states.update(key, command, {
      applied: () => this.apply(changed),
      stored: () => done(ErrorCode.NONE, null),
      refused: (errorCode) => {
        // Somebody else has moved the start, or leads: what is here is old.
        if (errorCode === ErrorCode.FENCED_STATE_EPOCH || errorCode === ErrorCode.FENCED_LEADER_EPOCH) this.close();
        done(errorCode, null);
      },
      failed: (errorCode) => done(errorCode, null),
    });
  }

  private apply(changed: readonly InFlight[]): void {
    this.delivery = withRows(this.delivery, changed);
    if (this.closed) return;
    this.options.alarms.set(this.alarm, nextLockDeadlineMs(this.delivery));
    // Also what is done with makes room: the number of records in flight is bounded.
    if (changed.some((row) => isDone(row) || row.memberId === '')) this.wake();
  }

  private wake(): void {
    const waiters = [...this.waiters];
    this.waiters.clear();
    for (const wake of waiters) wake();
  }

  private expire(): void {
    const { rules, nowMs, logger, key, alarms } = this.options;
    const over = decideExpiry(this.delivery, rules(), nowMs());
    if (over.length === 0) return alarms.set(this.alarm, nextLockDeadlineMs(this.delivery));
    logger.debug('Locks on records of a share group are over', { ...key, batches: over.length });
    this.store(over, (errorCode) => {
      if (errorCode !== ErrorCode.NONE && !this.closed) alarms.set(this.alarm, nowMs() + EXPIRY_RETRY_MS);
    });
  }
}
