/**
 * What containers tell about themselves, and the bus they tell it on.
 *
 * Events are plain data. Subscribers are called at once and in order; what one throws is its own affair and is logged.
 */
import type { OffsetCommit, TopicPartition } from '../drivers/driver.js';
import type { RecordRef } from '../commit/commit-strategy.js';
import type { Log } from '../io/log.js';

/** Why a container is no longer running. Only NORMAL was asked for. */
export type StopReason = 'NORMAL' | 'ABNORMAL' | 'ERROR' | 'FENCED' | 'AUTH' | 'NO_OFFSET' | 'CONFIG';

/** Something that happened in a container. `containerId` is that of the consumer: the listener's id, `-`, its index. */
export type ContainerEvent = { readonly containerId: string; readonly listenerId: string } & (
  | { readonly type: 'starting' | 'started' | 'stopping' | 'paused' | 'resumed' }
  | { readonly type: 'stopped'; readonly reason: StopReason; readonly error?: Error }
  | {
      readonly type: 'partitions-assigned' | 'partitions-revoked' | 'partitions-lost';
      readonly partitions: readonly TopicPartition[];
    }
  | { readonly type: 'committed'; readonly offsets: readonly OffsetCommit[] }
  | { readonly type: 'commit-failed'; readonly offsets: readonly OffsetCommit[]; readonly error: Error }
  | { readonly type: 'poll-failed'; readonly error: Error }
  | { readonly type: 'record-failed' | 'record-recovered'; readonly record: RecordRef; readonly error: Error }
);

type WithoutSource<E> = E extends unknown ? Omit<E, 'containerId' | 'listenerId'> : never;

/** An event before the bus has added who it came from. */
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
  publish(event: ContainerEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#log.error(`A subscriber to container events failed on '${event.type}'`, error);
      }
    }
  }
}
