/**
 * What a container does when partitions come and go. Called by the consumer inside `poll`, which waits for it.
 *
 * Revoked: what the partitions have earned is committed while they are still ours. Lost: nothing can be committed any more.
 * Assigned: pauses that were asked for hold again, and a group that begins at the end says so to the broker, lest
 * records that arrive before its first commit be skipped after a crash.
 */
import type { RebalanceListener, TopicPartition } from '../drivers/driver.js';
import { partitionName } from '../drivers/driver.js';
import { messageOf } from '../errors.js';
import type { Unfinished } from '../commit/ack-window.js';
import type { ContainerRebalanceListener } from './container-rebalance-listener.js';
import type { ContainerRuntime } from './container-runtime.js';

/** Rebalance callbacks of one container. */
export class ContainerRebalance implements RebalanceListener {
  readonly #runtime: ContainerRuntime;

  readonly #drain: (partitions: readonly TopicPartition[]) => Promise<void>;

  /** `drain` waits for the records of partitions that are being handled. */
  constructor(runtime: ContainerRuntime, drain: (partitions: readonly TopicPartition[]) => Promise<void>) {
    this.#runtime = runtime;
    this.#drain = drain;
  }

  async onPartitionsAssigned(partitions: readonly TopicPartition[]): Promise<void> {
    const { assignment, pauses, clock, publish, log, containerId } = this.#runtime.parts;
    assignment.add(partitions);
    pauses.apply(clock.now());
    log.info(`${containerId}: partitions assigned: ${names(partitions)}`);
    await this.#settlePositions(partitions);
    await this.#tell('onPartitionsAssigned', partitions);
    const { seekAware } = this.#runtime.parts.settings;
    await this.#guard('seekAware.onPartitionsAssigned', () =>
      seekAware?.onPartitionsAssigned?.(partitions, this.#runtime.seeks),
    );
    await this.#runtime.seeks.run();
    assignment.settle();
    publish({ type: 'partitions-assigned', partitions });
  }

  async #tell(callback: keyof ContainerRebalanceListener, partitions: readonly TopicPartition[]): Promise<void> {
    const listener = this.#runtime.parts.settings.rebalanceListener;
    if (listener?.[callback] === undefined) return;
    await this.#guard(`rebalanceListener.${callback}`, () => listener[callback]?.(partitions, this.#runtime.handle));
  }

  /** What an application's callback throws is its own affair. */
  async #guard(name: string, call: () => unknown): Promise<void> {
    const { log, containerId } = this.#runtime.parts;
    try {
      const returned = call();
      if (returned instanceof Promise) await returned;
    } catch (error) {
      log.error(`${containerId}: ${name} failed`, error);
    }
  }

  async onPartitionsRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    const { strategy, committer, publish, log, containerId, settings } = this.#runtime.parts;
    await this.#tell('onPartitionsRevokedBeforeCommit', partitions);
    await this.#drain(partitions);
    await committer.commitFinally(strategy.onRevoked(partitions));
    committer.forget(partitions);
    await this.#tell('onPartitionsRevokedAfterCommit', partitions);
    await this.#guard('seekAware.onPartitionsRevoked', () => settings.seekAware?.onPartitionsRevoked?.(partitions));
    publish({ type: 'partitions-revoked', partitions, ...reportOf(this.#runtime.forget(partitions)) });
    if (partitions.length > 0) log.info(`${containerId}: partitions revoked: ${names(partitions)}`);
  }

  async onPartitionsLost(partitions: readonly TopicPartition[]): Promise<void> {
    const { strategy, committer, publish, log, containerId } = this.#runtime.parts;
    strategy.onRevoked(partitions);
    committer.forget(partitions);
    publish({ type: 'partitions-lost', partitions, ...reportOf(this.#runtime.forget(partitions)) });
    log.warn(`${containerId}: partitions lost, what was not committed is delivered again: ${names(partitions)}`);
    await this.#tell('onPartitionsLost', partitions);
  }

  /**
   * A consumer that begins at the end looks up where that is now, not with the first record; whatever is sent once the
   * assignment is known to be there is received. What is found is committed (Spring's assignmentCommitOption).
   */
  async #settlePositions(partitions: readonly TopicPartition[]): Promise<void> {
    const { settings, consumer, log, containerId } = this.#runtime.parts;
    const isLatest = (settings.consumer.autoOffsetReset ?? 'latest') === 'latest';
    const hasCommits = settings.groupId !== undefined && settings.consumer.enableAutoCommit !== true;
    const isCommitting =
      hasCommits &&
      (settings.assignmentCommit === 'always' || (settings.assignmentCommit === 'latest-only' && isLatest));
    if (partitions.length === 0 || !(isLatest || isCommitting)) return;
    try {
      const missing = isCommitting ? await this.#withoutCommit(partitions) : partitions;
      const positions = await Promise.all(
        missing.map(async ({ topic, partition }) => {
          return { topic, partition, offset: await consumer.position({ topic, partition }) };
        }),
      );
      if (isCommitting && positions.length > 0) await consumer.commitSync(positions);
    } catch (error) {
      log.debug(`${containerId}: the positions at assignment were not settled: ${messageOf(error)}`);
    }
  }

  async #withoutCommit(partitions: readonly TopicPartition[]): Promise<readonly TopicPartition[]> {
    const committed = await this.#runtime.parts.consumer.committed(partitions);
    const known = new Set(committed.filter(({ offset }) => (offset ?? -1) >= 0).map((entry) => partitionName(entry)));
    return partitions.filter((partition) => !known.has(partitionName(partition)));
  }
}

/** Named only when there is something to report. */
function reportOf(unfinished: readonly Unfinished[]): { unfinished?: readonly Unfinished[] } {
  return unfinished.length === 0 ? {} : { unfinished };
}

function names(partitions: readonly TopicPartition[]): string {
  return partitions.length === 0 ? 'none' : partitions.map(partitionName).join(', ');
}
