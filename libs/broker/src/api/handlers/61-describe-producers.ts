/**
 * DescribeProducers: v0.
 *
 * The producers that a partition remembers, with the offset where their open transaction begins.
 */
import { DescribeProducers, ErrorCode, type ResponseInput } from '@kafka-template/protocol';
import type { ProducerEntry } from '../../replication/partition.js';
import type { RequestContext } from '../context.js';
import { handler } from '../handler.js';
import { locateLeader, NO_EPOCH } from '../leader.js';

type Row = ResponseInput<typeof DescribeProducers>['topics'][number]['partitions'][number];
type Producer = Row['activeProducers'][number];

/** See the head of this file. */
export const describeProducers = handler(DescribeProducers, { versions: [0, 0] }, (request, context) => ({
  topics: request.topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => describe(name, partitionIndex, context)),
  })),
}));

function describe(topic: string, partitionIndex: number, { broker }: RequestContext): Row {
  const located = locateLeader(broker, broker.controller.image.topic(topic), partitionIndex, NO_EPOCH);
  if (!('partition' in located)) return { partitionIndex, errorCode: located.errorCode, activeProducers: [] };
  const activeProducers = [...located.partition.producers()].map(producerOf);
  return { partitionIndex, errorCode: ErrorCode.NONE, activeProducers };
}

function producerOf(entry: Readonly<ProducerEntry>): Producer {
  return {
    producerId: entry.producerId,
    producerEpoch: entry.epoch,
    lastSequence: entry.batches.at(-1)?.lastSequence ?? -1,
    lastTimestamp: entry.lastTimestamp,
    coordinatorEpoch: entry.coordinatorEpoch,
    currentTxnStartOffset: entry.currentTransactionFirstOffset,
  };
}
