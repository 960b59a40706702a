/**
 * ElectLeaders: v0–v2.
 *
 * A partition of one replica has the leader that it can have: there is never anything to elect, and the answer is
 * Kafka's for that. A partition without a leader stays so until the broker of its replica comes back.
 */
import { ElectLeaders, ErrorCode } from '@kafka-template/protocol';
import type { ClusterImage, PartitionImage } from '../../cluster/image.js';
import { handler } from '../handler.js';

const PREFERRED = 0;
const UNCLEAN = 1;

interface Result {
  readonly partitionId: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/** See the head of this file. */
export const electLeaders = handler(ElectLeaders, { versions: [0, 2] }, (request, { broker }) => {
  const { electionType, topicPartitions } = request;
  const { image } = broker.controller;
  if (electionType !== PREFERRED && electionType !== UNCLEAN) {
    const errorCode = ErrorCode.INVALID_REQUEST;
    const errorMessage = `Unknown election type ${electionType}`;
    const replicaElectionResults = (topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode, errorMessage })),
    }));
    return { errorCode, replicaElectionResults };
  }
  const asked = topicPartitions ?? everything(image);
  const results = asked.map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions
      .map((partition) => elect(image, topic, partition, electionType))
      // Who asks for everything wants to know what was done and what went wrong.
      .filter(({ errorCode }) => topicPartitions !== null || errorCode !== ErrorCode.ELECTION_NOT_NEEDED),
  }));
  return { replicaElectionResults: results.filter(({ partitionResult }) => partitionResult.length > 0), errorCode: 0 };
});

function everything(image: ClusterImage): { topic: string; partitions: number[] }[] {
  return [...image.topics()].map(({ name, partitions }) => ({
    topic: name,
    partitions: partitions.map(({ partition }) => partition),
  }));
}

function elect(image: ClusterImage, name: string, partitionId: number, electionType: number): Result {
  const topic = image.topic(name);
  const state: PartitionImage | undefined = topic?.partitions[partitionId];
  if (state === undefined) {
    const missing = topic === undefined ? `topic as ${name}` : `partition as ${name}-${partitionId}`;
    return { partitionId, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: `No such ${missing}` };
  }
  const isDone = electionType === PREFERRED ? state.leader === state.replicas[0] : state.leader >= 0;
  if (isDone) {
    const errorMessage = 'Leader election not needed for topic partition.';
    return { partitionId, errorCode: ErrorCode.ELECTION_NOT_NEEDED, errorMessage };
  }
  const isPreferred = electionType === PREFERRED;
  return {
    partitionId,
    errorCode: isPreferred ? ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE : ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE,
    errorMessage: isPreferred
      ? 'The preferred leader was not available.'
      : 'Eligible topic partition leaders are not available.',
  };
}
