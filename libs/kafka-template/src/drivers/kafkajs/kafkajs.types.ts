/**
 * The part of kafkajs 2.2 that the driver uses, as types of our own.
 *
 * Own types, because kafkajs is an optional peer: an application without it must still be able to compile. The cluster and
 * the broker are no public API of kafkajs; it hands them to every assigner, and the driver feature-tests them.
 */

/** The module: what `import 'kafkajs'` gives. */
export interface KafkaJsModule {
  readonly Kafka: new (config: KafkaJsConfig) => KafkaJs;
  readonly CompressionTypes: Readonly<Record<string, number | string>>;
  readonly CompressionCodecs: Readonly<Record<number, () => unknown>>;
  readonly AssignerProtocol: {
    readonly MemberMetadata: {
      encode(metadata: { version: number; topics: readonly string[]; userData: Buffer }): Buffer;
      decode(buffer: Buffer): { topics: string[] } | null;
    };
    readonly MemberAssignment: {
      encode(assignment: { version: number; assignment: Record<string, number[]>; userData: Buffer }): Buffer;
    };
  };
}

/** Options of one `Kafka` instance. */
export interface KafkaJsConfig {
  brokers: string[];
  clientId: string;
  ssl?: unknown;
  sasl?: unknown;
  connectionTimeout: number;
  requestTimeout: number;
  retry: KafkaJsRetry;
  logLevel: number;
  logCreator: (level: number) => (entry: KafkaJsLogEntry) => void;
}

/** How often and how fast kafkajs tries again. */
export interface KafkaJsRetry {
  initialRetryTime: number;
  maxRetryTime: number;
  retries: number;
  factor: number;
  multiplier: number;
  restartOnFailure?: (error: Error) => Promise<boolean>;
}

/** One line of kafkajs' log. Levels: 1 error, 2 warn, 4 info, 5 debug. */
export interface KafkaJsLogEntry {
  namespace: string;
  level: number;
  log: { message: string; error?: unknown; groupId?: unknown };
}

/** An instance. */
export interface KafkaJs {
  producer(options: object): KafkaJsProducerClient;
  consumer(options: object): KafkaJsConsumerClient;
  admin(): KafkaJsAdminClient;
}

/**
 * A message to send. `chosen` remembers the partition across kafkajs' own retries, `turn` is the number of its batch,
 * `isMisdirected` says that the topic has no such partition.
 */
export interface KafkaJsMessage {
  key: Buffer | string | null;
  value: Buffer | string | null;
  headers: Record<string, Buffer | string | (Buffer | string)[]>;
  timestamp: string;
  chosen: number;
  turn: number;
  isMisdirected: boolean;
}

/** What the broker said about one partition. */
export interface KafkaJsSendOutcome {
  topicName: string;
  partition: number;
  baseOffset?: string;
  logAppendTime?: string;
}

/** kafkajs' producer. */
export interface KafkaJsProducerClient {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  send(batch: {
    topic: string;
    acks: number;
    timeout: number;
    compression: number;
    messages: KafkaJsMessage[];
  }): Promise<KafkaJsSendOutcome[]>;
}

/** A record as kafkajs hands it over. */
export interface KafkaJsReceivedMessage {
  offset: string;
  timestamp: string;
  key: Buffer | null;
  value: Buffer | null;
  headers?: Record<string, Buffer | string | (Buffer | string)[] | null | undefined>;
  batchContext?: { timestampType?: number; partitionLeaderEpoch?: number };
}

/** What `eachBatch` gets. */
export interface KafkaJsBatchPayload {
  batch: {
    topic: string;
    partition: number;
    /** Where the fetch began; not in kafkajs' own typings. */
    fetchedOffset: string | number;
    messages: KafkaJsReceivedMessage[];
    lastOffset(): string;
  };
  resolveOffset: (offset: string) => void;
  heartbeat: () => Promise<void>;
  isStale: () => boolean;
  isRunning: () => boolean;
}

/** kafkajs' consumer. */
export interface KafkaJsConsumerClient {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  subscribe(subscription: { topics: (string | RegExp)[]; fromBeginning: boolean }): Promise<void>;
  run(config: object): Promise<void>;
  seek(target: { topic: string; partition: number; offset: string }): void;
  pause(partitions: { topic: string; partitions: number[] }[]): void;
  resume(partitions: { topic: string; partitions: number[] }[]): void;
  on(event: string, listener: (event: { payload: unknown }) => void): () => void;
}

/** kafkajs' admin client. */
export interface KafkaJsAdminClient {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  listTopics(): Promise<string[]>;
  fetchTopicMetadata(query: { topics: string[] }): Promise<{
    topics: { name: string; partitions: { partitionId: number; leader: number }[] }[];
  }>;
  createTopics(request: object): Promise<boolean>;
  createPartitions(request: { topicPartitions: { topic: string; count: number }[] }): Promise<boolean>;
  fetchOffsets(query: { groupId: string }): Promise<KafkaJsTopicOffsets[]>;
}

/** Offsets of a topic, as text. */
export interface KafkaJsTopicOffsets {
  topic: string;
  partitions: { partition: number; offset: string; metadata?: string | null }[];
}

/** A member as kafkajs' internals name it. */
export interface KafkaJsMember {
  groupId: string;
  memberId: string;
  groupGenerationId: number;
}

/** A connection to one broker. Internal to kafkajs. */
export interface KafkaJsBroker {
  isConnected(): boolean;
  joinGroup(request: object): Promise<{ generationId: number; memberId: string }>;
  heartbeat(request: KafkaJsMember): Promise<unknown>;
  offsetCommit(request: KafkaJsMember & { topics: KafkaJsTopicOffsets[] }): Promise<unknown>;
  offsetFetch(request: {
    groupId: string;
    topics: { topic: string; partitions: { partition: number }[] }[];
  }): Promise<{ responses: KafkaJsTopicOffsets[] }>;
}

/** What a consumer knows of its cluster. Internal to kafkajs. */
export interface KafkaJsCluster {
  findGroupCoordinator(query: { groupId: string }): Promise<KafkaJsBroker>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  findTopicPartitionMetadata(topic: string): { partitionId: number; leader: number }[];
  fetchTopicsOffset(
    queries: {
      topic: string;
      partitions: { partition: number }[];
      fromBeginning?: boolean;
      fromTimestamp?: number;
    }[],
  ): Promise<KafkaJsTopicOffsets[]>;
}

/** An assigner of kafkajs' public interface. */
export interface KafkaJsAssigner {
  name: string;
  version: number;
  assign(group: {
    members: { memberId: string; memberMetadata: Buffer }[];
    topics: string[];
  }): Promise<{ memberId: string; memberAssignment: Buffer }[]>;
  protocol(subscription: { topics: string[] }): { name: string; metadata: Buffer };
}
