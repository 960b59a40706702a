/**
 * The share coordinator: keeps what share groups have done with records, in `__share_group_state` (KIP-932).
 *
 * Guarantees: the same shape as the coordinators of groups and of transactions; state that is not here or not yet loaded
 * is refused with Kafka's codes. The leaders of partitions call it directly, because all of them are on this broker:
 * the messages 83 to 87, with which brokers ask each other, are not served.
 */
import { ErrorCode, errorMessage, javaStringHash } from '@kafka-template/protocol';
import type { BrokerConfig } from '../../../cluster/broker-config.js';
import type { ClusterImage } from '../../../cluster/image.js';
import type { Clock } from '../../../io/clock.js';
import type { Logger } from '../../../io/logger.js';
import type { Partition } from '../../../replication/partition.js';
import { Alarm, Alarms } from '../../runtime/alarms.js';
import type { InitializeCommand, WriteCommand } from './decide.js';
import { shareKeyText, type ShareKey, type ShareState } from './share-state.js';
import { ShareStateShard, type ShareStateSteps } from './share-state-shard.js';
import { shareStateSettings, type ShareStateSettings } from './share-state-settings.js';

/** Name of the topic that holds the state. */
export const SHARE_STATE_TOPIC = '__share_group_state';

/** The seam between the store of share group state and those who use it. */
export interface ShareStates {
  /** What is stored now: null for nothing. Codes: 14, 15, 16 as for groups. */
  read(key: ShareKey): { readonly errorCode: number; readonly state: ShareState | null };
  initialize(key: ShareKey, command: InitializeCommand, steps: ShareStateSteps): void;
  update(key: ShareKey, command: WriteCommand, steps: ShareStateSteps): void;
  remove(key: ShareKey, steps: ShareStateSteps): void;
  /** Makes sure that the topic exists; resolves with a code. */
  prepare(): Promise<number>;
  /** `listener` is told when state was lost that had been accepted: copies of it must be thrown away. */
  onLost(listener: (keys: readonly string[]) => void): void;
  /** FindCoordinator with a key like `group:topicId:partition`. Node -1 on errors. */
  findCoordinator(key: string): Promise<{ errorCode: number; errorMessage: string | null; nodeId: number }>;
  load(partition: number): Promise<void>;
  unload(partition: number): void;
  forgetTopic(topic: string): void;
  close(): void;
}

/** What the coordinator needs. */
export interface ShareStateCoordinatorOptions {
  readonly controller: {
    readonly image: ClusterImage;
    readonly config: BrokerConfig;
    autoCreate(name: string): Promise<{ readonly errorCode: number; readonly errorMessage: string | null }>;
  };
  readonly partitions: { get(topic: string, partition: number): Partition | undefined };
  readonly clock: Clock;
  readonly logger: Logger;
}

type Located =
  | { readonly shard: ShareStateShard; readonly errorCode: typeof ErrorCode.NONE }
  | { readonly shard: null; readonly errorCode: number };

/** See the file comment. */
export class ShareStateCoordinator implements ShareStates {
  private readonly shards = new Map<number, ShareStateShard>();
  private readonly alarms: Alarms;
  private readonly pruneAlarm = new Alarm(() => this.prune());
  private readonly listeners: ((keys: readonly string[]) => void)[] = [];
  private closed = false;

  constructor(private readonly options: ShareStateCoordinatorOptions) {
    this.alarms = new Alarms(options.clock);
  }

  read(key: ShareKey): { readonly errorCode: number; readonly state: ShareState | null } {
    const { shard, errorCode } = this.locate(key);
    return { errorCode, state: shard?.get(key) ?? null };
  }

  initialize(key: ShareKey, command: InitializeCommand, steps: ShareStateSteps): void {
    const { shard, errorCode } = this.locate(key);
    if (shard) shard.initialize(key, command, steps);
    else steps.refused(errorCode);
  }

  update(key: ShareKey, command: WriteCommand, steps: ShareStateSteps): void {
    const { shard, errorCode } = this.locate(key);
    if (shard) shard.update(key, command, steps);
    else steps.refused(errorCode);
  }

  remove(key: ShareKey, steps: ShareStateSteps): void {
    const { shard, errorCode } = this.locate(key);
    if (shard) shard.remove(key, steps);
    else steps.refused(errorCode);
  }

  async prepare(): Promise<number> {
    if (this.closed) return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    if (this.options.controller.image.topic(SHARE_STATE_TOPIC)) return ErrorCode.NONE;
    const created = await this.options.controller.autoCreate(SHARE_STATE_TOPIC);
    return created.errorCode === ErrorCode.NONE ? ErrorCode.NONE : ErrorCode.COORDINATOR_NOT_AVAILABLE;
  }

  onLost(listener: (keys: readonly string[]) => void): void {
    this.listeners.push(listener);
  }

  async findCoordinator(key: string): Promise<{ errorCode: number; errorMessage: string | null; nodeId: number }> {
    // A group id may have colons in it, the other two parts have none.
    if (!/^.*:[\w-]+:\d+$/s.test(key)) {
      return {
        errorCode: ErrorCode.INVALID_REQUEST,
        errorMessage: errorMessage(ErrorCode.INVALID_REQUEST),
        nodeId: -1,
      };
    }
    const errorCode = await this.prepare();
    const { image } = this.options.controller;
    const leader = image.topic(SHARE_STATE_TOPIC)?.partitions[this.partitionOf(key)]?.leader ?? -1;
    if (errorCode === ErrorCode.NONE && image.broker(leader)) return { errorCode, errorMessage: null, nodeId: leader };
    const refused = ErrorCode.COORDINATOR_NOT_AVAILABLE;
    return { errorCode: refused, errorMessage: errorMessage(refused), nodeId: -1 };
  }

  async load(partition: number): Promise<void> {
    const { clock, logger, partitions } = this.options;
    const opened = partitions.get(SHARE_STATE_TOPIC, partition);
    const present = this.shards.get(partition);
    // Leadership is announced for the whole topic: what is led as before goes on as before.
    if (this.closed || !opened || present?.serves(opened)) return;
    present?.close();
    const onLost = (keys: readonly string[]): void => {
      for (const listener of this.listeners) listener(keys);
    };
    const settings = (): ShareStateSettings => this.settings();
    const shard = new ShareStateShard({ partition: opened, clock, logger, settings, onLost });
    if (this.shards.size === 0) this.armPrune();
    this.shards.set(partition, shard);
    await shard.load();
  }

  unload(partition: number): void {
    this.shards.get(partition)?.close();
    this.shards.delete(partition);
  }

  forgetTopic(topic: string): void {
    if (topic === SHARE_STATE_TOPIC) for (const partition of [...this.shards.keys()]) this.unload(partition);
  }

  close(): void {
    this.closed = true;
    this.alarms.close();
    for (const shard of this.shards.values()) shard.shutdown();
    this.shards.clear();
  }

  private settings(): ShareStateSettings {
    return shareStateSettings(this.options.controller.config);
  }

  private partitionOf(keyText: string): number {
    const topic = this.options.controller.image.topic(SHARE_STATE_TOPIC);
    const count = topic?.partitions.length ?? this.settings().topicPartitions;
    const hash = javaStringHash(keyText);
    return hash === -(2 ** 31) ? 0 : Math.abs(hash) % count;
  }

  /** The shard of a share partition. Codes: 15 the broker stops, 14 not loaded, 16 not here. */
  private locate(key: ShareKey): Located {
    if (this.closed) return { shard: null, errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE };
    const shard = this.shards.get(this.partitionOf(shareKeyText(key)));
    if (!shard || shard.status === 'closed') return { shard: null, errorCode: ErrorCode.NOT_COORDINATOR };
    if (shard.status === 'loading') return { shard: null, errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS };
    return { shard, errorCode: ErrorCode.NONE };
  }

  private armPrune(): void {
    this.alarms.set(this.pruneAlarm, this.options.clock.monotonic() + this.settings().pruneIntervalMs);
  }

  private prune(): void {
    for (const shard of this.shards.values()) void shard.prune();
    this.armPrune();
  }
}
