/**
 * What is asked of the controller and what it answers: plain data, no behaviour.
 *
 * Guarantees the field names of Kafka's CreateTopics, CreatePartitions and *AlterConfigs messages, so that a handler can
 * pass a decoded request on; every outcome carries an error code (0 is success) and Kafka's sentence for it.
 */
import type { TopicImage } from './image.js';

/** Replicas chosen by the client, first is the preferred leader. */
export interface ReplicaAssignment {
  readonly partitionIndex: number;
  readonly brokerIds: readonly number[];
}

/** One topic to create. -1 partitions or replicas: the broker's default (or given by `assignments`). */
export interface CreateTopic {
  readonly name: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly assignments?: readonly ReplicaAssignment[];
  readonly configs: readonly ConfigValue[];
  readonly validateOnly?: boolean;
}

/** Partitions to add: `count` is the total wanted. `assignments` are for the new partitions only, null lets us choose. */
export interface CreatePartitions {
  readonly name: string;
  readonly count: number;
  readonly assignments?: readonly { readonly brokerIds: readonly number[] }[] | null;
  readonly validateOnly?: boolean;
}

/** A config and its value; null means the default. */
export interface ConfigValue {
  readonly name: string;
  readonly value: string | null;
}

/** Success has errorCode 0 and, for topics, the topic as it is (or, with `validateOnly`, as it would be). */
export interface Outcome {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/** {@link Outcome} of a request about one topic. */
export interface TopicOutcome extends Outcome {
  readonly topic?: TopicImage;
}

/** What a config request is about. Source: KIP-133, KIP-226, KIP-848. */
export const ConfigResourceType = { TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8, CLIENT_METRICS: 16, GROUP: 32 } as const;

/** A topic by name, a broker by id ('' is the default of all brokers), a group by id. */
export interface ConfigResource {
  readonly resourceType: number;
  readonly resourceName: string;
}

/** Operations of IncrementalAlterConfigs. APPEND and SUBTRACT are for list configs only. Source: KIP-339. */
export const ConfigOperation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const;

/** One step of IncrementalAlterConfigs; `configOperation` is one of {@link ConfigOperation}. */
export interface ConfigChange extends ConfigValue {
  readonly configOperation: number;
}

/** A topic appeared, went, got more partitions, got other configs, or its partitions got other leaders. */
export type TopicChange =
  | { readonly type: 'created'; readonly topic: TopicImage }
  | { readonly type: 'deleted'; readonly topic: TopicImage }
  | { readonly type: 'grown'; readonly topic: TopicImage; readonly firstNewPartition: number }
  | { readonly type: 'configured'; readonly topic: TopicImage }
  | { readonly type: 'elected'; readonly topic: TopicImage };
