/**
 * InitProducerId: a producer takes over a transactional id, or goes on after an error.
 *
 * Guarantees: whoever had the id before is fenced by a higher epoch; an open transaction is aborted first, and the caller
 * comes back for an epoch that nobody has seen; a repeated request gets the same answer. Source: KIP-98, KIP-360.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { agree, become, NEEDS_PRODUCER_ID, refuse, type Decision } from './decision.js';
import { decideFence } from './end.js';
import { NO_PARTITIONS } from './partition-set.js';
import { isExhausted, NONE_YET, newTransaction, transition, type Transaction } from './transaction.js';

/** The request. `freshProducerId`: one that was never used, or null as long as it is not known whether one is needed. */
export interface InitCommand {
  readonly type: 'init';
  readonly id: string;
  readonly timeoutMs: number;
  /** What the producer believes to be (KIP-360); null when it begins. */
  readonly expected: { readonly producerId: number; readonly producerEpoch: number } | null;
  readonly freshProducerId: number | null;
}

/** May this producer go on with the id? Its epoch is looked at when it is raised. */
function isOwner(transaction: Transaction, { expected }: InitCommand): boolean {
  if (expected === null || transaction.producerEpoch === NONE_YET) return true;
  if (expected.producerId === transaction.producerId) return true;
  // The answer that gave it the new producer id was lost.
  return expected.producerId === transaction.previousProducerId && isExhausted(expected.producerEpoch);
}

/** Decides. `transaction` is null when nobody ever used the id. */
export function decideInit(transaction: Transaction | null, command: InitCommand, nowMs: number): Decision {
  if (transaction === null) {
    if (command.freshProducerId === null) return NEEDS_PRODUCER_ID;
    return raiseEpoch(newTransaction(command.id, command.freshProducerId), command, nowMs);
  }
  if (!isOwner(transaction, command)) return refuse(ErrorCode.PRODUCER_FENCED);
  switch (transaction.state) {
    case 'PrepareCommit':
    case 'PrepareAbort':
      return refuse(ErrorCode.CONCURRENT_TRANSACTIONS);
    case 'Ongoing':
      // The raised epoch is never given to anybody: the caller comes back and gets yet another one.
      return { ...decideFence(transaction, nowMs), reply: refuse(ErrorCode.CONCURRENT_TRANSACTIONS).reply };
    default:
      return takeOver(transaction, command, nowMs);
  }
}

function takeOver(transaction: Transaction, command: InitCommand, nowMs: number): Decision {
  const { expected, freshProducerId } = command;
  const isCurrent = expected === null || expected.producerEpoch === transaction.producerEpoch;
  if (!isExhausted(transaction.producerEpoch) || !isCurrent) return raiseEpoch(transaction, command, nowMs);
  if (freshProducerId === null) return NEEDS_PRODUCER_ID;
  return begin(transaction, command, nowMs, {
    producerId: freshProducerId,
    producerEpoch: 0,
    lastProducerEpoch: expected === null ? NONE_YET : transaction.producerEpoch,
  });
}

function raiseEpoch(transaction: Transaction, command: InitCommand, nowMs: number): Decision {
  const { producerEpoch, lastProducerEpoch } = transaction;
  const { expected } = command;
  const raised = { producerEpoch: producerEpoch + 1 };
  if (expected === null) return begin(transaction, command, nowMs, { ...raised, lastProducerEpoch: NONE_YET });
  if (producerEpoch === NONE_YET || expected.producerEpoch === producerEpoch) {
    return begin(transaction, command, nowMs, { ...raised, lastProducerEpoch: producerEpoch });
  }
  // The answer was lost and the request repeated: nobody else can have come in between, that would have reset it.
  const isRepeated = expected.producerEpoch === lastProducerEpoch;
  return isRepeated ? agree(transaction) : refuse(ErrorCode.PRODUCER_FENCED);
}

function begin(
  transaction: Transaction,
  { timeoutMs }: InitCommand,
  nowMs: number,
  owner: Partial<Transaction>,
): Decision {
  const clean = { state: 'Empty', timeoutMs, partitions: NO_PARTITIONS, startMs: -1, lastUpdateMs: nowMs } as const;
  return become(transition(transaction, { ...clean, ...owner }));
}
