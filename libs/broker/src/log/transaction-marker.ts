/**
 * The record in a control batch that ends a transaction: key = version, type; value = version, coordinator epoch.
 * Guarantees: a control batch of another kind, or one that cannot be read, is reported as null and changes nothing.
 * Source: protocol guide, "Control Batch".
 */
import {
  ProtocolError,
  RecordReader,
  batchLastOffset,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId,
} from '@kafka-template/protocol';
import type { TransactionMarker } from './producer-state.js';

const ABORT = 0;
const COMMIT = 1;

/** The transaction marker in the control batch at a position, or null. */
export function readTransactionMarker(block: Buffer, at: number): TransactionMarker | null {
  try {
    const reader = new RecordReader(block.subarray(at));
    if (!reader.nextBatch() || !reader.nextRecord()) return null;
    const key = reader.key();
    const value = reader.value();
    if (!key || key.length < 4 || !value || value.length < 6) return null;
    const type = key.readInt16BE(2);
    if (type !== ABORT && type !== COMMIT) return null;
    return {
      producerId: batchProducerId(block, at),
      epoch: batchProducerEpoch(block, at),
      coordinatorEpoch: value.readInt32BE(2),
      isAbort: type === ABORT,
      offset: batchLastOffset(block, at),
      timestamp: batchMaxTimestamp(block, at),
    };
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}
