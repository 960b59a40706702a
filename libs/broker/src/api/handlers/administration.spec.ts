import {
  AlterPartitionReassignments,
  AlterReplicaLogDirs,
  ElectLeaders,
  ErrorCode,
  type Api,
  type RequestInput,
} from '@kafka-template/protocol';
import { BROKER_ID, fakeCall, fakeImage, fakePartition, fakeTopic } from '../../testing/fake-services.js';
import type { Handler } from '../handler.js';
import { alterReplicaLogDirs } from './34-alter-replica-log-dirs.js';
import { electLeaders } from './43-elect-leaders.js';
import { alterPartitionReassignments } from './45-alter-partition-reassignments.js';

const { context } = fakeCall(1, fakeImage(fakeTopic('t', {}, { leader: -1 })), { 't-0': fakePartition({}) });

function ask<A extends Api>(handler: Handler, _api: A, request: RequestInput<A>): unknown {
  return handler.handle(request, { ...context, broker: { ...context.broker, dataDir: '/data' } });
}

describe('ElectLeaders', () => {
  const elect = (
    electionType: number,
    topicPartitions: RequestInput<typeof ElectLeaders>['topicPartitions'],
  ): unknown => ask(electLeaders, ElectLeaders, { electionType, topicPartitions });

  it('has nothing to do where there is a leader, and cannot help where there is none', () => {
    const asked = [
      { topic: 't', partitions: [0, 1, 9] },
      { topic: 'nope', partitions: [0] },
    ];
    const codes = (answer: unknown): number[] =>
      (
        answer as { replicaElectionResults: { partitionResult: { errorCode: number }[] }[] }
      ).replicaElectionResults.flatMap(({ partitionResult }) => partitionResult.map(({ errorCode }) => errorCode));
    const { UNKNOWN_TOPIC_OR_PARTITION, ELECTION_NOT_NEEDED } = ErrorCode;
    const unknown = [UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_OR_PARTITION];
    expect(codes(elect(0, asked))).toEqual([ELECTION_NOT_NEEDED, ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE, ...unknown]);
    expect(codes(elect(1, asked))).toEqual([ELECTION_NOT_NEEDED, ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE, ...unknown]);
    expect(codes(elect(7, asked))).toEqual(Array.from({ length: 4 }, () => ErrorCode.INVALID_REQUEST));
  });

  it('tells who asks for everything only what went wrong', () => {
    expect(elect(0, null)).toMatchObject({
      errorCode: 0,
      replicaElectionResults: [{ topic: 't', partitionResult: [{ partitionId: 1 }] }],
    });
  });
});

describe('AlterPartitionReassignments', () => {
  it.each([
    ['t', 0, [BROKER_ID], 0, null],
    ['t', 0, null, 85, null],
    ['t', 0, [], 39, 'The manual partition assignment includes an empty replica list.'],
    ['t', 0, [1, 1], 39, 'The manual partition assignment includes the broker 1 more than once.'],
    ['t', 0, [7], 39, 'The manual partition assignment includes broker 7, but no such broker is registered.'],
    ['t', 0, [1, 2], 38, 'The replication factor is changed from 1 to 2'],
    ['t', 0, [2], 39, 'This broker does not move partitions: they stay on the brokers they were created on.'],
    ['t', 5, [1], 3, 'Unable to find partition t:5.'],
    ['nope', 0, [1], 3, 'Unable to find a topic named nope.'],
  ])('%s-%i to %j is %i', (name, partitionIndex, replicas, errorCode, errorMessage) => {
    const topics = [{ name, partitions: [{ partitionIndex, replicas }] }];
    const request = { topics, allowReplicationFactorChange: false };
    expect(ask(alterPartitionReassignments, AlterPartitionReassignments, request)).toMatchObject({
      errorCode: 0,
      responses: [{ name, partitions: [{ partitionIndex, errorCode, errorMessage }] }],
    });
  });
});

describe('AlterReplicaLogDirs', () => {
  it('knows one directory, in which everything is', () => {
    const topics = [{ name: 't', partitions: [0, 1] }];
    const dirs = ['/data', '/other'].map((path) => ({ path, topics }));
    expect(ask(alterReplicaLogDirs, AlterReplicaLogDirs, { dirs })).toEqual({
      results: [
        [ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
        [ErrorCode.LOG_DIR_NOT_FOUND, ErrorCode.LOG_DIR_NOT_FOUND],
      ].map((codes) => ({
        topicName: 't',
        partitions: codes.map((errorCode, partitionIndex) => ({ partitionIndex, errorCode })),
      })),
    });
  });
});
