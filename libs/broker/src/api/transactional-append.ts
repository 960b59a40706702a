/**
 * Appends batches that belong to a transaction: through the gate, with the codes that a producer understands.
 *
 * Guarantees: a batch that has to wait is copied first, because the request it is in is gone by then.
 * Source: KIP-890; Kafka, `ReplicaManager.handleProduceAppend`.
 */
import {
  BATCH_HEADER_BYTES,
  batchBaseSequence,
  batchProducerEpoch,
  batchProducerId,
  ErrorCode,
  errorName,
  isTransactionalBatch,
} from '@kafka-template/protocol';
import type { AppendOptions, AppendOutcome, Partition } from '../replication/partition.js';
import type { TransactionGate } from './transaction-gate.js';

/** Version of Produce that leaves it to the brokers to add partitions to transactions. */
const ADDS_SINCE_VERSION = 12;
/** Version of Produce that knows TRANSACTION_ABORTABLE. */
const ABORTABLE_SINCE_VERSION = 11;

/** True when the batch has to pass the gate. What is wrong with a batch is the partition's to say. */
export function belongsToTransaction(records: Buffer, { transactionalId }: AppendOptions): boolean {
  const isNamed = (transactionalId ?? null) !== null && records.length >= BATCH_HEADER_BYTES;
  return isNamed && isTransactionalBatch(records) && batchProducerId(records) >= 0;
}

/** Like `partition.append`, after the gate. `records` may be reused on return. */
export function appendToTransaction(
  gate: TransactionGate,
  partition: Partition,
  records: Buffer,
  options: AppendOptions,
  done: (outcome: AppendOutcome) => void,
): void {
  const apiVersion = options.produceVersion ?? 0;
  let bytes = records;
  let hasPassed = false;
  const batch = {
    partition,
    transactionalId: options.transactionalId ?? '',
    producerId: batchProducerId(records),
    producerEpoch: batchProducerEpoch(records),
    baseSequence: batchBaseSequence(records),
    adds: apiVersion >= ADDS_SINCE_VERSION,
  };
  gate.pass(batch, (errorCode, verification) => {
    hasPassed = true;
    if (errorCode !== ErrorCode.NONE) return done(refusal(errorCode, apiVersion));
    partition.append(bytes, verification === undefined ? options : { ...options, verification }, done);
  });
  if (!hasPassed) bytes = Buffer.from(records);
}

function refusal(errorCode: number, apiVersion: number): AppendOutcome {
  const message =
    errorCode === ErrorCode.TRANSACTION_ABORTABLE
      ? 'Partition was not added to the transaction'
      : `The partition could not be entered into the transaction: ${errorName(errorCode)}.`;
  return {
    errorCode: producerCode(errorCode, apiVersion),
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: [],
    errorMessage: message,
  };
}

function producerCode(errorCode: number, apiVersion: number): number {
  switch (errorCode) {
    case ErrorCode.PRODUCER_FENCED:
      return ErrorCode.INVALID_PRODUCER_EPOCH;
    case ErrorCode.TRANSACTION_ABORTABLE:
      return apiVersion >= ABORTABLE_SINCE_VERSION ? errorCode : ErrorCode.INVALID_TXN_STATE;
    case ErrorCode.CONCURRENT_TRANSACTIONS:
      return apiVersion >= ADDS_SINCE_VERSION ? errorCode : ErrorCode.NOT_ENOUGH_REPLICAS;
    // Producers try again after this one, and do not look for another leader.
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.NOT_COORDINATOR:
      return ErrorCode.NOT_ENOUGH_REPLICAS;
    default:
      return errorCode;
  }
}
