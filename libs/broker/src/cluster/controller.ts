/**
 * The controller: the one broker that decides about topics, partitions and configs; on the others, the door to it.
 *
 * Guarantees: one change at a time, in order; a change is answered after the coordination store has it, after this
 * broker's hooks have opened or deleted the partitions, and after the image shows it. A controller that lost its session
 * or its epoch answers NOT_CONTROLLER from then on.
 * Leaves out moving data: it names leaders and replicas, replication/ does the rest.
 */
import { ErrorCode, errorMessage } from '@kafka-template/protocol';
import { CONTROLLER_QUEUE_MAX, OPERATIONS_PER_WRITE_MAX } from '../limits.js';
import type { Clock } from '../io/clock.js';
import type { Logger } from '../io/logger.js';
import type { Random } from '../io/random.js';
import type { BrokerConfig, ConfigEntries } from './broker-config.js';
import {
  loadBrokers,
  loadConfigs,
  loadControllerId,
  loadDeletions,
  loadTopics,
  type LoadedTopic,
} from './cluster-loader.js';
import { ConfigTargets } from './config-targets.js';
import type { DescribeOptions, ConfigEntry } from './config-description.js';
import { electLeader } from './elections.js';
import { ClusterSnapshot, type BrokerInfo, type ClusterImage, type PartitionImage, type TopicImage } from './image.js';
import { topicChanges } from './image-changes.js';
import { Membership } from './membership.js';
import { ProducerIds } from './producer-ids.js';
import { isStoreError, type CoordinationStore, type StoreOperation } from './store.js';
import {
  autoCreateRequest,
  decideCreatePartitions,
  decideCreateTopic,
  type DecisionContext,
} from './topic-decisions.js';
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
import {
  createPartitionNodes,
  createTopicNodes,
  deleteTopicNodes,
  growTopicNodes,
  markDeletion,
  setPartitionState,
} from './znode-writes.js';

/** What the controller tells the broker it runs in; each call is awaited before the change is answered. */
export interface ControllerHooks {
  /** A rejection while a topic is created or grown undoes the change and answers KAFKA_STORAGE_ERROR. */
  onTopic(change: TopicChange): Promise<void>;
}

/** The answer of DescribeConfigs about one resource. */
export interface DescribeOutcome extends Outcome {
  readonly configs: readonly ConfigEntry[];
}

/** The seam between the api layer and the cluster's decisions. */
export interface ClusterController {
  /** The newest image; take it once per request. */
  readonly image: ClusterImage;
  /** The broker's configuration with everything that was changed at run time. */
  readonly config: BrokerConfig;
  createTopic(request: CreateTopic): Promise<TopicOutcome>;
  /** By name. Errors: UNKNOWN_TOPIC_OR_PARTITION, TOPIC_DELETION_DISABLED. */
  deleteTopic(name: string): Promise<Outcome>;
  createPartitions(request: CreatePartitions): Promise<TopicOutcome>;
  /** A topic somebody asked for: num.partitions, default.replication.factor. One that exists by now is a success. */
  autoCreate(name: string): Promise<TopicOutcome>;
  /** AlterConfigs: the entries become the whole set. */
  replaceConfigs(resource: ConfigResource, configs: readonly ConfigValue[], validateOnly: boolean): Promise<Outcome>;
  /** IncrementalAlterConfigs: all changes or none. */
  changeConfigs(resource: ConfigResource, changes: readonly ConfigChange[], validateOnly: boolean): Promise<Outcome>;
  /** DescribeConfigs, from memory. */
  describeConfigs(resource: ConfigResource, options: DescribeOptions): DescribeOutcome;
  /** A producer id never given out before, also across restarts. Rejects when the store cannot be reached. */
  allocateProducerId(): Promise<number>;
  /** Ends the session: the other brokers see this one go. */
  close(): Promise<void>;
}

/** What the controller needs. `broker` is as told to clients. */
export interface ControllerOptions {
  readonly store: CoordinationStore;
  readonly broker: Omit<BrokerInfo, 'epoch'>;
  readonly config: BrokerConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  readonly hooks: ControllerHooks;
}

const DONE: Outcome = { errorCode: ErrorCode.NONE, errorMessage: null };

function failure(errorCode: number): Outcome {
  return { errorCode, errorMessage: errorMessage(errorCode) };
}

/** See the file comment. */
export class Controller implements ClusterController {
  private snapshot: ClusterSnapshot;
  private tail: Promise<unknown> = Promise.resolve();
  private queued = 0;
  private ready = false;
  private refreshQueued = false;
  private closed = false;
  private readonly producerIds: ProducerIds;
  /** Topics that are in the store and nowhere else. */
  private readonly halfCreated = new Set<string>();

  private constructor(
    private readonly options: ControllerOptions,
    private readonly membership: Membership,
    private readonly targets: ConfigTargets,
  ) {
    this.snapshot = ClusterSnapshot.empty(membership.clusterId);
    this.producerIds = new ProducerIds(options.broker.id, () => membership.session);
  }

  /**
   * Registers the broker, becomes the controller if there is none, and reads the cluster. Partitions named by the image
   * are for the caller to open before it takes requests. Rejects with a `BrokerError`, `StoreError` or `ZnodeError`.
   */
  static async open(options: ControllerOptions): Promise<Controller> {
    const { store, broker, config, clock, random } = options;
    // Only a store in another process can still hold the registration of a broker that has crashed.
    const remote = config.text('zookeeper.connect') !== null;
    const sessionTimeoutMs = remote ? config.number('zookeeper.session.timeout.ms') : 0;
    const membership = await Membership.join({ store, broker, sessionTimeoutMs, clock, random });
    try {
      const targets = new ConfigTargets(broker.id, config, await loadConfigs(membership.session, broker.id));
      const controller = new Controller(options, membership, targets);
      membership.session.onLost(() => controller.resign('the session with the coordination store is lost'));
      await controller.start();
      controller.ready = true;
      return controller;
    } catch (error) {
      await membership.close().catch(() => undefined);
      throw error;
    }
  }

  get image(): ClusterImage {
    return this.snapshot;
  }

  get config(): BrokerConfig {
    return this.targets.broker;
  }

  groupConfig(groupId: string): ConfigEntries {
    return this.targets.group(groupId);
  }

  createTopic(request: CreateTopic): Promise<TopicOutcome> {
    if (request.validateOnly !== true) return this.enqueue(() => this.createNow(request));
    const decision = decideCreateTopic(request, this.context());
    return Promise.resolve(decision.refused ?? { ...DONE, topic: decision.topic });
  }

  autoCreate(name: string): Promise<TopicOutcome> {
    return this.enqueue(async () => {
      const existing = this.snapshot.topic(name);
      if (existing) return { ...DONE, topic: existing };
      return this.createNow(autoCreateRequest(name, this.config, this.snapshot.brokers.length));
    });
  }

  deleteTopic(name: string): Promise<Outcome> {
    return this.enqueue(async () => {
      if (!this.config.boolean('delete.topic.enable')) return failure(ErrorCode.TOPIC_DELETION_DISABLED);
      const topic = this.snapshot.topic(name);
      if (!topic) return failure(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      await this.deleteNodes(name);
      this.snapshot = this.snapshot.withoutTopic(name);
      await this.tell({ type: 'deleted', topic });
      return DONE;
    });
  }

  createPartitions(request: CreatePartitions): Promise<TopicOutcome> {
    if (request.validateOnly !== true) return this.enqueue(() => this.growNow(request));
    const decision = decideCreatePartitions(request, this.context());
    return Promise.resolve(decision.refused ?? { ...DONE, topic: decision.topic });
  }

  replaceConfigs(resource: ConfigResource, configs: readonly ConfigValue[], validateOnly: boolean): Promise<Outcome> {
    return this.enqueue(async () => {
      const decision = this.targets.decideReplace(resource, configs, this.snapshot);
      if (decision.refused || validateOnly) return decision.refused ?? DONE;
      return this.storeConfigs(resource, decision.entries);
    });
  }

  changeConfigs(resource: ConfigResource, changes: readonly ConfigChange[], validateOnly: boolean): Promise<Outcome> {
    return this.enqueue(async () => {
      const decision = this.targets.decideChanges(resource, changes, this.snapshot);
      if (decision.refused || validateOnly) return decision.refused ?? DONE;
      return this.storeConfigs(resource, decision.entries);
    });
  }

  describeConfigs(resource: ConfigResource, options: DescribeOptions): DescribeOutcome {
    return this.targets.describe(resource, options, this.snapshot);
  }

  allocateProducerId(): Promise<number> {
    return this.producerIds.allocate();
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.tail;
    await this.membership.close();
  }

  private async start(): Promise<void> {
    const won = await this.membership.elect();
    await this.load();
    this.options.logger.info(won ? 'This broker is the controller' : 'Another broker is the controller', {
      controllerId: this.snapshot.controllerId,
      controllerEpoch: this.membership.controllerEpoch,
      topics: this.snapshot.topicCount,
    });
  }

  /** Reads the cluster; as the controller, also finishes what was cut short and elects leaders. */
  private async load(): Promise<void> {
    const { session, controllerEpoch } = this.membership;
    const decides = controllerEpoch !== null;
    // Watches are set before anything is read, so that no change falls between the two.
    const brokers = await loadBrokers(session, this.storeChanged);
    const controllerId = await loadControllerId(session, this.storeChanged);
    if (decides) for (const name of await loadDeletions(session)) await this.deleteNodes(name);
    const loaded = await loadTopics(session, this.config, decides ? undefined : this.storeChanged);
    const topics = decides ? await this.electAfterLoad(loaded, brokers) : loaded.map(({ topic }) => topic);
    await this.publish(this.snapshot.withOnly(topics).withBrokers(brokers, controllerId));
  }

  /** Shows another image; what is new in it is opened before, what is gone is closed after. */
  private async publish(next: ClusterSnapshot): Promise<void> {
    const changes = this.ready ? topicChanges(this.snapshot, next) : [];
    const opening = changes.filter(({ type }) => type === 'created' || type === 'grown');
    for (const change of opening) await this.tell(change);
    this.snapshot = next;
    for (const change of changes) if (!opening.includes(change)) await this.tell(change);
  }

  /** A watch fired: something about brokers, the controller or (on brokers that do not decide) topics is different. */
  private readonly storeChanged = (): void => {
    if (this.refreshQueued || this.closed) return;
    this.refreshQueued = true;
    const refresh = async (): Promise<void> => {
      this.refreshQueued = false;
      if (this.closed || this.membership.session.lost) return;
      if (this.membership.controllerEpoch === null) await this.membership.elect();
      await this.load();
    };
    this.tail = this.tail.then(refresh).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.options.logger.error('The cluster could not be read again', { reason });
    });
  };

  private async electAfterLoad(loaded: readonly LoadedTopic[], brokers: readonly BrokerInfo[]): Promise<TopicImage[]> {
    const operations: StoreOperation[] = [];
    const epoch = this.membership.controllerEpoch ?? 0;
    const topics = loaded.map(({ topic, stateZxids }) => {
      const partitions = topic.partitions.map((partition, index) => {
        const stateZxid = stateZxids[index] ?? -1;
        const leader = brokers.find((broker) => broker.id === partition.leader);
        const elected = electLeader(partition, topic, { brokers, leaderIsNew: (leader?.epoch ?? 0) > stateZxid });
        if (stateZxid === -1) {
          operations.push(...createPartitionNodes(topic, [elected], epoch));
          return elected;
        }
        return this.withState(topic, { before: partition, after: elected }, operations);
      });
      return { ...topic, partitions };
    });
    if (operations.length > 0) await this.membership.write(operations);
    return topics;
  }

  /** Adds the write of a changed state; the partition epoch follows the version of its node. */
  private withState(
    topic: TopicImage,
    change: { readonly before: PartitionImage; readonly after: PartitionImage },
    operations: StoreOperation[],
  ): PartitionImage {
    if (change.after === change.before) return change.before;
    operations.push(setPartitionState(topic.name, change.after, this.membership.controllerEpoch ?? 0));
    return { ...change.after, partitionEpoch: change.before.partitionEpoch + 1 };
  }

  private async createNow(request: CreateTopic): Promise<TopicOutcome> {
    const decision = decideCreateTopic(request, this.context());
    if (decision.refused) return decision.refused;
    const { topic } = decision;
    await this.removeHalfCreated(topic.name);
    await this.membership.write(createTopicNodes(topic, this.membership.controllerEpoch ?? 0));
    try {
      await this.options.hooks.onTopic({ type: 'created', topic });
    } catch (error) {
      await this.tell({ type: 'deleted', topic });
      this.halfCreated.add(topic.name);
      await this.removeHalfCreated(topic.name).catch((cause: unknown) => {
        if (!isStoreError(cause, 'NO_SPACE')) throw cause;
      });
      return this.storageFailure(`Topic '${topic.name}' could not be created`, error);
    }
    this.snapshot = this.snapshot.withTopics([topic]);
    return { ...DONE, topic };
  }

  /** What was told of a topic that could not be created is taken back; on a full disk when its name is used again. */
  private async removeHalfCreated(name: string): Promise<void> {
    if (!this.halfCreated.has(name)) return;
    await this.deleteNodes(name);
    this.halfCreated.delete(name);
  }

  private async growNow(request: CreatePartitions): Promise<TopicOutcome> {
    const before = this.snapshot.topic(request.name);
    const decision = decideCreatePartitions(request, this.context());
    if (decision.refused) return decision.refused;
    const { topic } = decision;
    const firstNewPartition = before?.partitions.length ?? 0;
    try {
      // Opened first: partitions that were announced cannot be taken back.
      await this.options.hooks.onTopic({ type: 'grown', topic, firstNewPartition });
    } catch (error) {
      return this.storageFailure(`Partitions of topic '${topic.name}' could not be created`, error);
    }
    await this.membership.write(growTopicNodes(topic, firstNewPartition, this.membership.controllerEpoch ?? 0));
    this.snapshot = this.snapshot.withTopics([topic]);
    return { ...DONE, topic };
  }

  private storageFailure(what: string, error: unknown): Outcome {
    const reason = error instanceof Error ? error.message : String(error);
    this.options.logger.error(what, { reason });
    return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, errorMessage: `${what}: ${reason}` };
  }

  private async storeConfigs(resource: ConfigResource, entries: ConfigEntries): Promise<Outcome> {
    const path = this.targets.path(resource);
    const exists = (await this.membership.session.exists(path)) !== null;
    await this.membership.write([this.targets.write(resource, entries, exists)]);
    const changed = this.targets.apply(resource, entries, this.snapshot);
    this.snapshot = this.snapshot.withTopics(changed);
    for (const topic of changed) await this.tell({ type: 'configured', topic });
    return DONE;
  }

  private async deleteNodes(name: string): Promise<void> {
    const operations = await deleteTopicNodes(this.membership.session, name);
    if (operations.length > OPERATIONS_PER_WRITE_MAX) {
      await this.membership.write([markDeletion(name)]);
      await this.membership.write(await deleteTopicNodes(this.membership.session, name));
    } else {
      await this.membership.write(operations);
    }
  }

  /** Hooks about what cannot be taken back: a failure is the broker's to log and to live with. */
  private async tell(change: TopicChange): Promise<void> {
    try {
      await this.options.hooks.onTopic(change);
    } catch (error) {
      this.storageFailure(`Topic '${change.topic.name}': the change '${change.type}' was not carried out`, error);
    }
  }

  private context(): DecisionContext {
    return { image: this.snapshot, config: this.config, random: this.options.random };
  }

  /** Runs changes one after the other, and turns a lost store or a lost office into NOT_CONTROLLER. */
  private enqueue<T extends Outcome>(change: () => Promise<T>): Promise<T | Outcome> {
    if (this.queued >= CONTROLLER_QUEUE_MAX) return Promise.resolve(failure(ErrorCode.THROTTLING_QUOTA_EXCEEDED));
    this.queued += 1;
    const run = async (): Promise<T | Outcome> => {
      try {
        if (this.membership.controllerEpoch === null) return failure(ErrorCode.NOT_CONTROLLER);
        return await change();
      } catch (error) {
        if (isStoreError(error, 'NO_SPACE')) return this.storageFailure('The change was not made', error);
        if (!isStoreError(error, 'BAD_VERSION', 'SESSION_LOST', 'STORE_FAILED', 'CONNECTION_LOST')) throw error;
        this.resign(error.message);
        return failure(ErrorCode.NOT_CONTROLLER);
      } finally {
        this.queued -= 1;
      }
    };
    const result = this.tail.then(run);
    this.tail = result.catch(() => undefined);
    return result;
  }

  private resign(reason: string): void {
    if (this.membership.controllerEpoch === null) return;
    this.membership.resign();
    this.snapshot = this.snapshot.withBrokers(this.snapshot.brokers, -1);
    this.options.logger.error('This broker is no longer the controller', { reason });
  }
}
