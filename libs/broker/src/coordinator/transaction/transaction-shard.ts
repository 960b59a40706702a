/**
 * The transactional ids of one partition of `__transaction_state`: loads them, runs decisions, stores what they say,
 * answers, and sees every ended transaction through to its last marker.
 *
 * Guarantees: records go to the log before the state moves on; answers and markers leave after the log has them; what was
 * decided before a crash is carried out after it. When the log fails after it had accepted a write, the shard forgets
 * everything and loads again: what is in the log is what is true.
 * Leaves out which id belongs here, and the forms of the answers: see transaction-coordinator.ts.
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { Clock } from '../../io/clock.js';
import type { Logger } from '../../io/logger.js';
import { COORDINATOR_RECORDS_PER_BATCH_MAX, TRANSACTION_WAITERS_MAX } from '../../limits.js';
import type { EndMarker, Partition } from '../../replication/partition.js';
import { Alarm, type Alarms } from '../runtime/alarms.js';
import { GatedLog } from '../runtime/gated-log.js';
import { replay } from '../runtime/replay.js';
import { clientCode, type ShardStatus } from '../runtime/shard.js';
import { verifyPartition, type AddCommand } from './add.js';
import { decide, isExpired, isOverdue, type TransactionCommand } from './decide.js';
import type { Decision, TransactionReply } from './decision.js';
import { MARKER_RETRY_MS, type MarkerRound } from './marker-sender.js';
import { apply, decodeTransactionRecord, encodeTransactionRecord, type TransactionRecord } from './records.js';
import { isEnding, type Transaction } from './transaction.js';
import type { TransactionSettings } from './transaction-settings.js';

/** How long a request that finds its transaction ending waits for the end before it is told to come again. */
export const ENDING_WAIT_MS = 250;

/** How long a write may wait for other replicas, in milliseconds. Source: Kafka, `request.timeout.ms`. */
const WRITE_TIMEOUT_MS = 30_000;

/** What a shard needs from its coordinator. */
export interface TransactionShardOptions {
  readonly partition: Partition;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly alarms: Alarms;
  readonly settings: () => TransactionSettings;
  /** Makes what tells the partitions of a transaction; `done` is called when all of them know. */
  readonly markers: (marker: EndMarker, done: () => void) => MarkerRound;
}

/** Who waits for the answer to a command. Exactly one is called. */
export interface TransactionWaiter {
  reply(reply: TransactionReply): void;
  /** Kafka's code for the client. */
  fail(errorCode: number): void;
  /** Nothing was decided: a producer id nobody has used is needed. Only for commands that can need one. */
  needsProducerId?(): void;
}

interface Parked {
  readonly command: TransactionCommand;
  readonly waiter: TransactionWaiter;
  readonly alarm: Alarm;
}

const NOBODY: TransactionWaiter = { reply: () => undefined, fail: () => undefined };

/** See the file comment. */
export class TransactionShard {
  status: ShardStatus = 'loading';
  private transactions = new Map<string, Transaction>();
  private readonly rounds = new Map<string, MarkerRound>();
  private readonly retries = new Map<string, Alarm>();
  private readonly parked = new Map<string, Parked[]>();
  private parkedCount = 0;
  private log: GatedLog;
  private loads = 0;
  private readonly coordinatorEpoch: number;

  constructor(private readonly options: TransactionShardOptions) {
    this.coordinatorEpoch = options.partition.leaderEpoch;
    this.log = this.openLog();
  }

  /** True when this shard is about the partition as it is led now. */
  serves(partition: Partition): boolean {
    const same = partition === this.options.partition && partition.leaderEpoch === this.coordinatorEpoch;
    return same && this.status !== 'closed';
  }

  /** Reads the partition; `active` after it, unless the shard was closed meanwhile or the partition cannot be read. */
  async load(): Promise<void> {
    const { partition, clock, logger, settings } = this.options;
    const load = ++this.loads;
    const cancelled = (): boolean => this.status === 'closed' || load !== this.loads;
    const transactions = new Map<string, Transaction>();
    const target = {
      record: (key: Buffer, value: Buffer | null): void => {
        const record = decodeTransactionRecord(key, value);
        if (record) apply(transactions, record);
      },
      transactionEnd: (): void => undefined,
    };
    try {
      await replay(partition, { maxBytes: settings().loadBytes, clock, cancelled }, target);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.error('Transactions could not be loaded', { partition: partition.partition, reason });
      return this.close();
    }
    if (cancelled()) return;
    this.transactions = transactions;
    this.log = this.openLog();
    this.status = 'active';
    // What was decided before is carried out now: some partitions may have their marker already, some not.
    for (const transaction of transactions.values()) if (isEnding(transaction)) this.writeMarkers(transaction.id);
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

  get(id: string): Transaction | undefined {
    return this.transactions.get(id);
  }

  /** All transactional ids of this partition, in no particular order. */
  all(): Iterable<Transaction> {
    return this.transactions.values();
  }

  /** Decides a command. One that has to wait for the end of its transaction waits here for a moment. */
  run(id: string, command: TransactionCommand, waiter: TransactionWaiter): void {
    const transaction = this.transactions.get(id) ?? null;
    const decision = this.decide(transaction, command);
    if (decision.effects.includes('allocateProducerId')) return waiter.needsProducerId?.();
    const mustWait = decision.reply.errorCode === ErrorCode.CONCURRENT_TRANSACTIONS && decision.records.length === 0;
    if (mustWait && this.park(id, command, waiter)) return;
    this.follow(id, decision, waiter);
  }

  /** Does the partition belong to the transaction? `done` gets the code, once what it depends on is stored. */
  verify(
    id: string,
    producer: Pick<AddCommand, 'producerId' | 'producerEpoch'>,
    place: { readonly topic: string; readonly partition: number },
    done: (errorCode: number) => void,
  ): void {
    const errorCode = verifyPartition(this.transactions.get(id) ?? null, producer, place);
    this.log.afterWrites(
      () => done(errorCode),
      (logCode) => done(clientCode(logCode)),
    );
  }

  /** Aborts transactions that have been open for too long. */
  abortOverdue(): void {
    const { clock, logger } = this.options;
    for (const transaction of [...this.transactions.values()]) {
      if (!isOverdue(transaction, clock.now())) continue;
      const { id, timeoutMs } = transaction;
      logger.info('A transaction is aborted because its time is over', { transactionalId: id, timeoutMs });
      this.run(id, { type: 'timeOut' }, NOBODY);
    }
  }

  /** Forgets ids that nobody has used for long. */
  forgetExpired(): void {
    const { clock, logger, settings } = this.options;
    const nowMs = clock.now();
    const expired = [...this.transactions.values()].filter((one) => isExpired(one, nowMs, settings()));
    for (let start = 0; start < expired.length; start += COORDINATOR_RECORDS_PER_BATCH_MAX) {
      const chunk = expired.slice(start, start + COORDINATOR_RECORDS_PER_BATCH_MAX);
      const records = chunk.flatMap((one) => this.decide(one, { type: 'expire' }).records);
      const failed = (errorCode: number): void =>
        logger.warn('Expired transactional ids could not be forgotten', { errorCode });
      this.write(records, { stored: () => undefined, refused: failed, failed });
    }
  }

  private decide(transaction: Transaction | null, command: TransactionCommand): Decision {
    return decide(transaction, command, this.options.clock.now(), this.options.settings());
  }

  private openLog(): GatedLog {
    return new GatedLog(this.options.partition, (errorCode) => this.logFailed(errorCode));
  }

  /** Stores, moves on, answers, carries out. */
  private follow(id: string, decision: Decision, waiter: TransactionWaiter): void {
    const answer = (): void => waiter.reply(decision.reply);
    const fail = (logCode: number): void => waiter.fail(clientCode(logCode));
    if (decision.records.length === 0) return this.log.afterWrites(answer, fail);
    this.write(decision.records, {
      stored: () => {
        answer();
        if (decision.effects.includes('writeMarkers')) this.writeMarkers(id);
      },
      refused: fail,
      failed: fail,
    });
  }

  private write(
    records: readonly TransactionRecord[],
    steps: { stored(): void; refused(logCode: number): void; failed(logCode: number): void },
  ): void {
    const options = { nowEpochMs: this.options.clock.now(), timeoutMs: WRITE_TIMEOUT_MS };
    this.log.write(records.map(encodeTransactionRecord), options, {
      ...steps,
      applied: () => {
        for (const record of records) apply(this.transactions, record);
        for (const { id } of records) this.release(id);
      },
    });
  }

  private writeMarkers(id: string): void {
    const transaction = this.transactions.get(id);
    if (transaction === undefined || this.status !== 'active') return;
    const { producerId, producerEpoch, partitions, clientVersion: transactionVersion, state } = transaction;
    const { coordinatorEpoch } = this;
    const committed = state === 'PrepareCommit';
    const marker = { producerId, producerEpoch, committed, coordinatorEpoch, transactionVersion };
    const round = this.options.markers(marker, () => this.complete(id));
    this.rounds.set(id, round);
    round.start(partitions);
  }

  /** All partitions know. If the log cannot take the record now, it is tried again: nothing else can end it. */
  private complete(id: string): void {
    this.rounds.delete(id);
    this.retries.delete(id);
    this.run(
      id,
      { type: 'complete' },
      {
        reply: () => undefined,
        fail: () => {
          if (this.status !== 'active') return;
          const retry = new Alarm(() => this.complete(id));
          this.retries.set(id, retry);
          this.options.alarms.set(retry, this.options.clock.monotonic() + MARKER_RETRY_MS);
        },
      },
    );
  }

  /** False when too many wait already. */
  private park(id: string, command: TransactionCommand, waiter: TransactionWaiter): boolean {
    if (this.parkedCount >= TRANSACTION_WAITERS_MAX) return false;
    const parked: Parked = { command, waiter, alarm: new Alarm(() => this.giveUp(id, parked)) };
    const others = this.parked.get(id);
    if (others === undefined) this.parked.set(id, [parked]);
    else others.push(parked);
    this.parkedCount += 1;
    this.options.alarms.set(parked.alarm, this.options.clock.monotonic() + ENDING_WAIT_MS);
    return true;
  }

  private giveUp(id: string, parked: Parked): void {
    const others = (this.parked.get(id) ?? []).filter((other) => other !== parked);
    if (others.length > 0) this.parked.set(id, others);
    else this.parked.delete(id);
    this.parkedCount -= 1;
    const transaction = this.transactions.get(id) ?? null;
    this.follow(id, this.decide(transaction, parked.command), parked.waiter);
  }

  /** The transaction has moved on: whoever waited for its end asks again. */
  private release(id: string): void {
    const transaction = this.transactions.get(id);
    const parked = this.parked.get(id);
    if (parked === undefined || (transaction !== undefined && isEnding(transaction))) return;
    this.parked.delete(id);
    this.parkedCount -= parked.length;
    for (const { command, waiter, alarm } of parked) {
      this.options.alarms.clear(alarm);
      this.run(id, command, waiter);
    }
  }

  /** An accepted write was lost: the state is ahead of the log, so the log is read again. */
  private logFailed(errorCode: number): void {
    const { partition, logger } = this.options;
    logger.error('A write of transaction state failed after it was accepted', {
      partition: partition.partition,
      errorCode,
    });
    if (this.status !== 'active') return;
    this.status = 'loading';
    this.forget(ErrorCode.NOT_COORDINATOR);
    if (!partition.isOnline) return this.close();
    void this.load();
  }

  private forget(errorCode: number): void {
    const { alarms } = this.options;
    this.log.close(errorCode);
    for (const round of this.rounds.values()) round.cancel();
    for (const retry of this.retries.values()) alarms.clear(retry);
    this.rounds.clear();
    this.retries.clear();
    this.transactions = new Map();
    const parked = [...this.parked.values()].flat();
    this.parked.clear();
    this.parkedCount = 0;
    for (const { waiter, alarm } of parked) {
      alarms.clear(alarm);
      waiter.fail(errorCode);
    }
  }
}
