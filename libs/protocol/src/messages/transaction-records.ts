/**
 * Records of __transaction_state: one per transactional id (KIP-98).
 *
 *   v1  flexible; producer ids and epochs around an epoch that runs out, transactions v2 (KIP-890)
 *
 * Kafka 4.3 writes v0 unless transactions v2 is on. A null value deletes the id.
 */
import { coordinatorRecord, type RecordKeyOf, type RecordValueOf } from '../coordinator-record.js';
import { array, int16, int32, int8, longId, string, timestamp } from '../schema.js';

/** The state of a transactional id. */
export const TransactionLogRecord = coordinatorRecord({
  type: 0,
  name: 'TransactionLog',
  versions: [0, 1],
  flexible: 1,
  key: { transactionalId: string },
  value: {
    producerId: longId,
    previousProducerId: longId.since(1).tagged(0).default(-1),
    nextProducerId: longId.since(1).tagged(1).default(-1),
    producerEpoch: int16,
    nextProducerEpoch: int16.since(1).tagged(3).default(-1),
    transactionTimeoutMs: int32,
    /** 0 empty, 1 ongoing, 2 prepare commit, 3 prepare abort, 4 complete commit, 5 complete abort, 6 dead, 7 fenced. */
    transactionStatus: int8,
    transactionPartitions: array({ topic: string, partitionIds: array(int32) }).orNull(),
    transactionLastUpdateTimestampMs: timestamp,
    transactionStartTimestampMs: timestamp,
    clientTransactionVersion: int16.since(1).tagged(2).default(0),
  },
});

/** A decoded key of {@link TransactionLogRecord}. */
export type TransactionLogKey = RecordKeyOf<typeof TransactionLogRecord>;
/** A decoded value of {@link TransactionLogRecord}. */
export type TransactionLogValue = RecordValueOf<typeof TransactionLogRecord>;
