/**
 * Who leads a partition: pure functions of the partition and of which brokers are alive.
 *
 * Guarantees: a leader is alive and, unless the topic allows unclean elections, in sync; every change raises the leader
 * epoch; the in-sync set never becomes empty, so that it still tells who has all data when nobody is alive.
 * Source: Kafka, `PartitionLeaderElectionAlgorithms`.
 */
import type { BrokerInfo, ClusterImage, PartitionImage, TopicImage } from './image.js';

/** A partition nobody has written to: all live replicas are in sync, the first of them leads. */
export function newPartition(partition: number, replicas: readonly number[], image: ClusterImage): PartitionImage {
  const live = replicas.filter((id) => image.broker(id));
  const isr = live.length > 0 ? live : replicas;
  return { partition, leader: live[0] ?? -1, leaderEpoch: 0, partitionEpoch: 0, replicas, isr };
}

/** Who is alive, and whether the leader registered after the state of the partition was written. */
export interface ElectionFacts {
  readonly brokers: readonly BrokerInfo[];
  readonly leaderIsNew: boolean;
}

/**
 * The partition after an election, or the same object when its leader can stay.
 *
 * A leader that registered after the state was written has been away, perhaps with records it lost: it leads again only
 * under a new epoch, so that readers can tell the two leaderships apart.
 */
export function electLeader(partition: PartitionImage, topic: TopicImage, facts: ElectionFacts): PartitionImage {
  const alive = (id: number): boolean => facts.brokers.some((broker) => broker.id === id);
  if (alive(partition.leader) && !facts.leaderIsNew) return partition;
  const candidate = partition.replicas.find((id) => alive(id) && partition.isr.includes(id));
  if (candidate !== undefined) {
    const isr = partition.isr.filter(alive);
    return { ...partition, leader: candidate, leaderEpoch: partition.leaderEpoch + 1, isr };
  }
  const unclean = topic.config.uncleanLeaderElectionEnable ? partition.replicas.find(alive) : undefined;
  if (unclean !== undefined) {
    return { ...partition, leader: unclean, leaderEpoch: partition.leaderEpoch + 1, isr: [unclean] };
  }
  if (partition.leader === -1) return partition;
  return { ...partition, leader: -1, leaderEpoch: partition.leaderEpoch + 1 };
}
