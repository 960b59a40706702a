/**
 * The batches of what was read from a log, as a share group sees them: where they lie, and which nobody is to see.
 *
 * Guarantees: markers are hidden; for a group that reads committed records only, so are batches of aborted transactions.
 */
import {
  batchBaseOffset,
  batchLastOffset,
  batchProducerId,
  batchSizeBytes,
  BATCH_HEADER_BYTES,
  isControlBatch,
  isTransactionalBatch,
} from '@kafka-template/protocol';
import type { ReadBatch } from '../../coordinator/share/partition/acquire.js';
import type { AbortedTransaction } from '../../replication/partition.js';

/** A batch and where its bytes are. */
export interface PlacedBatch extends ReadBatch {
  readonly position: number;
  readonly sizeBytes: number;
}

/** All whole batches. `aborted` is null for those who read everything; it is sorted by first offset. */
export function readBatches(records: Buffer, aborted: readonly AbortedTransaction[] | null): PlacedBatch[] {
  const batches: PlacedBatch[] = [];
  const open = new Set<number>();
  let next = 0;
  for (let position = 0; position + BATCH_HEADER_BYTES <= records.length;) {
    const sizeBytes = batchSizeBytes(records, position);
    if (position + sizeBytes > records.length) break;
    const last = batchLastOffset(records, position);
    const producerId = batchProducerId(records, position);
    while (aborted && next < aborted.length && aborted[next]!.firstOffset <= last)
      open.add(aborted[next++]!.producerId);
    const isControl = isControlBatch(records, position);
    if (isControl) open.delete(producerId);
    const hidden = isControl || (isTransactionalBatch(records, position) && open.has(producerId));
    batches.push({ first: batchBaseOffset(records, position), last, hidden, position, sizeBytes });
    position += sizeBytes;
  }
  return batches;
}
