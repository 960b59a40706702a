/**
 * May a batch follow what its producer has in the log? The part of an append that asks the producer state.
 */
import {
  ErrorCode,
  batchBaseSequence,
  batchLastOffsetDelta,
  batchProducerEpoch,
  batchProducerId,
  isControlBatch,
  isTransactionalBatch,
} from '@kafka-template/protocol';
import type { BatchRules } from './batch-validation.js';
import { DUPLICATE, type ProducerState } from './producer-state.js';
import { readTransactionMarker } from './transaction-marker.js';

/** 0 for yes, {@link DUPLICATE}, or Kafka's error code. */
export function checkProducer(
  producers: ProducerState,
  batch: Buffer,
  { verification, transactionVersion }: BatchRules,
): number {
  const producerId = batchProducerId(batch);
  if (producerId < 0) return ErrorCode.NONE;
  const epoch = batchProducerEpoch(batch);
  if (isControlBatch(batch)) {
    const marker = readTransactionMarker(batch, 0);
    return marker ? producers.checkMarker(marker, transactionVersion) : ErrorCode.NONE;
  }
  const baseSequence = batchBaseSequence(batch);
  const recordCount = batchLastOffsetDelta(batch) + 1;
  const facts = { producerId, epoch, baseSequence, recordCount, isTransactional: isTransactionalBatch(batch) };
  const verdict = baseSequence < 0 ? producers.checkEpoch(producerId, epoch) : producers.check(facts);
  if (verdict === DUPLICATE || verification === undefined) return verdict;
  const unverified = producers.checkVerification(facts, verification);
  return unverified === ErrorCode.NONE ? verdict : unverified;
}

/** Why a batch was refused with such a code, for the answer. */
export function sequenceRefusal(
  producers: ProducerState,
  batch: Buffer,
  errorCode: number,
): { readonly errorCode: number; readonly message: string } {
  const producerId = batchProducerId(batch);
  const entry = producers.get(producerId);
  const last = entry?.batches[entry.batches.length - 1];
  const message =
    `The batch of producer ${producerId} (epoch ${batchProducerEpoch(batch)}, first sequence ` +
    `${batchBaseSequence(batch)}) does not follow what the partition has: epoch ${entry?.epoch ?? -1}, last sequence ` +
    `${last?.lastSequence ?? -1}.`;
  return { errorCode, message };
}
