/**
 * The consumers of one listener, as one: started, stopped and paused together. Spring's ConcurrentMessageListenerContainer.
 *
 * Consumers of a group share its partitions; partitions named one by one are dealt out evenly. When one of the
 * consumers ends by a fatal error, the others are stopped too, rather than left to serve a part.
 */
import type { TopicPartition } from '../drivers/driver.js';
import type { ContainerSettings } from './container-settings.js';
import { type ContainerEnvironment, ListenerContainer } from './listener-container.js';

/** What a listener's container is doing, all its consumers taken together. */
export interface ContainerStatus {
  readonly id: string;
  readonly groupId: string | undefined;
  readonly isRunning: boolean;
  readonly isPaused: boolean;
  /** False when it, or one of its consumers, stopped although nobody asked. */
  readonly isInExpectedState: boolean;
  readonly assignment: readonly TopicPartition[];
  readonly lastError: Error | undefined;
}

/** All consumers of one listener. */
export class ConcurrentContainer {
  readonly #settings: ContainerSettings;
  readonly #containers: readonly ListenerContainer[];
  readonly #unsubscribe: () => void;

  constructor(settings: ContainerSettings, environment: ContainerEnvironment) {
    this.#settings = settings;
    const count = settings.concurrency;
    this.#containers = Array.from(
      { length: count },
      (_, index) => new ListenerContainer(settings, environment, { index, count }),
    );
    this.#unsubscribe = environment.events.subscribe((event) => {
      if (event.listenerId !== settings.id || event.type !== 'stopped') return;
      if (event.reason === 'NORMAL') return;
      const isStartRequested = this.#containers.some((container) => container.isStartRequested);
      void this.stop();
      if (isStartRequested) this.start();
    });
  }

  /** Name in the registry. */
  get id(): string {
    return this.#settings.id;
  }

  /** Its settings, resolved. */
  get settings(): ContainerSettings {
    return this.#settings;
  }

  /** Its consumers. */
  get containers(): readonly ListenerContainer[] {
    return this.#containers;
  }

  /** Whether any of its consumers runs. */
  get isRunning(): boolean {
    return this.#containers.some((container) => container.state === 'running');
  }

  /** Whether each of its consumers has been told its partitions since it was started. */
  get isReady(): boolean {
    return this.#containers.every((container) => container.isReady);
  }

  /** The partitions of all its consumers. */
  get assignment(): readonly TopicPartition[] {
    return this.#containers.flatMap((container) => container.assignment);
  }

  /** Everything there is to say about it now. */
  status(): ContainerStatus {
    return {
      id: this.id,
      groupId: this.#settings.groupId,
      isRunning: this.isRunning,
      isPaused: this.#containers.some((container) => container.isPaused),
      isInExpectedState: this.#containers.every((container) => container.isInExpectedState),
      assignment: this.assignment,
      lastError: this.#containers.find((container) => container.lastError !== undefined)?.lastError,
    };
  }

  /** Starts what is not running; what is still stopping, as soon as it has. Does not wait for an assignment. Throws when the driver refuses the options. */
  start(): void {
    for (const container of this.#containers) container.start();
  }

  /** Stops all consumers and waits for them, each up to `shutdownTimeoutMs`. */
  async stop(): Promise<void> {
    await Promise.all(this.#containers.map((container) => container.stop()));
  }

  /** Stops, for good. */
  async dispose(): Promise<void> {
    await this.stop();
    this.#unsubscribe();
  }

  /** Stops fetching; membership is kept. */
  pause(): void {
    for (const container of this.#containers) container.pause();
  }

  /** Ends a pause. */
  resume(): void {
    for (const container of this.#containers) container.resume();
  }
}
