/**
 * Transactions as DescribeTransactions and ListTransactions show them.
 */
import {
  ErrorCode,
  type DescribeTransactions,
  type ListTransactions,
  type RequestOf,
  type ResponseInput,
} from '@kafka-template/protocol';
import { rowsOf } from './partition-set.js';
import { TRANSACTION_STATES, type Transaction } from './transaction.js';

/** One row of DescribeTransactions. */
export type DescribedTransaction = ResponseInput<typeof DescribeTransactions>['transactionStates'][number];

/** One row of ListTransactions. */
export type ListedTransaction = ResponseInput<typeof ListTransactions>['transactionStates'][number];

/** A transaction in full. */
export function describeTransaction(transaction: Transaction): DescribedTransaction {
  return {
    errorCode: ErrorCode.NONE,
    transactionalId: transaction.id,
    transactionState: transaction.state,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStartTimeMs: transaction.startMs,
    producerId: transaction.producerId,
    producerEpoch: transaction.producerEpoch,
    topics: rowsOf(transaction.partitions),
  };
}

/** A row without a transaction. */
export function undescribedTransaction(transactionalId: string, errorCode: number): DescribedTransaction {
  return {
    errorCode,
    transactionalId,
    transactionState: '',
    transactionTimeoutMs: 0,
    transactionStartTimeMs: 0,
    producerId: 0,
    producerEpoch: 0,
    topics: [],
  };
}

/** Which transactions a request wants; an empty filter lets everything through. */
export type TransactionFilter = (transaction: Transaction) => boolean;

/** States that nobody can have. Source: Kafka lists them back to who asked for them. */
export function unknownStates(names: readonly string[]): string[] {
  return names.filter((name) => !Object.hasOwn(TRANSACTION_STATES, name));
}

/** Constructs of other dialects that RE2, which Kafka uses, does not have: look-around and back references. */
const BEYOND_RE2 = /\(\?<?[=!]|\\[1-9]|\\k</;

/** The filter of a request, or null when its pattern is no regular expression. Source: KIP-664, KIP-994, KIP-1152. */
export function filterOf(request: RequestOf<typeof ListTransactions>, nowMs: number): TransactionFilter | null {
  const states = new Set<string>(request.stateFilters);
  const producerIds = new Set(request.producerIdFilters);
  const { durationFilter, transactionalIdPattern } = request;
  const pattern =
    transactionalIdPattern === null || transactionalIdPattern === '' ? null : compile(transactionalIdPattern);
  if (pattern === undefined) return null;
  return ({ id, state, producerId, startMs }) => {
    if (state === 'Dead') return false;
    if (producerIds.size > 0 && !producerIds.has(producerId)) return false;
    if (states.size > 0 && !states.has(state)) return false;
    if (durationFilter >= 0 && nowMs - startMs <= durationFilter) return false;
    return pattern === null || pattern.test(id);
  };
}

function compile(pattern: string): RegExp | undefined {
  if (BEYOND_RE2.test(pattern)) return undefined;
  try {
    return new RegExp(`^(?:${pattern})$`, 'u');
  } catch {
    return undefined;
  }
}

/** One row of a list. */
export function listTransaction({ id, producerId, state }: Transaction): ListedTransaction {
  return { transactionalId: id, producerId, transactionState: state };
}
