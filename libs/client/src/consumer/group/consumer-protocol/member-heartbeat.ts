/**
 * The body of ConsumerGroupHeartbeat: everything when joining or after a failure, else only what has changed.
 *
 * Guarantees that a field counts as told only when a heartbeat that carried it was answered without an error.
 */
import type { ConsumerGroupHeartbeat, RequestInput } from '@kafka-template/protocol';
import type { ResolvedConsumerOptions } from '../../consumer-options.js';
import type { Subscriptions } from '../../subscriptions.js';

/** Partitions by topic id, as the protocol has them. */
export type TopicIdPartitions = readonly { readonly topicId: string; readonly partitions: readonly number[] }[];

/** Who sends the heartbeat. */
export interface HeartbeatSender {
  readonly groupId: string;
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly groupInstanceId: string | null;
  /** What is in force. */
  readonly owned: TopicIdPartitions;
}

/** First version in which the broker evaluates a pattern itself. */
const REGEX_VERSION = 1;

type Body = RequestInput<typeof ConsumerGroupHeartbeat>;

/** Knows what the coordinator was told. */
export class HeartbeatBody {
  private toldNames: string | null = null;
  private toldRegex: string | null = null;
  private toldOwned: string | null = null;

  constructor(
    private readonly options: ResolvedConsumerOptions,
    private readonly subscriptions: Subscriptions,
  ) {}

  /** The next heartbeat carries everything. */
  forget(): void {
    this.toldNames = null;
    this.toldRegex = null;
    this.toldOwned = null;
  }

  /** The body at a version, and what to call when it was answered without an error. */
  make(sender: HeartbeatSender, version: number): { readonly body: Body; readonly told: () => void } {
    const pattern = version >= REGEX_VERSION ? this.subscriptions.pattern : null;
    const names = pattern === null ? [...this.subscriptions.topics].sort() : null;
    const regex = pattern === null ? null : brokerPattern(pattern);
    const namesKey = names === null ? null : names.join('\n');
    const ownedKey = JSON.stringify(sender.owned);
    const isFull = this.toldOwned === null;
    const told = (): void => {
      this.toldNames = namesKey;
      this.toldRegex = regex;
      this.toldOwned = ownedKey;
    };
    const body: Body = {
      groupId: sender.groupId,
      memberId: sender.memberId,
      memberEpoch: sender.memberEpoch,
      instanceId: sender.groupInstanceId,
      subscribedTopicNames: isFull || namesKey !== this.toldNames ? names : null,
      ...(regex !== null && (isFull || regex !== this.toldRegex) ? { subscribedTopicRegex: regex } : {}),
      topicPartitions: isFull || ownedKey !== this.toldOwned ? sender.owned : null,
      ...(isFull ? this.unchanging() : {}),
    };
    return { body, told };
  }

  private unchanging(): Partial<Body> {
    const { clientRack, maxPollIntervalMs, groupRemoteAssignor } = this.options;
    return {
      rackId: clientRack ?? null,
      rebalanceTimeoutMs: maxPollIntervalMs,
      serverAssignor: groupRemoteAssignor ?? null,
    };
  }
}

/**
 * A JavaScript pattern for the broker, which wants the whole name to match (RE2): `test` finds it anywhere. What RE2 does
 * not have (looking ahead and behind, back references) the broker refuses with INVALID_REGULAR_EXPRESSION.
 */
export function brokerPattern(pattern: RegExp): string {
  const flags = `${pattern.ignoreCase ? 'i' : ''}${pattern.dotAll ? 's' : ''}`;
  return `${flags === '' ? '' : `(?${flags})`}.*(?:${pattern.source}).*`;
}
