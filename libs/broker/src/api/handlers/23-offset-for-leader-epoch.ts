/**
 * OffsetForLeaderEpoch: v2–v4.
 *
 * Where an epoch ends in our log: consumers compare it with their position after a change of leaders, to notice that
 * records they read were lost. An epoch we know nothing about is -1, -1 without an error (KIP-320).
 */
import { ErrorCode, OffsetForLeaderEpoch, type ResponseInput } from '@kafka-template/protocol';
import type { BrokerServices } from '../context.js';
import { handler } from '../handler.js';
import { locateLeader } from '../leader.js';

type Row = ResponseInput<typeof OffsetForLeaderEpoch>['topics'][number]['partitions'][number];

/** See the head of this file. */
export const offsetForLeaderEpoch = handler(OffsetForLeaderEpoch, { versions: [2, 4] }, (request, { broker }) => ({
  topics: request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) =>
      endOf(broker, topic, partition, currentLeaderEpoch, leaderEpoch),
    ),
  })),
}));

function endOf(broker: BrokerServices, topic: string, index: number, currentEpoch: number, epoch: number): Row {
  const located = locateLeader(broker, broker.controller.image.topic(topic), index, currentEpoch);
  if (!('partition' in located)) return { partition: index, errorCode: located.errorCode };
  const { leaderEpoch, endOffset } = located.partition.epochEndOffset(epoch);
  return { partition: index, errorCode: ErrorCode.NONE, leaderEpoch, endOffset };
}
