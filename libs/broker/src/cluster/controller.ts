/**
 * The controller: the one broker that decides about topics, partitions and configs; on the others, the door to it.
 *
 * Guarantees: one change at a time, in order; a change is answered after the coordination store has it, after this
 * broker's hooks have opened or deleted the partitions, and after the image shows it.
 * Leaves out moving data: it names leaders and replicas, replication/ does the rest.
 */
import type { ClusterImage } from './image.js';
import type {
  ConfigChange,
  ConfigResource,
  ConfigValue,
  CreatePartitions,
  CreateTopic,
  Outcome,
  TopicChange,
  TopicOutcome,
} from './topic-request.js';

/** What the controller tells the broker it runs in; each call is awaited before the change is answered. */
export interface ControllerHooks {
  onTopic(change: TopicChange): Promise<void>;
}

/** The seam between the api layer and the cluster's decisions. */
export interface ClusterController {
  /** The newest image; take it once per request. */
  readonly image: ClusterImage;
  createTopic(request: CreateTopic): Promise<TopicOutcome>;
  /** By name. Errors: UNKNOWN_TOPIC_OR_PARTITION. */
  deleteTopic(name: string): Promise<Outcome>;
  createPartitions(request: CreatePartitions): Promise<TopicOutcome>;
  /** A topic somebody asked for: num.partitions, default.replication.factor. Joins a creation under way. */
  autoCreate(name: string): Promise<TopicOutcome>;
  /** AlterConfigs: the entries become the whole set. */
  replaceConfigs(resource: ConfigResource, configs: readonly ConfigValue[], validateOnly: boolean): Promise<Outcome>;
  /** IncrementalAlterConfigs: all changes or none. */
  changeConfigs(resource: ConfigResource, changes: readonly ConfigChange[], validateOnly: boolean): Promise<Outcome>;
  /** A producer id never given out before, also across restarts. */
  allocateProducerId(): Promise<number>;
  close(): Promise<void>;
}
