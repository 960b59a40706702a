/**
 * One transactional id as its coordinator knows it: who may use it, and how far its transaction is.
 *
 * Guarantees: a value that never changes; every transition is another value, stored as a record before it counts.
 * Source: KIP-98, KIP-360, KIP-890; Kafka, `TransactionMetadata`.
 */
import { NO_PARTITIONS, type PartitionSet } from './partition-set.js';

/**
 * The states and their numbers in records. `Dead` and `PrepareEpochFence` are never stored: an id that dies gets a
 * tombstone, and a fence is a raised epoch in the record of the abort that it causes.
 */
export const TRANSACTION_STATES = {
  Empty: 0,
  Ongoing: 1,
  PrepareCommit: 2,
  PrepareAbort: 3,
  CompleteCommit: 4,
  CompleteAbort: 5,
  Dead: 6,
  PrepareEpochFence: 7,
} as const;

/** Name of a state, as ListTransactions shows it. */
export type TransactionStateName = keyof typeof TRANSACTION_STATES;

/** No producer id, no epoch. */
export const NONE_YET = -1;

/** The largest epoch; only the coordinator itself ever uses it, so that it can always fence. */
export const EPOCH_MAX = 32_767;

/** The version of transactions that raises the epoch at every end (KIP-890). */
export const TRANSACTIONS_V2 = 2;

/** See the file comment. Times are epoch milliseconds. */
export interface Transaction {
  readonly id: string;
  readonly state: TransactionStateName;
  readonly producerId: number;
  /** The producer id before the last transition: a repeated request may still carry it. */
  readonly previousProducerId: number;
  /** The producer id that takes over when this transaction is complete, or -1. */
  readonly nextProducerId: number;
  /** -1 before the first InitProducerId is done. */
  readonly producerEpoch: number;
  /** The epoch a repeated request may still carry, or -1. Not stored, as in Kafka: a coordinator that starts has none. */
  readonly lastProducerEpoch: number;
  readonly timeoutMs: number;
  /** What has to get a marker when the transaction ends. */
  readonly partitions: PartitionSet;
  /** When the first partition was added; -1 before. */
  readonly startMs: number;
  readonly lastUpdateMs: number;
  /** Version of transactions that the client used: 0, or 2. */
  readonly clientVersion: number;
}

/** An id that nobody has initialised yet. `producerId` was never used before. */
export function newTransaction(id: string, producerId: number): Transaction {
  return {
    id,
    state: 'Empty',
    producerId,
    previousProducerId: NONE_YET,
    nextProducerId: NONE_YET,
    producerEpoch: NONE_YET,
    lastProducerEpoch: NONE_YET,
    timeoutMs: 0,
    partitions: NO_PARTITIONS,
    startMs: -1,
    lastUpdateMs: -1,
    clientVersion: 0,
  };
}

/** True when the epoch is used up: the next one would be the coordinator's own. */
export function isExhausted(epoch: number): boolean {
  return epoch >= EPOCH_MAX - 1;
}

/** True while markers are being written. */
export function isEnding({ state }: Transaction): boolean {
  return state === 'PrepareCommit' || state === 'PrepareAbort';
}

/** The next value of a transaction. */
export function transition(before: Transaction, changes: Partial<Transaction>): Transaction {
  return { ...before, previousProducerId: before.producerId, ...changes };
}
