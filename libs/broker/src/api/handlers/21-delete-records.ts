/**
 * DeleteRecords: v0–v2.
 *
 * Moves the first readable offset of partitions forward; -1 means up to the high watermark. Answers with the new start,
 * or -1 and an error.
 */
import { DeleteRecords, ErrorCode, type ResponseInput } from '@kafka-template/protocol';
import type { BrokerServices } from '../context.js';
import { handler } from '../handler.js';
import { locateLeader, NO_EPOCH } from '../leader.js';

type Row = ResponseInput<typeof DeleteRecords>['topics'][number]['partitions'][number];

/** See the head of this file. */
export const deleteRecords = handler(DeleteRecords, { versions: [0, 2] }, async (request, { broker }) => {
  const topics = request.topics.map(async ({ name, partitions }) => ({
    name,
    partitions: await Promise.all(
      partitions.map(({ partitionIndex, offset }) => truncate(broker, name, partitionIndex, offset)),
    ),
  }));
  return { topics: await Promise.all(topics) };
});

async function truncate(broker: BrokerServices, topic: string, partitionIndex: number, offset: number): Promise<Row> {
  const located = locateLeader(broker, broker.controller.image.topic(topic), partitionIndex, NO_EPOCH);
  if (!('partition' in located)) return { partitionIndex, lowWatermark: -1, errorCode: located.errorCode };
  const { partition } = located;
  const errorCode = await partition.deleteRecordsBefore(offset);
  return { partitionIndex, lowWatermark: errorCode === ErrorCode.NONE ? partition.logStartOffset : -1, errorCode };
}
