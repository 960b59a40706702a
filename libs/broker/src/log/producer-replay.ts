/**
 * Feeds batches that are already in a log to a producer state: after a start, after a truncation, on a follower.
 * Guarantees: the same effect as appending them one by one, without the checks.
 */
import {
  batchBaseOffset,
  batchBaseSequence,
  batchLastOffset,
  batchLastOffsetDelta,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId,
  isControlBatch,
  isTransactionalBatch,
} from '@kafka-template/protocol';
import type { ProducerState } from './producer-state.js';
import type { AbortedTransactionEntry } from './transaction-index.js';
import { readTransactionMarker } from './transaction-marker.js';

/**
 * Notes the batch at a position of `block`. Returns the index entry of a transaction that it aborts, else null.
 * `nowMs` is the wall clock, from which the expiry of the producer counts.
 */
export function replayBatch(
  producers: ProducerState,
  block: Buffer,
  at: number,
  nowMs: number,
): AbortedTransactionEntry | null {
  const producerId = batchProducerId(block, at);
  if (producerId < 0) return null;
  if (isControlBatch(block, at)) return replayMarker(producers, block, at, nowMs);
  const baseSequence = batchBaseSequence(block, at);
  const isTransactional = isTransactionalBatch(block, at);
  if (baseSequence < 0 && !isTransactional) return null;
  const batch = {
    producerId,
    epoch: batchProducerEpoch(block, at),
    baseSequence,
    // Sequences count offsets, not the records that compaction left.
    recordCount: batchLastOffsetDelta(block, at) + 1,
    isTransactional,
  };
  const place = {
    baseOffset: batchBaseOffset(block, at),
    lastOffset: batchLastOffset(block, at),
    timestamp: batchMaxTimestamp(block, at),
  };
  producers.append(batch, place, nowMs);
  return null;
}

function replayMarker(
  producers: ProducerState,
  block: Buffer,
  at: number,
  nowMs: number,
): AbortedTransactionEntry | null {
  const marker = readTransactionMarker(block, at);
  const ended = marker && producers.appendMarker(marker, nowMs);
  if (!ended?.isAborted) return null;
  const lastStableOffset = Math.min(producers.firstOngoingOffset(), ended.lastOffset + 1);
  return { ...ended, lastStableOffset };
}
