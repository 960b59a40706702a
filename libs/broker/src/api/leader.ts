/**
 * Finds the local partition a request means, or the error that says why it is not here.
 *
 * Shared by every handler that works on partitions, so that all of them tell unknown topics, unknown partitions, other
 * leaders and stale epochs apart in the same way. Source: KIP-320 (epochs), KIP-516 (topic ids), KIP-951 (leader hints).
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { BrokerInfo, ClusterImage, TopicImage } from '../cluster/image.js';
import type { Partition } from '../replication/partition.js';
import type { BrokerServices } from './context.js';

/** No check of the leader epoch was asked for. */
export const NO_EPOCH = -1;

/** A partition that this broker leads, or an error code. */
export type Located = { readonly partition: Partition; readonly errorCode: 0 } | { readonly errorCode: number };

/** The topic a request names: by id from the version on in which the API has ids, by name before. */
export function findTopic(
  image: ClusterImage,
  named: { readonly name: string; readonly topicId: string },
  byId: boolean,
): TopicImage | undefined {
  return byId ? image.topicById(named.topicId) : image.topic(named.name);
}

/** The error for a topic that {@link findTopic} did not find. */
export function unknownTopic(byId: boolean): number {
  return byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
}

/** Finds the partition if this broker leads it and `leaderEpoch` (or {@link NO_EPOCH}) is the current one. */
export function locateLeader(
  broker: BrokerServices,
  topic: TopicImage | undefined,
  index: number,
  leaderEpoch: number,
): Located {
  const state = topic?.partitions[index];
  if (topic === undefined || state === undefined) return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION };
  if (state.leader !== broker.brokerId) {
    return { errorCode: state.leader < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NOT_LEADER_OR_FOLLOWER };
  }
  const partition = broker.partitions.get(topic.name, index);
  if (partition === undefined) return { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER };
  if (!partition.isOnline) return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR };
  if (leaderEpoch !== NO_EPOCH && leaderEpoch !== state.leaderEpoch) {
    const isOld = leaderEpoch < state.leaderEpoch;
    return { errorCode: isOld ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH };
  }
  return { partition, errorCode: ErrorCode.NONE };
}

/** Who leads a partition, for clients that asked the wrong broker (KIP-951). */
export interface LeaderHint {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

/** The hint that goes with NOT_LEADER_OR_FOLLOWER and the epoch errors; undefined for any other error. */
export function leaderHint(topic: TopicImage | undefined, index: number, errorCode: number): LeaderHint | undefined {
  if (errorCode !== ErrorCode.NOT_LEADER_OR_FOLLOWER && errorCode !== ErrorCode.FENCED_LEADER_EPOCH) return undefined;
  const state = topic?.partitions[index];
  return state === undefined ? undefined : { leaderId: state.leader, leaderEpoch: state.leaderEpoch };
}

/** Where a node can be reached, in the shape of `nodeEndpoints`. */
export interface NodeEndpoint {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

/** The endpoints of the leaders that were hinted at, each once. */
export function endpointsOf(image: ClusterImage, hints: Iterable<LeaderHint>): NodeEndpoint[] {
  const brokers = new Map<number, BrokerInfo>();
  for (const hint of hints) {
    const broker = image.broker(hint.leaderId);
    if (broker !== undefined) brokers.set(broker.id, broker);
  }
  return [...brokers.values()].map(({ id, host, port, rack }) => ({ nodeId: id, host, port, rack }));
}
