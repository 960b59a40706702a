/**
 * Produce: append record batches to partitions.
 *
 *   v3  transactional id, record batch format 2     v10  tells the new leader (KIP-951)
 *   v5  log start offset                            v11  may answer TRANSACTION_ABORTABLE (KIP-890)
 *   v7  zstd (KIP-110)                              v12  adds partitions to a transaction by itself (KIP-890)
 *   v8  which record was at fault (KIP-467)         v13  topic ids replace names (KIP-516)
 *   v9  flexible                                    v0-2 existed before Kafka 4.0; brokers advertise but refuse them
 */
import {
  api,
  array,
  struct,
  int16,
  int32,
  offset,
  timestamp,
  string,
  uuid,
  records,
  type RequestOf,
  type ResponseOf,
} from '../schema.js';

/** The Produce API. With acks = 0 there is no response at all. */
export const Produce = api({
  key: 0,
  name: 'Produce',
  versions: [3, 13],
  flexible: 9,

  request: {
    transactionalId: string.orNull().default(null),
    /** -1 all in-sync replicas, 1 the leader, 0 nobody. */
    acks: int16,
    timeoutMs: int32,
    topicData: array({
      name: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitionData: array({
        index: int32,
        /** Exactly one record batch, passed through undecoded. */
        records: records.orNull(),
      }),
    }),
  },

  response: {
    responses: array({
      name: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitionResponses: array({
        index: int32,
        errorCode: int16,
        /** Offset of the first record; -1 on error. */
        baseOffset: offset,
        /** -1 unless the topic stamps records with the time of the append. */
        logAppendTimeMs: timestamp.default(-1),
        logStartOffset: offset.since(5).default(-1).ignorable(),
        recordErrors: array({
          batchIndex: int32,
          batchIndexErrorMessage: string.orNull().default(null),
        })
          .since(8)
          .ignorable(),
        errorMessage: string.orNull().since(8).default(null).ignorable(),
        currentLeader: struct({ leaderId: int32.default(-1), leaderEpoch: int32.default(-1) })
          .since(10)
          .tagged(0),
      }),
    }),
    throttleTimeMs: int32.default(0),
    nodeEndpoints: array({ nodeId: int32, host: string, port: int32, rack: string.orNull().default(null) })
      .since(10)
      .tagged(0),
  },
});

/** A decoded Produce request. */
export type ProduceRequest = RequestOf<typeof Produce>;
/** A decoded Produce response. */
export type ProduceResponse = ResponseOf<typeof Produce>;
