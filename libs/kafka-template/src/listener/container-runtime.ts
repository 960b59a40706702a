/**
 * What the loop, the rebalance callbacks and the dispatchers of one running container share.
 *
 * Made anew at every start. Holds no rules of its own except two that all of them need: how a commit failure is taken,
 * and how what was polled is put back.
 */
import type { CommitStrategy, Offsets, RecordRef } from '../commit/commit-strategy.js';
import { type DriverConsumer, type TopicPartition, partitionName } from '../drivers/driver.js';
import type { ContainerEventBody } from '../events/container-event.js';
import type { Clock } from '../io/clock.js';
import type { Log } from '../io/log.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import type { Assignment } from './assignment.js';
import { type Committer, isMembershipLost } from './committer.js';
import type { Consumer } from './consumer.js';
import type { ContainerSettings } from './container-settings.js';
import { isFatal } from './fatal-errors.js';
import type { Pauses } from './pauses.js';

/** The parts of one running container. */
export interface RuntimeParts {
  readonly settings: ContainerSettings;
  readonly containerId: string;
  readonly consumer: DriverConsumer;
  readonly assignment: Assignment;
  readonly pauses: Pauses;
  readonly strategy: CommitStrategy;
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
  /** The consumer as listeners see it; set by the container. */
  handle!: Consumer;

  constructor(readonly parts: RuntimeParts) {}

  /** A listener moves positions by hand. */
  onSeek(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      this.sought.add(partitionName(partition));
      this.parts.strategy.onSeek(partition);
    }
  }

  /** Commits. A failure is logged and made good by the next commit, unless the partitions or the container are lost. */
  async commit(offsets: Offsets | undefined): Promise<void> {
    if (offsets === undefined) return;
    try {
      await this.parts.committer.commit(offsets);
    } catch (error) {
      if (isMembershipLost(error) || isFatal(error)) throw error;
      this.parts.log.error(`${this.parts.containerId}: a commit failed; the next one covers it`, error);
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

  /** The partitions are gone, or the container stops. */
  forget(partitions: readonly TopicPartition[]): void {
    const { settings, pauses, assignment, log, containerId } = this.parts;
    assignment.remove(partitions);
    pauses.forget(partitions);
    try {
      settings.errorHandler.forget?.(settings.id, partitions);
    } catch (error) {
      log.error(`${containerId}: the error handler failed in forget`, error);
    }
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
