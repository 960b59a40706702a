/**
 * WriteTxnMarkers: v1–v2.
 *
 * From the coordinator of a transaction in another broker, or from kafka-transactions: ends transactions in the partitions
 * that this broker leads.
 */
import { WriteTxnMarkers, type WriteTxnMarkersRequest } from '@kafka-template/protocol';
import type { RequestContext } from '../context.js';
import { handler } from '../handler.js';

type Marker = WriteTxnMarkersRequest['markers'][number];

/** See the head of this file. */
export const writeTxnMarkers = handler(WriteTxnMarkers, { versions: [1, 2] }, async (request, context) => ({
  markers: await Promise.all(request.markers.map((marker) => write(marker, context))),
}));

async function write(marker: Marker, { broker }: RequestContext) {
  const { producerId, producerEpoch, transactionResult: committed, coordinatorEpoch, transactionVersion } = marker;
  const facts = { producerId, producerEpoch, committed, coordinatorEpoch, transactionVersion };
  const topics = marker.topics.map(async ({ name, partitionIndexes }) => ({
    name,
    partitions: await Promise.all(
      partitionIndexes.map(
        (partitionIndex) =>
          new Promise<{ partitionIndex: number; errorCode: number }>((resolve) => {
            broker.markers.write(facts, name, partitionIndex, (errorCode) => resolve({ partitionIndex, errorCode }));
          }),
      ),
    ),
  }));
  return { producerId, topics: await Promise.all(topics) };
}
