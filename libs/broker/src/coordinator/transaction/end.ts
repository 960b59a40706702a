/**
 * How transactions end: by EndTxn of either version, by a fence, and by the last marker.
 *
 * Guarantees: what was decided stays decided: a repeated EndTxn is told the same, one that wants the opposite is refused.
 * In transactions v2 every end raises the epoch, so that nothing late can reach the next transaction. Source: KIP-98,
 * KIP-890; Kafka, `TransactionCoordinator.endTransaction`.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { agree, become, NEEDS_PRODUCER_ID, refuse, type Decision } from './decision.js';
import { NO_PARTITIONS } from './partition-set.js';
import {
  EPOCH_MAX,
  isEnding,
  isExhausted,
  NONE_YET,
  TRANSACTIONS_V2,
  transition,
  type Transaction,
} from './transaction.js';

/** The request. */
export interface EndCommand {
  readonly type: 'end';
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly committed: boolean;
  /** 2 for EndTxn v5 and later, else 0. */
  readonly clientVersion: number;
  /** See InitCommand: needed when the epoch is used up. */
  readonly freshProducerId: number | null;
}

/** Decides. */
export function decideEnd(transaction: Transaction | null, command: EndCommand, nowMs: number): Decision {
  if (transaction === null) return refuse(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
  return command.clientVersion >= TRANSACTIONS_V2
    ? decideEndV2(transaction, command, nowMs)
    : decideEndV1(transaction, command, nowMs);
}

function decideEndV1(transaction: Transaction, command: EndCommand, nowMs: number): Decision {
  if (transaction.producerId !== command.producerId) return refuse(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
  if (transaction.producerEpoch !== command.producerEpoch) return refuse(ErrorCode.PRODUCER_FENCED);
  const { state } = transaction;
  if (state === 'Ongoing') return prepare(transaction, command.committed, { clientVersion: 0, lastUpdateMs: nowMs });
  if (!isSameEnd(transaction, command)) return refuse(ErrorCode.INVALID_TXN_STATE);
  return isEnding(transaction) ? refuse(ErrorCode.CONCURRENT_TRANSACTIONS) : agree(transaction);
}

function decideEndV2(transaction: Transaction, command: EndCommand, nowMs: number): Decision {
  const { state, producerId, producerEpoch, previousProducerId } = transaction;
  // The answer was lost: the epoch has been raised, or has begun anew with another producer id.
  const hasStartedOver =
    previousProducerId === command.producerId && command.producerEpoch === EPOCH_MAX - 1 && producerEpoch === 0;
  const isRepeated = producerEpoch === command.producerEpoch + 1 || hasStartedOver;
  if (producerId !== command.producerId && !hasStartedOver) return refuse(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
  if (!isValidEpoch(transaction, command, isRepeated)) return refuse(ErrorCode.PRODUCER_FENCED);
  if (state === 'Ongoing') return prepareV2(transaction, command, nowMs);
  if (isEnding(transaction)) {
    return refuse(isSameEnd(transaction, command) ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.INVALID_TXN_STATE);
  }
  if (isRepeated) return isSameEnd(transaction, command) ? agree(transaction) : refuse(ErrorCode.INVALID_TXN_STATE);
  // Nothing was ever added: there is nothing to commit, but a producer that aborts gets its new epoch.
  return command.committed ? refuse(ErrorCode.INVALID_TXN_STATE) : prepareV2(transaction, command, nowMs);
}

function isValidEpoch(transaction: Transaction, command: EndCommand, isRepeated: boolean): boolean {
  const isCurrent = transaction.producerEpoch === command.producerEpoch;
  switch (transaction.state) {
    case 'PrepareCommit':
    case 'PrepareAbort':
      return isRepeated;
    case 'CompleteCommit':
    case 'CompleteAbort':
      return isRepeated || isCurrent;
    default:
      return isCurrent;
  }
}

/** True when the transaction ended, or is ending, as the command wants it to. */
function isSameEnd({ state }: Transaction, { committed }: EndCommand): boolean {
  return committed
    ? state === 'PrepareCommit' || state === 'CompleteCommit'
    : state === 'PrepareAbort' || state === 'CompleteAbort';
}

function prepareV2(transaction: Transaction, command: EndCommand, nowMs: number): Decision {
  const { producerEpoch, state, startMs } = transaction;
  const needsId = isExhausted(producerEpoch);
  if (needsId && command.freshProducerId === null) return NEEDS_PRODUCER_ID;
  const nextProducerId = needsId ? (command.freshProducerId ?? NONE_YET) : NONE_YET;
  const decision = prepare(transaction, command.committed, {
    clientVersion: TRANSACTIONS_V2,
    lastUpdateMs: nowMs,
    producerEpoch: Math.min(producerEpoch + 1, EPOCH_MAX),
    lastProducerEpoch: producerEpoch,
    nextProducerId,
    startMs: state === 'Ongoing' ? startMs : nowMs,
  });
  if (!needsId) return decision;
  return { ...decision, reply: { errorCode: ErrorCode.NONE, producerId: nextProducerId, producerEpoch: 0 } };
}

function prepare(transaction: Transaction, committed: boolean, changes: Partial<Transaction>): Decision {
  const state = committed ? 'PrepareCommit' : 'PrepareAbort';
  return become(transition(transaction, { nextProducerId: NONE_YET, ...changes, state }), ['writeMarkers']);
}

/** Takes an open transaction away from its producer: it is aborted with the next epoch, which nobody ever gets. */
export function decideFence(transaction: Transaction, nowMs: number): Decision {
  return prepare(transaction, false, {
    clientVersion: TRANSACTIONS_V2,
    lastUpdateMs: nowMs,
    producerEpoch: Math.min(transaction.producerEpoch + 1, EPOCH_MAX),
    lastProducerEpoch: NONE_YET,
  });
}

/** Every partition has its marker. */
export function decideComplete(transaction: Transaction | null, nowMs: number): Decision {
  if (transaction === null || !isEnding(transaction)) return refuse(ErrorCode.INVALID_TXN_STATE);
  const { nextProducerId } = transaction;
  const owner = nextProducerId === NONE_YET ? {} : { producerId: nextProducerId, producerEpoch: 0 };
  return become(
    transition(transaction, {
      ...owner,
      state: transaction.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort',
      nextProducerId: NONE_YET,
      partitions: NO_PARTITIONS,
      lastUpdateMs: nowMs,
    }),
  );
}
