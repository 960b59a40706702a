/**
 * The control batch that ends a transaction, with its one record: key = version, type; value = version, coordinator epoch.
 * Guarantees: a control batch of another kind, or one that cannot be read, is reported as null and changes nothing.
 * Source: protocol guide, "Control Batch".
 */
import {
  BATCH_HEADER_BYTES,
  BatchBuilder,
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

const KEY_BYTES = 4;
const VALUE_BYTES = 6;
const RECORD_BYTES_MAX = 64;

/** The batch that ends a transaction, ready to be appended. */
export function transactionMarkerBatch(marker: Omit<TransactionMarker, 'offset'>): Buffer {
  const builder = new BatchBuilder({ capacityBytes: BATCH_HEADER_BYTES + RECORD_BYTES_MAX });
  const key = Buffer.alloc(KEY_BYTES);
  key.writeInt16BE(marker.isAbort ? ABORT : COMMIT, 2);
  const value = Buffer.alloc(VALUE_BYTES);
  value.writeInt32BE(marker.coordinatorEpoch, 2);
  builder.append(marker.timestamp, key, value, null);
  const { producerId, epoch: producerEpoch } = marker;
  return builder.finish({ producerId, producerEpoch, baseSequence: -1, transactional: true, control: true });
}

/** The transaction marker in the control batch at a position, or null. */
export function readTransactionMarker(block: Buffer, at: number): TransactionMarker | null {
  try {
    const reader = new RecordReader(block.subarray(at));
    if (!reader.nextBatch() || !reader.nextRecord()) return null;
    const key = reader.key();
    const value = reader.value();
    if (!key || key.length < KEY_BYTES || !value || value.length < VALUE_BYTES) return null;
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
