/**
 * One transactional id without a coordinator around it: commands in, records applied, time as the test sets it.
 *
 * Every record goes through its bytes, so that what a coordinator reads after a crash is what was decided before.
 */
import { decide, type TransactionCommand, type TransactionRules } from './decide.js';
import type { Decision } from './decision.js';
import { partitionSet, type PartitionSet } from './partition-set.js';
import { apply, decodeTransactionRecord, encodeTransactionRecord } from './records.js';
import { NONE_YET, type Transaction } from './transaction.js';

/** The one id. */
export const ID = 'tx';

/** Limits of the play, in milliseconds. */
export const RULES: TransactionRules = { timeoutMaxMs: 900_000, expirationMs: 604_800_000 };

/** Timeout of its transactions, in milliseconds. */
export const TIMEOUT_MS = 60_000;

/** See the file comment. */
export class TransactionPlay {
  nowMs = 1_000_000;
  lastDecision: Decision | null = null;
  private readonly transactions = new Map<string, Transaction>();
  private freshProducerId = 100;

  /** The id as it is, or null. */
  get transaction(): Transaction | null {
    return this.transactions.get(ID) ?? null;
  }

  /** Decides and applies; a fresh producer id is given when one is asked for. */
  run(command: TransactionCommand): Decision {
    let decision = decide(this.transaction, command, this.nowMs, RULES);
    if (decision.effects.includes('allocateProducerId')) {
      const fresh = { ...command, freshProducerId: this.freshProducerId++ } as TransactionCommand;
      decision = decide(this.transaction, fresh, this.nowMs, RULES);
    }
    for (const record of decision.records) {
      const { key, value } = encodeTransactionRecord(record);
      const read = decodeTransactionRecord(key, value);
      const stored = record.value && { ...record.value, lastProducerEpoch: NONE_YET };
      expect(read).toEqual({ id: record.id, value: stored });
      apply(this.transactions, record);
    }
    this.lastDecision = decision;
    return decision;
  }

  init(
    expected: { producerId: number; producerEpoch: number } | null = null,
    options: { timeoutMs?: number } = {},
  ): Decision {
    const { timeoutMs = TIMEOUT_MS } = options;
    return this.run({ type: 'init', id: ID, timeoutMs, expected, freshProducerId: null });
  }

  /** Adds partition `partition` of topic `t` as the owner, unless told otherwise. */
  add(partition = 0, owner: { producerId?: number; producerEpoch?: number; clientVersion?: number } = {}): Decision {
    const partitions: PartitionSet = partitionSet([{ topic: 't', partitions: [partition] }]);
    return this.run({ type: 'add', partitions, clientVersion: 0, ...this.owner, ...owner });
  }

  /** Ends as the owner, unless told otherwise. */
  end(committed: boolean, clientVersion: 0 | 2, owner: { producerId?: number; producerEpoch?: number } = {}): Decision {
    return this.run({ type: 'end', committed, clientVersion, freshProducerId: null, ...this.owner, ...owner });
  }

  complete(): Decision {
    return this.run({ type: 'complete' });
  }

  /** Producer id and epoch that the id has now. */
  get owner(): { producerId: number; producerEpoch: number } {
    const { producerId = 0, producerEpoch = 0 } = this.transaction ?? {};
    return { producerId, producerEpoch };
  }

  /** Puts the epoch just before a certain one, as if it had been raised for years. */
  setEpoch(producerEpoch: number): void {
    if (this.transaction) apply(this.transactions, { id: ID, value: { ...this.transaction, producerEpoch } });
  }

  /** What a coordinator knows that has read its log anew. */
  restart(): void {
    if (this.transaction)
      apply(this.transactions, { id: ID, value: { ...this.transaction, lastProducerEpoch: NONE_YET } });
  }
}
