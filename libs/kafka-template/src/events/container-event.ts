/**
 * What containers tell about themselves, and the bus they tell it on.
 *
 * Events are plain data. Subscribers are called at once and in order; what one throws is its own affair and is logged.
 */
import type { Unfinished } from '../commit/ack-window.js';
import type { RecordRef } from '../commit/commit-strategy.js';
import type { OffsetCommit, TopicPartition } from '../drivers/driver.js';
import type { Log } from '../io/log.js';

/** Why a container is no longer running. Only NORMAL was asked for. */
export type StopReason = 'NORMAL' | 'ABNORMAL' | 'ERROR' | 'FENCED' | 'AUTH' | 'NO_OFFSET' | 'CONFIG';

/** Something that happened in a container. `containerId` is that of the consumer: the listener's id, `-`, its index. */
export type ContainerEvent = {
  readonly containerId: string;
  readonly listenerId: string;
  /** Spring's name for it: one of {@link EVENT_NAMES}. */
  readonly name: string;
} & (
  | { readonly type: 'starting' | 'started' | 'stopping' | 'paused' | 'resumed' }
  | {
      readonly type: 'stopped';
      readonly reason: StopReason;
      readonly error?: Error;
      /** Delivered and not finished: late acknowledgements, listeners that were still busy. */
      readonly unfinished?: readonly Unfinished[];
      /** It starts again by itself after that many milliseconds. */
      readonly restartInMs?: number;
    }
  /** All consumers of a listener have stopped. `containerId` is the listener's id. */
  | { readonly type: 'container-stopped'; readonly reason: StopReason }
  | { readonly type: 'failed-to-start'; readonly error: Error }
  | {
      readonly type: 'partitions-assigned' | 'partitions-revoked' | 'partitions-lost';
      readonly partitions: readonly TopicPartition[];
      readonly unfinished?: readonly Unfinished[];
    }
  | { readonly type: 'partition-paused' | 'partition-resumed'; readonly partition: TopicPartition }
  | { readonly type: 'idle'; readonly idleMs: number; readonly partitions: readonly TopicPartition[] }
  | { readonly type: 'no-longer-idle'; readonly idleMs: number; readonly partitions: readonly TopicPartition[] }
  | {
      readonly type: 'partition-idle' | 'partition-no-longer-idle';
      readonly idleMs: number;
      readonly partition: TopicPartition;
    }
  | { readonly type: 'non-responsive'; readonly sinceLastPollMs: number }
  | { readonly type: 'retry-auth'; readonly delayMs: number; readonly error: Error }
  | { readonly type: 'retry-auth-successful' }
  | { readonly type: 'restarting'; readonly delayMs: number; readonly attempt: number; readonly error: Error }
  | { readonly type: 'committed'; readonly offsets: readonly OffsetCommit[] }
  | { readonly type: 'commit-failed'; readonly offsets: readonly OffsetCommit[]; readonly error: Error }
  | { readonly type: 'poll-failed'; readonly error: Error }
  | { readonly type: 'record-failed' | 'record-recovered'; readonly record: RecordRef; readonly error: Error }
);

/** Spring's names of the events, by `type`; those Spring has none for are named in its manner. */
export const EVENT_NAMES: Readonly<Record<ContainerEvent['type'], string>> = {
  starting: 'ConsumerStartingEvent',
  started: 'ConsumerStartedEvent',
  'failed-to-start': 'ConsumerFailedToStartEvent',
  stopping: 'ConsumerStoppingEvent',
  stopped: 'ConsumerStoppedEvent',
  'container-stopped': 'ConcurrentContainerStoppedEvent',
  paused: 'ConsumerPausedEvent',
  resumed: 'ConsumerResumedEvent',
  'partition-paused': 'ConsumerPartitionPausedEvent',
  'partition-resumed': 'ConsumerPartitionResumedEvent',
  idle: 'ListenerContainerIdleEvent',
  'no-longer-idle': 'ListenerContainerNoLongerIdleEvent',
  'partition-idle': 'ListenerContainerPartitionIdleEvent',
  'partition-no-longer-idle': 'ListenerContainerPartitionNoLongerIdleEvent',
  'non-responsive': 'NonResponsiveConsumerEvent',
  'retry-auth': 'ConsumerRetryAuthEvent',
  'retry-auth-successful': 'ConsumerRetryAuthSuccessfulEvent',
  restarting: 'ConsumerRestartingEvent',
  'partitions-assigned': 'ConsumerPartitionsAssignedEvent',
  'partitions-revoked': 'ConsumerPartitionsRevokedEvent',
  'partitions-lost': 'ConsumerPartitionsLostEvent',
  committed: 'ConsumerCommittedEvent',
  'commit-failed': 'ConsumerCommitFailedEvent',
  'poll-failed': 'ConsumerPollFailedEvent',
  'record-failed': 'ListenerRecordFailedEvent',
  'record-recovered': 'ListenerRecordRecoveredEvent',
};

type WithoutSource<E> = E extends unknown ? Omit<E, 'containerId' | 'listenerId' | 'name'> : never;

/** An event before it is known who it came from. */
export type ContainerEventBody = WithoutSource<ContainerEvent>;

/** Hears events. */
export type ContainerEventListener = (event: ContainerEvent) => void;

/** Hands events to whoever subscribed. */
export class ContainerEvents {
  readonly #listeners = new Set<ContainerEventListener>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Calls `listener` for every event from now on. Returns the way to end it. */
  subscribe(listener: ContainerEventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells everybody. */
  publish(body: ContainerEventBody, source: { readonly containerId: string; readonly listenerId: string }): void {
    const event: ContainerEvent = { ...body, ...source, name: EVENT_NAMES[body.type] };
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#log.error(`A subscriber to container events failed on '${event.type}'`, error);
      }
    }
  }
}
