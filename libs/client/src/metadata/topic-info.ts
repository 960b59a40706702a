/** What the client knows of a topic, a partition and a broker. Plain values; a change makes new ones. */

/** One broker, as it wants to be reached. */
export interface BrokerInfo {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  /** Null when the broker is in no rack. */
  readonly rack: string | null;
}

/** One partition. Replicas are broker ids. */
export interface PartitionInfo {
  readonly topic: string;
  readonly partition: number;
  /** Broker id of the leader; -1 while there is none. */
  readonly leader: number;
  /** Goes up by one with each election; -1 when the broker is too old to tell (before Kafka 2.1). */
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly inSyncReplicas: readonly number[];
  readonly offlineReplicas: readonly number[];
}

/** One topic. */
export interface TopicInfo {
  readonly name: string;
  /** Kafka's 22-character uuid, all zero (`ZERO_UUID`) when the broker is too old to tell (before Kafka 2.8). */
  readonly topicId: string;
  /** A topic Kafka keeps for itself, such as `__consumer_offsets`. */
  readonly isInternal: boolean;
  /** Index is the partition number. */
  readonly partitions: readonly PartitionInfo[];
}
