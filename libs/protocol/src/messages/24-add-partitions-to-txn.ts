/**
 * AddPartitionsToTxn: partitions become part of a transaction (KIP-98).
 *
 *   v2  may answer PRODUCER_FENCED    v4  between brokers: several transactions at once, or only a check (KIP-890)
 *   v3  flexible                      v5  may answer TRANSACTION_ABORTABLE
 */
import { api, array, bool, int16, int32, longId, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The AddPartitionsToTxn API. Up to v3 the fields named v3AndBelow, from v4 on the others. */
export const AddPartitionsToTxn = api({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: [0, 5],
  flexible: 3,

  request: {
    transactions: array({
      transactionalId: string,
      producerId: longId,
      producerEpoch: int16,
      /** Only say whether the partitions belong to the transaction already. */
      verifyOnly: bool.default(false),
      topics: array({ name: string, partitions: array(int32) }),
    }).since(4),
    v3AndBelowTransactionalId: string.until(3),
    v3AndBelowProducerId: longId.until(3),
    v3AndBelowProducerEpoch: int16.until(3),
    v3AndBelowTopics: array({ name: string, partitions: array(int32) }).until(3),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16.since(4).ignorable(),
    resultsByTransaction: array({
      transactionalId: string,
      topicResults: array({
        name: string,
        resultsByPartition: array({ partitionIndex: int32, partitionErrorCode: int16 }),
      }),
    }).since(4),
    resultsByTopicV3AndBelow: array({
      name: string,
      resultsByPartition: array({ partitionIndex: int32, partitionErrorCode: int16 }),
    }).until(3),
  },
});

/** A decoded AddPartitionsToTxn request. */
export type AddPartitionsToTxnRequest = RequestOf<typeof AddPartitionsToTxn>;
/** A decoded AddPartitionsToTxn response. */
export type AddPartitionsToTxnResponse = ResponseOf<typeof AddPartitionsToTxn>;
