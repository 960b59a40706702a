/**
 * A listener whose every call is a transaction: what it sends and the offsets of what it was called with are committed together.
 *
 * A record listener has a transaction for each record, a batch listener one for each poll. When it fails, the transaction is
 * aborted, and the error handler decides as ever. A member that has lost its partitions meanwhile is refused by the broker
 * (KIP-447). Offsets of what an error handler has recovered are committed by the consumer.
 */
import type { CommitStrategy } from '../commit/commit-strategy.js';
import type { ConsumerGroupMetadata, OffsetCommit } from '../drivers/driver.js';
import { partitionName } from '../drivers/driver.js';
import { BatchListenerFailedError, KafkaTemplateError, asError } from '../errors.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import type { MessageListener } from './message-listener.js';

/** What a transaction offers to the listener around which it is. */
export interface TransactionScope {
  sendOffsetsToTransaction(offsets: readonly OffsetCommit[], group: ConsumerGroupMetadata): Promise<void>;
}

/** Runs work in a transaction: a KafkaTemplate. */
export interface TransactionRunner {
  executeInTransaction<T>(work: (scope: TransactionScope) => T | PromiseLike<T>): Promise<T>;
}

/** Commits nothing that a transaction has, and at once what was recovered. */
export const transactionStrategy: CommitStrategy = {
  manual: true,
  onProcessed: () => undefined,
  onBatchProcessed: () => undefined,
  onPollDone: () => undefined,
  onAcknowledged: ({ topic, partition, offset }) => [{ topic, partition, offset: offset + 1 }],
  onFailed: () => undefined,
  onRevoked: () => undefined,
  onSeek: () => undefined,
};

/** The same listener, in transactions. */
export function transactionalListener(listener: MessageListener, runner: TransactionRunner): MessageListener {
  if (!listener.batch) {
    const { onRecord, seekAware } = listener;
    return {
      batch: false,
      seekAware,
      onRecord: (record, acknowledgment, consumer) => {
        const group = consumer.groupMetadata();
        return runner.executeInTransaction(async (scope) => {
          await onRecord(record, acknowledgment, consumer);
          await scope.sendOffsetsToTransaction(offsetsAfter([record]), group);
        });
      },
    };
  }
  const { onBatch, seekAware } = listener;
  return {
    batch: true,
    seekAware,
    onBatch: async (records, acknowledgment, consumer) => {
      // Asked before the listener works: a rebalance meanwhile must not lend it the rights of the new generation.
      const group = consumer.groupMetadata();
      try {
        await runner.executeInTransaction(async (scope) => {
          await onBatch(records, acknowledgment, consumer);
          await scope.sendOffsetsToTransaction(offsetsAfter(records), group);
        });
      } catch (error) {
        throw error instanceof BatchListenerFailedError ? wholeBatchFailed(error) : error;
      }
    },
  };
}

/** What comes before the record that failed was undone with the rest: the batch has failed as a whole. */
function wholeBatchFailed(error: BatchListenerFailedError): Error {
  return error.cause === undefined ? new KafkaTemplateError(error.code, error.message) : asError(error.cause);
}

function offsetsAfter(records: readonly ConsumerRecord[]): OffsetCommit[] {
  const offsets = new Map<string, OffsetCommit>();
  for (const { topic, partition, offset } of records) {
    offsets.set(partitionName({ topic, partition }), { topic, partition, offset: offset + 1 });
  }
  return [...offsets.values()];
}
