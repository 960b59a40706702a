/**
 * The share partitions that are at work on this broker: opened when a member first asks, closed when their state moves.
 *
 * Guarantees: at most one of a kind at a time, so that no two decide about the same records; where a group begins that
 * has read nothing is stored before the first record is handed out.
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { BrokerConfig, ConfigEntries } from '../../../cluster/broker-config.js';
import type { Clock } from '../../../io/clock.js';
import type { Logger } from '../../../io/logger.js';
import type { Partition } from '../../../replication/partition.js';
import { Alarms } from '../../runtime/alarms.js';
import { shareKeyText, type ShareKey, type ShareState } from '../state/share-state.js';
import type { ShareStates } from '../state/share-state-coordinator.js';
import { deliveryOf } from './delivery.js';
import { shareDeliveryRules, type ShareDeliveryRules } from './share-group-configs.js';
import { SharePartition } from './share-partition.js';

/** What it needs. */
export interface SharePartitionsOptions {
  readonly states: ShareStates;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly controller: { readonly config: BrokerConfig; groupConfig(groupId: string): ConfigEntries };
}

/** A share partition, or Kafka's code for why there is none. */
export type Opened =
  | { readonly share: SharePartition; readonly errorCode: typeof ErrorCode.NONE }
  | { readonly share: null; readonly errorCode: number };

/** See the file comment. */
export class SharePartitions {
  private readonly open = new Map<string, SharePartition>();
  private readonly opening = new Map<string, Promise<Opened>>();
  private readonly alarms: Alarms;
  private closed = false;

  constructor(private readonly options: SharePartitionsOptions) {
    this.alarms = new Alarms(options.clock);
    options.states.onLost((keys) => {
      for (const key of keys) this.closeOne(key);
    });
  }

  /** The rules of deliveries to a group now. */
  rules(groupId: string): ShareDeliveryRules {
    const { config } = this.options.controller;
    return shareDeliveryRules(config, this.options.controller.groupConfig(groupId));
  }

  /** The share partition, if it is at work. */
  get(key: ShareKey): SharePartition | undefined {
    const share = this.open.get(shareKeyText(key));
    return share?.isOpen ? share : undefined;
  }

  /** The share partition, put to work if need be. */
  async find(key: ShareKey, partition: Partition): Promise<Opened> {
    if (this.closed) return { share: null, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER };
    const name = shareKeyText(key);
    const present = this.get(key);
    if (present?.partition === partition) return { share: present, errorCode: ErrorCode.NONE };
    if (present) this.closeOne(name);
    const under = this.opening.get(name);
    if (under) return under;
    const opening = this.start(key, partition).finally(() => this.opening.delete(name));
    this.opening.set(name, opening);
    return opening;
  }

  /** What a group has in hand is not true any more: of one topic, or of all. */
  forget(groupId: string, topicId: string | null = null): void {
    for (const share of [...this.open.values()]) {
      const { key } = share;
      if (key.groupId === groupId && (topicId === null || key.topicId === topicId)) this.closeOne(shareKeyText(key));
    }
  }

  /** A topic is gone. */
  forgetTopic(topicId: string): void {
    for (const share of [...this.open.values()])
      if (share.key.topicId === topicId) this.closeOne(shareKeyText(share.key));
  }

  /** A member is gone: what it has locked is free again. */
  release(groupId: string, memberId: string): void {
    for (const share of this.open.values()) if (share.key.groupId === groupId) share.release(memberId);
  }

  /** Everything stops. Whoever waits looks again. */
  close(): void {
    this.closed = true;
    for (const name of [...this.open.keys()]) this.closeOne(name);
    this.alarms.close();
  }

  private closeOne(name: string): void {
    this.open.get(name)?.close();
    this.open.delete(name);
  }

  private async start(key: ShareKey, partition: Partition): Promise<Opened> {
    const { states, clock, logger } = this.options;
    const read = states.read(key);
    if (read.errorCode !== ErrorCode.NONE) return { share: null, errorCode: read.errorCode };
    // Kafka's answer when nobody has joined the group.
    if (read.state === null) return { share: null, errorCode: ErrorCode.UNKNOWN_SERVER_ERROR };
    const state = read.state.startOffset === -1 ? await this.begin(key, read.state, partition) : read.state;
    if (typeof state === 'number') return { share: null, errorCode: state };
    const share = new SharePartition({
      key,
      partition,
      stateEpoch: state.stateEpoch,
      delivery: deliveryOf(state),
      states,
      alarms: this.alarms,
      logger,
      rules: () => this.rules(key.groupId),
      nowMs: () => clock.monotonic(),
    });
    this.open.set(shareKeyText(key), share);
    return { share, errorCode: ErrorCode.NONE };
  }

  /** Nobody has read yet: chooses where to begin, and stores it. Resolves with a code when that fails. */
  private async begin(key: ShareKey, before: ShareState, partition: Partition): Promise<ShareState | number> {
    const startOffset = await this.firstOffset(key.groupId, partition);
    const { stateEpoch } = before;
    const command = {
      stateEpoch,
      leaderEpoch: partition.leaderEpoch,
      startOffset,
      deliveryCompleteCount: 0,
      batches: [],
    };
    const errorCode = await new Promise<number>((resolve) => {
      this.options.states.update(key, command, {
        stored: () => resolve(ErrorCode.NONE),
        refused: resolve,
        failed: resolve,
      });
    });
    if (errorCode !== ErrorCode.NONE) return errorCode;
    return this.options.states.read(key).state ?? ErrorCode.UNKNOWN_SERVER_ERROR;
  }

  private async firstOffset(groupId: string, partition: Partition): Promise<number> {
    const { offsetReset } = this.rules(groupId);
    if (offsetReset === 'earliest') return partition.logStartOffset;
    if (offsetReset === 'latest') return partition.highWatermark;
    const found = await partition.offsetForTimestamp(this.options.clock.now() - offsetReset.durationMs);
    return found?.offset ?? partition.highWatermark;
  }
}
