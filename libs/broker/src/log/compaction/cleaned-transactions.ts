/**
 * Which transactions a walk over a log is inside of, and which of their batches and markers may go.
 * Guarantees: data of aborted transactions may go at once; a marker only when the walk has met no batch of its transaction.
 * Leaves out the delete horizon that a marker must have passed as well. Source: Kafka, `CleanedTransactionMetadata`.
 */
import { batchLastOffset, batchProducerId, batchRecordCount, isTransactionalBatch } from '@kafka-template/protocol';
import type { AbortedTransactionEntry } from '../transaction-index.js';
import { readTransactionMarker } from '../transaction-marker.js';

interface OpenAborted {
  readonly entry: AbortedTransactionEntry;
  hasData: boolean;
}

/** What to do about a control batch. */
export interface MarkerVerdict {
  /** Nothing of its transaction is left. */
  readonly isObsolete: boolean;
  /** The entry of the transaction index that ends with this marker. */
  readonly aborted: AbortedTransactionEntry | null;
}

const OBSOLETE: MarkerVerdict = { isObsolete: true, aborted: null };
const NEEDED: MarkerVerdict = { isObsolete: false, aborted: null };

/** See the file comment. */
export class CleanedTransactions {
  private readonly committed = new Set<number>();
  private readonly aborted = new Map<number, OpenAborted>();
  /** Sorted by first offset, the next one last. */
  private readonly coming: AbortedTransactionEntry[];

  /** @param entries the aborted transactions that have records in the part of the log that is walked over. */
  constructor(entries: readonly AbortedTransactionEntry[]) {
    this.coming = [...entries].sort((a, b) => b.firstOffset - a.firstOffset);
  }

  /** Notes a data batch. True when its transaction is aborted, so that its records may go. */
  data(block: Buffer, at: number): boolean {
    this.enter(batchLastOffset(block, at));
    if (!isTransactionalBatch(block, at)) return false;
    const producerId = batchProducerId(block, at);
    const aborted = this.aborted.get(producerId);
    if (!aborted) {
      this.committed.add(producerId);
      return false;
    }
    aborted.hasData = true;
    return true;
  }

  /** Notes a control batch. */
  marker(block: Buffer, at: number): MarkerVerdict {
    this.enter(batchLastOffset(block, at));
    // Of an empty one everything but its place was removed before.
    if (batchRecordCount(block, at) === 0) return OBSOLETE;
    const marker = readTransactionMarker(block, at);
    if (!marker) return NEEDED;
    const { producerId } = marker;
    if (!marker.isAbort) return this.committed.delete(producerId) ? NEEDED : OBSOLETE;
    const open = this.aborted.get(producerId);
    this.aborted.delete(producerId);
    return { isObsolete: !open?.hasData, aborted: open?.entry ?? null };
  }

  private enter(offset: number): void {
    for (let next = this.coming.at(-1); next && next.firstOffset <= offset; next = this.coming.at(-1)) {
      this.coming.pop();
      if (!this.aborted.has(next.producerId)) this.aborted.set(next.producerId, { entry: next, hasData: false });
    }
  }
}
