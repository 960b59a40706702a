/**
 * AddPartitionsToTxn: v0–v5.
 *
 * Up to v3 from a producer: all partitions become part of its transaction, or none. From v4 on from the leaders of
 * partitions: several transactions at once, each added to or only asked about (KIP-890).
 */
import {
  AddPartitionsToTxn,
  ErrorCode,
  type AddPartitionsToTxnRequest,
  type ResponseInput,
} from '@kafka-template/protocol';
import type { ClusterImage } from '../../cluster/image.js';
import { partitionSet } from '../../coordinator/transaction/partition-set.js';
import { TRANSACTIONS_V2 } from '../../coordinator/transaction/transaction.js';
import type { RequestContext } from '../context.js';
import { fromCallback } from '../groups.js';
import { handler } from '../handler.js';
import { codeAt } from '../transaction-codes.js';

type Response = ResponseInput<typeof AddPartitionsToTxn>;
type TopicResult = NonNullable<Response['resultsByTopicV3AndBelow']>[number];
type Transaction = AddPartitionsToTxnRequest['transactions'][number];
type Topics = Transaction['topics'];

const BATCHED_SINCE_VERSION = 4;
/** Brokers, which send version 4 and later, know TRANSACTION_ABORTABLE from the beginning; producers never get it here. */
const CODES = { fencedSince: 2, abortableSince: BATCHED_SINCE_VERSION };

/** See the head of this file. */
export const addPartitionsToTxn = handler(AddPartitionsToTxn, { versions: [0, 5] }, async (request, context) => {
  if (context.apiVersion < BATCHED_SINCE_VERSION) {
    const transaction = {
      transactionalId: request.v3AndBelowTransactionalId,
      producerId: request.v3AndBelowProducerId,
      producerEpoch: request.v3AndBelowProducerEpoch,
      verifyOnly: false,
      topics: request.v3AndBelowTopics,
    };
    return { resultsByTopicV3AndBelow: await results(transaction, 0, context) };
  }
  const resultsByTransaction = request.transactions.map(async (transaction) => ({
    transactionalId: transaction.transactionalId,
    topicResults: await results(transaction, TRANSACTIONS_V2, context),
  }));
  return { errorCode: ErrorCode.NONE, resultsByTransaction: await Promise.all(resultsByTransaction) };
});

async function results(
  transaction: Transaction,
  clientVersion: number,
  context: RequestContext,
): Promise<TopicResult[]> {
  const { topics, transactionalId: id, producerId, producerEpoch } = transaction;
  const { image } = context.broker.controller;
  const missing = (topic: string, index: number): boolean => !exists(image, topic, index);
  if (topics.some(({ name, partitions }) => partitions.some((index) => missing(name, index)))) {
    return rows(topics, (topic, index) =>
      missing(topic, index) ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.OPERATION_NOT_ATTEMPTED,
    );
  }
  if (transaction.verifyOnly) return verified(transaction, context);
  const partitions = partitionSet(topics.map((row) => ({ topic: row.name, partitions: row.partitions })));
  const reply = await fromCallback<{ errorCode: number }>((done) =>
    context.broker.transactions.add({ id, producerId, producerEpoch, partitions, clientVersion }, done),
  );
  const errorCode = codeAt(reply.errorCode, context.apiVersion, CODES);
  return rows(topics, () => errorCode);
}

async function verified(transaction: Transaction, { broker, apiVersion }: RequestContext): Promise<TopicResult[]> {
  const { topics, transactionalId: id, producerId, producerEpoch } = transaction;
  const codes = new Map<string, number>();
  const questions = topics.flatMap(({ name: topic, partitions }) =>
    partitions.map(async (partition) => {
      const { errorCode } = await fromCallback<{ errorCode: number }>((done) =>
        broker.transactions.enter({ id, producerId, producerEpoch, topic, partition, adds: false }, (code) =>
          done({ errorCode: id === '' ? ErrorCode.INVALID_REQUEST : code }),
        ),
      );
      codes.set(`${topic} ${partition}`, codeAt(errorCode, apiVersion, CODES));
    }),
  );
  await Promise.all(questions);
  return rows(topics, (topic, index) => codes.get(`${topic} ${index}`) ?? ErrorCode.UNKNOWN_SERVER_ERROR);
}

function exists(image: ClusterImage, topic: string, index: number): boolean {
  return image.topic(topic)?.partitions[index] !== undefined;
}

function rows(topics: Topics, codeOf: (topic: string, index: number) => number): TopicResult[] {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: codeOf(name, partitionIndex),
    })),
  }));
}
