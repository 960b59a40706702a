/**
 * AddPartitionsToTxn and AddOffsetsToTxn: partitions become part of a transaction, which begins with the first of them;
 * and the question of a partition's leader whether that has happened (KIP-890).
 */
import { ErrorCode } from '@kafka-template/protocol';
import { agree, become, refuse, type Decision } from './decision.js';
import { includesAll, union, type PartitionSet } from './partition-set.js';
import { isEnding, transition, type Transaction } from './transaction.js';

/** The request. */
export interface AddCommand {
  readonly type: 'add';
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly partitions: PartitionSet;
  /** 2 when the leader of the partition asks on behalf of a client that leaves it to the brokers, else 0. */
  readonly clientVersion: number;
}

/** Why this producer may not do anything in the transaction now; 0 when it may. */
function checkProducer(
  transaction: Transaction | null,
  { producerId, producerEpoch }: Pick<AddCommand, 'producerId' | 'producerEpoch'>,
): number {
  if (transaction === null || transaction.producerId !== producerId) return ErrorCode.INVALID_PRODUCER_ID_MAPPING;
  if (transaction.producerEpoch !== producerEpoch) return ErrorCode.PRODUCER_FENCED;
  return isEnding(transaction) ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.NONE;
}

/** Decides. Nothing is stored when the transaction has all of the partitions. */
export function decideAdd(transaction: Transaction | null, command: AddCommand, nowMs: number): Decision {
  const errorCode = checkProducer(transaction, command);
  if (transaction === null || errorCode !== ErrorCode.NONE) return refuse(errorCode);
  const { partitions, clientVersion } = command;
  const isOpen = transaction.state === 'Ongoing';
  if (isOpen && includesAll(transaction.partitions, partitions)) return agree(transaction);
  return become(
    transition(transaction, {
      state: 'Ongoing',
      partitions: union(transaction.partitions, partitions),
      startMs: isOpen ? transaction.startMs : nowMs,
      lastUpdateMs: nowMs,
      clientVersion,
    }),
  );
}

/** Is the partition in the transaction? TRANSACTION_ABORTABLE when it is not. */
export function verifyPartition(
  transaction: Transaction | null,
  producer: Pick<AddCommand, 'producerId' | 'producerEpoch'>,
  place: { readonly topic: string; readonly partition: number },
): number {
  const errorCode = checkProducer(transaction, producer);
  if (transaction === null || errorCode !== ErrorCode.NONE) return errorCode;
  const isAdded = transaction.partitions.get(place.topic)?.has(place.partition) === true;
  return isAdded ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE;
}
