/**
 * Giving partitions up, and telling the listener of it: the same for both group protocols.
 *
 * Guarantees the order: no more fetching or handing out, then the listener, awaited, then the last commit, then they are
 * gone. Of partitions that are lost nothing is committed.
 */
import { ClientErrorCode, KafkaError } from '../../errors.js';
import type { ConsumerContext } from '../consumer-context.js';
import type { PartitionState } from '../partition-state.js';
import type { RebalanceListener } from '../rebalance-listener.js';
import { partitionNames, type TopicPartition } from '../topic-partition.js';

/** What the rest of the consumer does at the turning points. */
export interface RebalanceHooks {
  /** The last commit before partitions are given up, and the end of earlier ones. Never rejects. */
  commitBeforeRevocation(): Promise<void>;
  /** No commit may be under way when JoinGroup is sent: it would wait behind it. Never rejects. */
  awaitCommits(): Promise<void>;
  /** New partitions are in place. */
  onAssigned(): void;
}

/** Gives up partitions. With none it is the commit alone. Rejects with the listener's error, at the end. */
export async function releasePartitions(
  context: ConsumerContext,
  hooks: RebalanceHooks,
  states: readonly PartitionState[],
  isLost: boolean,
): Promise<void> {
  for (const state of states) state.beginRevocation();
  const partitions = states.map((state) => state.topicPartition);
  try {
    if (partitions.length > 0) await tellGivenUp(context, partitions, isLost);
  } finally {
    if (isLost) await hooks.awaitCommits();
    else await hooks.commitBeforeRevocation();
    context.subscriptions.release(states);
  }
}

async function tellGivenUp(context: ConsumerContext, partitions: TopicPartition[], isLost: boolean): Promise<void> {
  const { listener } = context.subscriptions;
  const { logger } = context.options;
  if (isLost) logger.warn(`Partitions were lost, because the membership was: ${partitionNames(partitions)}.`);
  const method = isLost && listener.onPartitionsLost !== undefined ? 'onPartitionsLost' : 'onPartitionsRevoked';
  await callListener(listener, method, partitions);
}

/** Calls a listener method, if there is one; the caller gets copies of its own to keep or change. */
export async function callListener(
  listener: RebalanceListener,
  method: keyof RebalanceListener,
  partitions: readonly TopicPartition[],
): Promise<void> {
  try {
    await listener[method]?.(partitions.map(({ topic, partition }) => ({ topic, partition })));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KafkaError(ClientErrorCode.LISTENER_FAILED, `The rebalance listener's ${method} threw: ${reason}`, {
      cause: error,
    });
  }
}
