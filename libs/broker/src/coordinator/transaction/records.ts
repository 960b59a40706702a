/**
 * The records of `__transaction_state` as bytes and back, byte for byte as Kafka 4.3 writes them.
 *
 * Guarantees: key version 0; value version 1 (transactions v2), versions 0 and 1 are read; a null value deletes the id;
 * records of other kinds are recognised and skipped. The epoch a repeated request may carry is not stored.
 */
import {
  decodeRecordKey,
  decodeRecordValue,
  encodeRecordKey,
  encodeRecordValue,
  recordTypeOf,
  TransactionLogRecord,
} from '@kafka-template/protocol';
import type { LogRecord } from '../runtime/gated-log.js';
import { NO_PARTITIONS, partitionSet, rowsOf } from './partition-set.js';
import { NONE_YET, TRANSACTION_STATES, type Transaction, type TransactionStateName } from './transaction.js';

/** What happened to a transactional id: its next value, or null when it is forgotten. */
export interface TransactionRecord {
  readonly id: string;
  readonly value: Transaction | null;
}

const VALUE_VERSION = 1;

const STATE_NAMES = new Map(
  Object.entries(TRANSACTION_STATES).map(([name, number]) => [number as number, name as TransactionStateName]),
);

/** The only way a coordinator's state changes, while it runs and when it reads its log. */
export function apply(transactions: Map<string, Transaction>, { id, value }: TransactionRecord): void {
  if (value === null) transactions.delete(id);
  else transactions.set(id, value);
}

/** A record as bytes. */
export function encodeTransactionRecord({ id, value }: TransactionRecord): LogRecord {
  const key = encodeRecordKey(TransactionLogRecord, { transactionalId: id });
  if (value === null) return { key, value: null };
  const partitions = rowsOf(value.partitions).map((row) => ({ topic: row.topic, partitionIds: row.partitions }));
  const fields = {
    producerId: value.producerId,
    previousProducerId: value.previousProducerId,
    nextProducerId: value.nextProducerId,
    producerEpoch: value.producerEpoch,
    transactionTimeoutMs: value.timeoutMs,
    transactionStatus: TRANSACTION_STATES[value.state],
    transactionPartitions: value.state === 'Empty' ? null : partitions,
    transactionLastUpdateTimestampMs: value.lastUpdateMs,
    transactionStartTimestampMs: value.startMs,
    clientTransactionVersion: value.clientVersion,
  };
  return { key, value: encodeRecordValue(TransactionLogRecord, VALUE_VERSION, fields) };
}

/** A record from bytes; null for a kind this coordinator does not keep. Throws a `ProtocolError` on damaged bytes. */
export function decodeTransactionRecord(key: Buffer, value: Buffer | null): TransactionRecord | null {
  if (recordTypeOf(key) !== TransactionLogRecord.type) return null;
  const { transactionalId: id } = decodeRecordKey(TransactionLogRecord, key);
  if (value === null) return { id, value: null };
  const stored = decodeRecordValue(TransactionLogRecord, value);
  const state = STATE_NAMES.get(stored.transactionStatus);
  if (state === undefined) return null;
  const rows = (stored.transactionPartitions ?? []).map(({ topic, partitionIds }) => ({
    topic,
    partitions: partitionIds,
  }));
  return {
    id,
    value: {
      id,
      state,
      producerId: stored.producerId,
      previousProducerId: stored.previousProducerId,
      nextProducerId: stored.nextProducerId,
      producerEpoch: stored.producerEpoch,
      lastProducerEpoch: NONE_YET,
      timeoutMs: stored.transactionTimeoutMs,
      partitions: rows.length === 0 ? NO_PARTITIONS : partitionSet(rows),
      startMs: stored.transactionStartTimestampMs,
      lastUpdateMs: stored.transactionLastUpdateTimestampMs,
      clientVersion: stored.clientTransactionVersion,
    },
  };
}
