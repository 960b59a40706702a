/**
 * What a decision of the transaction coordinator comes to, and how decisions say it.
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { TransactionRecord } from './records.js';
import { NONE_YET, type Transaction } from './transaction.js';

/** The answer to whoever asked. Id and epoch are -1 unless the request asks for them. */
export interface TransactionReply {
  /** Kafka's, in its newest form: older versions of a message may have to be told another one. */
  readonly errorCode: number;
  readonly producerId: number;
  readonly producerEpoch: number;
}

/**
 * What is to be done besides. `allocateProducerId`: nothing was decided, ask again with a fresh producer id.
 * `writeMarkers`: once the record is in the log, the partitions of the transaction have to be told how it ended.
 */
export type TransactionEffect = 'allocateProducerId' | 'writeMarkers';

/** The records are to be in the log before the reply is given and the effects happen. */
export interface Decision {
  readonly records: readonly TransactionRecord[];
  readonly reply: TransactionReply;
  readonly effects: readonly TransactionEffect[];
}

/** Nothing changes. */
export function refuse(errorCode: number): Decision {
  return { records: [], reply: { errorCode, producerId: NONE_YET, producerEpoch: NONE_YET }, effects: [] };
}

/** Nothing changes, because it is so already. */
export function agree({ producerId, producerEpoch }: Pick<Transaction, 'producerId' | 'producerEpoch'>): Decision {
  return { records: [], reply: { errorCode: ErrorCode.NONE, producerId, producerEpoch }, effects: [] };
}

/** A fresh producer id is needed first. */
export const NEEDS_PRODUCER_ID: Decision = {
  ...refuse(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS),
  effects: ['allocateProducerId'],
};

/** The transaction becomes `next`. */
export function become(next: Transaction, effects: readonly TransactionEffect[] = []): Decision {
  return { ...agree(next), records: [{ id: next.id, value: next }], effects };
}
