/**
 * The state machine of a transactional id: `decide(transaction, command, now, rules)` says what comes next, and does
 * nothing.
 *
 * Guarantees: pure; the same input gives the same decision. The runtime stores the records, applies them, replies and
 * sees to the effects: in that order, or not at all.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { decideAdd, type AddCommand } from './add.js';
import { refuse, type Decision } from './decision.js';
import { decideComplete, decideEnd, decideFence, type EndCommand } from './end.js';
import { decideInit, type InitCommand } from './init.js';
import type { Transaction } from './transaction.js';

/**
 * What a transactional id can be asked to decide. `complete`: its markers are written. `timeOut` and `expire`: time has
 * passed; nothing comes of it when it is not time yet.
 */
export type TransactionCommand =
  | InitCommand
  | AddCommand
  | EndCommand
  | { readonly type: 'complete' }
  | { readonly type: 'timeOut' }
  | { readonly type: 'expire' };

/** Settings that decisions depend on. Milliseconds. */
export interface TransactionRules {
  /** `transaction.max.timeout.ms`. */
  readonly timeoutMaxMs: number;
  /** `transactional.id.expiration.ms`. */
  readonly expirationMs: number;
}

/** See the file comment. `transaction` is null for an id that nobody uses. */
export function decide(
  transaction: Transaction | null,
  command: TransactionCommand,
  nowMs: number,
  rules: TransactionRules,
): Decision {
  switch (command.type) {
    case 'init': {
      const isAllowed = command.timeoutMs > 0 && command.timeoutMs <= rules.timeoutMaxMs;
      return isAllowed ? decideInit(transaction, command, nowMs) : refuse(ErrorCode.INVALID_TRANSACTION_TIMEOUT);
    }
    case 'add':
      return decideAdd(transaction, command, nowMs);
    case 'end':
      return decideEnd(transaction, command, nowMs);
    case 'complete':
      return decideComplete(transaction, nowMs);
    case 'timeOut':
      return transaction !== null && isOverdue(transaction, nowMs)
        ? decideFence(transaction, nowMs)
        : refuse(ErrorCode.NONE);
    case 'expire': {
      const forgets = transaction !== null && isExpired(transaction, nowMs, rules);
      const decision = refuse(ErrorCode.NONE);
      return forgets ? { ...decision, records: [{ id: transaction.id, value: null }] } : decision;
    }
  }
}

/** True when the transaction has been open for longer than its producer allowed. */
export function isOverdue({ state, startMs, timeoutMs }: Transaction, nowMs: number): boolean {
  return state === 'Ongoing' && startMs + timeoutMs < nowMs;
}

/** True when nobody has used the id for so long that it is forgotten. */
export function isExpired(transaction: Transaction, nowMs: number, { expirationMs }: TransactionRules): boolean {
  const { state, lastUpdateMs } = transaction;
  const isIdle = state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort';
  return isIdle && lastUpdateMs <= nowMs - expirationMs;
}
