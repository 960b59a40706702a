/**
 * What a container does when partitions come and go. Called by the consumer inside `poll`, which waits for it.
 *
 * Revoked: what the partitions have earned is committed while they are still ours. Lost: nothing can be committed any more.
 * Assigned: pauses that were asked for hold again, and a group that begins at the end says so to the broker, lest
 * records that arrive before its first commit be skipped after a crash.
 */
import type { RebalanceListener, TopicPartition } from '../drivers/driver.js';
import { partitionName } from '../drivers/driver.js';
import type { ContainerRuntime } from './container-runtime.js';

/** Rebalance callbacks of one container. */
export class ContainerRebalance implements RebalanceListener {
  readonly #runtime: ContainerRuntime;

  constructor(runtime: ContainerRuntime) {
    this.#runtime = runtime;
  }

  async onPartitionsAssigned(partitions: readonly TopicPartition[]): Promise<void> {
    const { assignment, pauses, clock, publish, log, containerId } = this.#runtime.parts;
    assignment.add(partitions);
    pauses.apply(clock.now());
    publish({ type: 'partitions-assigned', partitions });
    log.info(`${containerId}: partitions assigned: ${names(partitions)}`);
    await this.#commitPositions(partitions);
  }

  async onPartitionsRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    const { strategy, committer, publish, log, containerId } = this.#runtime.parts;
    await committer.commitFinally(strategy.onRevoked(partitions));
    this.#forget(partitions);
    publish({ type: 'partitions-revoked', partitions });
    if (partitions.length > 0) log.info(`${containerId}: partitions revoked: ${names(partitions)}`);
  }

  onPartitionsLost(partitions: readonly TopicPartition[]): void {
    const { strategy, committer, publish, log, containerId } = this.#runtime.parts;
    strategy.onRevoked(partitions);
    committer.forget(partitions);
    this.#forget(partitions);
    publish({ type: 'partitions-lost', partitions });
    log.warn(`${containerId}: partitions lost, what was not committed is delivered again: ${names(partitions)}`);
  }

  #forget(partitions: readonly TopicPartition[]): void {
    const { assignment, pauses, settings } = this.#runtime.parts;
    assignment.remove(partitions);
    pauses.forget(partitions);
    settings.errorHandler.forget?.(settings.id, partitions);
  }

  /** Spring's assignmentCommitOption. */
  async #commitPositions(partitions: readonly TopicPartition[]): Promise<void> {
    const { settings, consumer, log, containerId } = this.#runtime.parts;
    const isLatest = (settings.consumer.autoOffsetReset ?? 'latest') === 'latest';
    const isWanted =
      settings.groupId !== undefined &&
      settings.consumer.enableAutoCommit !== true &&
      (settings.assignmentCommit === 'always' || (settings.assignmentCommit === 'latest-only' && isLatest));
    if (!isWanted || partitions.length === 0) return;
    try {
      const committed = await consumer.committed(partitions);
      const known = new Set(committed.filter(({ offset }) => (offset ?? -1) >= 0).map((entry) => partitionName(entry)));
      const missing = partitions.filter((partition) => !known.has(partitionName(partition)));
      if (missing.length === 0) return;
      const positions = await Promise.all(
        missing.map(async (partition) => ({ ...partition, offset: await consumer.position(partition) })),
      );
      await consumer.commitSync(positions);
    } catch (error) {
      log.debug(`${containerId}: the position at assignment was not committed: ${String(error)}`);
    }
  }
}

function names(partitions: readonly TopicPartition[]): string {
  return partitions.length === 0 ? 'none' : partitions.map(partitionName).join(', ');
}
