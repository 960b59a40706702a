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
    log.info(`${containerId}: partitions assigned: ${names(partitions)}`);
    await this.#settlePositions(partitions);
    assignment.settle();
    publish({ type: 'partitions-assigned', partitions });
  }

  async onPartitionsRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    const { strategy, committer, publish, log, containerId } = this.#runtime.parts;
    await committer.commitFinally(strategy.onRevoked(partitions));
    committer.forget(partitions);
    this.#runtime.forget(partitions);
    publish({ type: 'partitions-revoked', partitions });
    if (partitions.length > 0) log.info(`${containerId}: partitions revoked: ${names(partitions)}`);
  }

  onPartitionsLost(partitions: readonly TopicPartition[]): void {
    const { strategy, committer, publish, log, containerId } = this.#runtime.parts;
    strategy.onRevoked(partitions);
    committer.forget(partitions);
    this.#runtime.forget(partitions);
    publish({ type: 'partitions-lost', partitions });
    log.warn(`${containerId}: partitions lost, what was not committed is delivered again: ${names(partitions)}`);
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

function names(partitions: readonly TopicPartition[]): string {
  return partitions.length === 0 ? 'none' : partitions.map(partitionName).join(', ');
}
