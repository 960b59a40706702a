/**
 * The consumers of one listener, as one: started, stopped and paused together. Spring's ConcurrentMessageListenerContainer.
 *
 * Consumers of a group share its partitions; partitions named one by one are dealt out evenly. When one of the
 * consumers ends by a fatal error, the others are stopped too, rather than left to serve a part.
 */
import type { Unfinished } from '../commit/ack-window.js';
import { type TopicPartition, partitionName } from '../drivers/driver.js';
import { KafkaTemplateError, KafkaTemplateErrorCode } from '../errors.js';
import type { StopReason } from '../events/container-event.js';
import { CommitFailureLog } from './commit-failure-log.js';
import type { ContainerSettings } from './container-settings.js';
import { type ContainerEnvironment, ListenerContainer } from './listener-container.js';
import type { SeekCallback } from './seek-aware.js';

/** What a listener's container is doing, all its consumers taken together. */
export interface ContainerStatus {
  /** Id of the listener. */
  readonly id: string;
  /** Its group; undefined without one. */
  readonly groupId: string | undefined;
  /** Whether any of its consumers runs. */
  readonly isRunning: boolean;
  /** Whether a pause has been asked for. */
  readonly isPaused: boolean;
  /** False when it, or one of its consumers, stopped although nobody asked. */
  readonly isInExpectedState: boolean;
  /** The partitions of all its consumers. */
  readonly assignment: readonly TopicPartition[];
  /** The last error that reached a loop. */
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
    const commitFailures = new CommitFailureLog(settings.id, environment.log, environment.clock);
    this.#containers = Array.from(
      { length: count },
      (_, index) => new ListenerContainer(settings, environment, { index, count, commitFailures }),
    );
    this.#unsubscribe = environment.events.subscribe((event) => {
      if (event.listenerId !== settings.id || event.type !== 'stopped') return;
      this.#tellWhenAllStopped(environment, event.reason);
      // One that starts again by itself leaves the others alone.
      if (event.reason === 'NORMAL' || event.restartInMs !== undefined) return;
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

  #tellWhenAllStopped({ events }: ContainerEnvironment, reason: StopReason): void {
    if (this.#containers.some((container) => container.state !== 'stopped' || container.isStartRequested)) return;
    events.publish({ type: 'container-stopped', reason }, { containerId: this.id, listenerId: this.id });
  }

  /**
   * Stops all consumers and waits for them, each up to `shutdownTimeoutMs`. Tells which records were delivered and not
   * finished, as far as they are known one by one (`asyncAcks`, `keyConcurrency`).
   */
  async stop(): Promise<readonly Unfinished[]> {
    const reports = await Promise.all(this.#containers.map((container) => container.stop()));
    return reports.flat();
  }

  /** Stops fetching from one partition, whichever consumer has it, now and after rebalances. */
  pausePartition(partition: TopicPartition): void {
    for (const container of this.#containers) container.pausePartition(partition);
  }

  /** Ends a pause of one partition. */
  resumePartition(partition: TopicPartition): void {
    for (const container of this.#containers) container.resumePartition(partition);
  }

  /** Whether a pause of the partition has been asked for. */
  isPartitionPauseRequested(partition: TopicPartition): boolean {
    return this.#containers.some((container) => container.isPartitionPauseRequested(partition));
  }

  /** Whether the consumer that has the partition has paused it, for whatever reason. */
  isPartitionPaused(partition: TopicPartition): boolean {
    return this.#containers.some((container) => container.isPartitionPaused(partition));
  }

  /**
   * Moves positions, in whichever consumer has the partition, before its next poll. Throws ILLEGAL_STATE when none has it.
   */
  seek(partition: TopicPartition, offset: number): void {
    this.#seeksOf(partition).seek(partition, offset);
  }

  /** `count` records forward (or, below 0, back) from there, not past either end. Throws as `seek` does. */
  seekRelative(partition: TopicPartition, count: number, from: 'beginning' | 'end' | 'current'): void {
    this.#seeksOf(partition).seekRelative(partition, count, from);
  }

  /** All partitions to the first record there is. */
  seekToBeginning(): void {
    for (const container of this.#containers) container.seeks?.seekToBeginning();
  }

  /** All partitions past the last record there is. */
  seekToEnd(): void {
    for (const container of this.#containers) container.seeks?.seekToEnd();
  }

  /** All partitions to the first record at or after that time in epoch milliseconds, or to the end. */
  seekToTimestamp(timestamp: number): void {
    for (const container of this.#containers) container.seeks?.seekToTimestamp(timestamp);
  }

  #seeksOf(partition: TopicPartition): SeekCallback {
    const name = partitionName(partition);
    const owner = this.#containers.find((container) => container.assignment.some((one) => partitionName(one) === name));
    if (owner?.seeks !== undefined) return owner.seeks;
    throw new KafkaTemplateError(
      KafkaTemplateErrorCode.ILLEGAL_STATE,
      `Listener ${this.id} cannot seek in ${name}: it has ${this.assignment.map(partitionName).join(', ') || 'no partition'} now`,
    );
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
