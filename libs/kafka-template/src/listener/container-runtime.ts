/**
 * What the loop, the rebalance callbacks and the dispatchers of one running container share.
 *
 * Made anew at every start. Holds no rules of its own except two that all of them need: how a commit failure is taken,
 * and how what was polled is put back.
 */
import type { AckWindow, Unfinished } from '../commit/ack-window.js';
import type { CommitStrategy, Offsets, RecordRef } from '../commit/commit-strategy.js';
import { type DriverConsumer, type OffsetCommit, type TopicPartition, partitionName } from '../drivers/driver.js';
import type { ContainerEventBody } from '../events/container-event.js';
import type { Clock } from '../io/clock.js';
import type { Log } from '../io/log.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import type { Assignment } from './assignment.js';
import { type Committer, isMembershipLost } from './committer.js';
import { Consumer } from './consumer.js';
import type { ContainerSettings } from './container-settings.js';
import { isFatal } from './fatal-errors.js';
import type { Pauses } from './pauses.js';
import { SeekQueue } from './seek-aware.js';

/** The parts of one running container. */
export interface RuntimeParts {
  readonly settings: ContainerSettings;
  readonly containerId: string;
  readonly consumer: DriverConsumer;
  readonly assignment: Assignment;
  readonly pauses: Pauses;
  readonly strategy: CommitStrategy;
  /** Where records may be finished out of order; undefined where they are not. */
  readonly window: AckWindow | undefined;
  readonly committer: Committer;
  readonly clock: Clock;
  readonly log: Log;
  readonly publish: (event: ContainerEventBody) => void;
  /** Whether the container has been asked to stop, and whether at once. */
  readonly stopping: () => 'no' | 'after-poll' | 'now';
  /** Stops the container because of an error. */
  readonly stopAbnormally: (error: Error) => void;
  /** Ends the poll that is waiting, if one is. */
  readonly wake: () => void;
}

/** A running container, seen from inside. */
export class ContainerRuntime {
  /** The partitions a listener has moved by hand during the present dispatch. */
  readonly sought = new Set<string>();
  /** The consumer as listeners see it. */
  readonly handle: Consumer;
  /** Seeks from outside a call of the listener. */
  readonly seeks: SeekQueue;
  /** Whether polled records are being handed out by the loop. */
  isDispatching = false;
  #held: Promise<void> | undefined;
  #raised: Error | undefined;

  constructor(readonly parts: RuntimeParts) {
    const { consumer, settings, assignment, strategy, wake, log, containerId } = parts;
    this.handle = new Consumer(
      consumer,
      (partitions) => this.onSeek(partitions),
      (offsets) => void strategy.onChosen?.(offsets),
    );
    this.seeks = new SeekQueue({
      consumer,
      groupId: settings.groupId,
      owned: () => assignment.list(),
      onSeek: (partitions) => this.onSeek(partitions),
      wake,
      log,
      containerId,
    });
  }

  /** Somebody moves positions by hand: what was delivered of the partitions counts no longer. */
  onSeek(partitions: readonly TopicPartition[]): void {
    const { strategy, window, assignment, pauses } = this.parts;
    for (const partition of partitions) {
      if (this.isDispatching) this.sought.add(partitionName(partition));
      strategy.onSeek(partition);
      pauses.setFull(partition, false);
    }
    if (window === undefined) return;
    window.forget(partitions);
    assignment.renew(partitions);
  }

  /** An error from outside the loop that the loop has to look at. */
  raise(error: Error): void {
    this.#raised ??= error;
    this.parts.wake();
  }

  /** Throws what was raised. */
  rethrow(): void {
    const error = this.#raised;
    this.#raised = undefined;
    if (error !== undefined) throw error;
  }

  /** A record is delivered. False when its partition has to wait for others to be finished first. */
  admit(record: RecordRef): boolean {
    const { window, pauses } = this.parts;
    if (window === undefined) return true;
    if (window.isFull(record) && window.sizeOf(record) > 0) {
      pauses.setFull(record, true);
      return false;
    }
    window.open(record);
    return true;
  }

  /** A record is done. Returns what may be committed now. */
  earn(record: RecordRef): Offsets | undefined {
    const { window } = this.parts;
    if (window === undefined) return this.#earned(record);
    const offsets = new Map<string, OffsetCommit>();
    for (const released of window.close(record)) {
      for (const offset of this.#earned(released) ?? []) offsets.set(partitionName(offset), offset);
    }
    this.#relieve(record);
    return offsets.size === 0 ? undefined : [...offsets.values()];
  }

  #earned(record: RecordRef): Offsets | undefined {
    const { strategy, clock } = this.parts;
    return strategy.manual ? strategy.onAcknowledged(record, clock.now()) : strategy.onProcessed(record, clock.now());
  }

  #relieve(partition: TopicPartition): void {
    const { window, pauses, wake } = this.parts;
    if (window === undefined || !pauses.isFull(partition) || !window.hasRoom(partition)) return;
    pauses.setFull(partition, false);
    wake();
  }

  /** Whether a poll beside a busy listener is on its way. */
  get isPollingHeld(): boolean {
    return this.#held !== undefined;
  }

  /** A poll while everything is held, only to stay a member. One at a time; what comes all the same is put back. */
  pollHeld(timeoutMs: number): Promise<void> {
    this.#held ??= this.#pollHeld(timeoutMs).finally(() => (this.#held = undefined));
    return this.#held;
  }

  async #pollHeld(timeoutMs: number): Promise<void> {
    const polled = await this.parts.consumer.poll(timeoutMs);
    for (const partition of polled.partitions()) this.rewind(polled.records(partition)[0]);
  }

  /** Commits. A failure is logged and made good by the next commit, unless the partitions or the container are lost. */
  async commit(offsets: Offsets | undefined): Promise<void> {
    if (offsets === undefined) return;
    try {
      await this.parts.committer.commit(offsets);
    } catch (error) {
      if (isMembershipLost(error) || isFatal(error)) throw error;
      this.parts.committer.logFailure('a commit failed; the next one covers it', error);
    }
  }

  /** The record was handled. What an error handler does with the news is its own affair. */
  handled(record: ConsumerRecord): void {
    const { errorHandler, id } = this.parts.settings;
    if (errorHandler.onSuccess === undefined) return;
    try {
      errorHandler.onSuccess(record, id);
    } catch (error) {
      this.parts.log.error(`${this.parts.containerId}: the error handler failed in onSuccess`, error);
    }
  }

  /** The partitions are gone, or the container stops. Returns what was not finished in them. */
  forget(partitions: readonly TopicPartition[]): readonly Unfinished[] {
    const { settings, pauses, assignment, window, log, containerId } = this.parts;
    const unfinished = window?.forget(partitions) ?? [];
    assignment.remove(partitions);
    pauses.forget(partitions);
    try {
      settings.errorHandler.forget?.(settings.id, partitions);
    } catch (error) {
      log.error(`${containerId}: the error handler failed in forget`, error);
    }
    return unfinished;
  }

  /** The record, and what follows it in its partition, will be polled again. */
  rewind(record: RecordRef | undefined): void {
    if (record === undefined || !this.parts.assignment.owns(record)) return;
    if (this.sought.has(partitionName(record))) return;
    this.parts.consumer.seek({ topic: record.topic, partition: record.partition }, record.offset);
  }

  /** The first of these records in each partition, and what follows it, will be polled again. */
  rewindAll(records: Iterable<RecordRef>): void {
    const seen = new Set<string>();
    for (const record of records) {
      const name = partitionName(record);
      if (seen.has(name)) continue;
      seen.add(name);
      this.rewind(record);
    }
  }
}
