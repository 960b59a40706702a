/**
 * AlterPartitionReassignments: v0–v1.
 *
 * Nothing ever moves on a single broker: replicas that are where they should be are a success, every other place has no
 * broker and is refused in Kafka's words, and there is nothing to cancel.
 */
import { AlterPartitionReassignments, ErrorCode } from '@kafka-template/protocol';
import type { ClusterImage } from '../../cluster/image.js';
import { handler } from '../handler.js';

interface Refusal {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

const DONE: Refusal = { errorCode: ErrorCode.NONE, errorMessage: null };

/** See the head of this file. */
export const alterPartitionReassignments = handler(
  AlterPartitionReassignments,
  { versions: [0, 1] },
  (request, { broker }) => {
    const { allowReplicationFactorChange, topics } = request;
    const { image } = broker.controller;
    return {
      allowReplicationFactorChange,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      responses: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, replicas }) => ({
          partitionIndex,
          ...reassign(image, name, partitionIndex, replicas, allowReplicationFactorChange),
        })),
      })),
    };
  },
);

function reassign(
  image: ClusterImage,
  name: string,
  index: number,
  replicas: readonly number[] | null,
  mayChangeFactor: boolean,
): Refusal {
  const topic = image.topic(name);
  const state = topic?.partitions[index];
  if (state === undefined) {
    const missing = topic === undefined ? `a topic named ${name}` : `partition ${name}:${index}`;
    return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: `Unable to find ${missing}.` };
  }
  if (replicas === null) return { errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, errorMessage: null };
  const complaint = badReplicas(image, replicas);
  if (complaint !== null) {
    const errorMessage = `The manual partition assignment includes ${complaint}`;
    return { errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT, errorMessage };
  }
  const current = state.replicas;
  if (!mayChangeFactor && replicas.length !== current.length) {
    const errorMessage = `The replication factor is changed from ${current.length} to ${replicas.length}`;
    return { errorCode: ErrorCode.INVALID_REPLICATION_FACTOR, errorMessage };
  }
  if (replicas.length === current.length && replicas.every((id, place) => id === current[place])) return DONE;
  const errorMessage = 'This broker does not move partitions: they stay on the brokers they were created on.';
  return { errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT, errorMessage };
}

function badReplicas(image: ClusterImage, replicas: readonly number[]): string | null {
  if (replicas.length === 0) return 'an empty replica list.';
  const twice = replicas.find((id, place) => replicas.indexOf(id) !== place);
  if (twice !== undefined) return `the broker ${twice} more than once.`;
  const unknown = replicas.find((id) => image.broker(id) === undefined);
  return unknown === undefined ? null : `broker ${unknown}, but no such broker is registered.`;
}
