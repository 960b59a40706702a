/**
 * Which batches of one fetch response a `read_committed` consumer must not see (KIP-98).
 *
 * Guarantees: a transaction's data is dropped from its first offset until its *control* batch says "aborted", for any
 * number of transactions, interleaved or one after the other, and also when the marker lies beyond the response.
 * The broker lists every aborted transaction that overlaps the response, so the state lives as long as one response.
 * Leaves out transactions still open: the broker never sends what lies behind the last stable offset.
 */

/** An aborted transaction, as a fetch response lists it. */
export interface AbortedTransaction {
  readonly producerId: number;
  /** Offset of the transaction's first record in this partition. */
  readonly firstOffset: number;
}

/** What the filter needs to know of a batch. */
export interface FilteredBatch {
  readonly producerId: number;
  readonly lastOffset: number;
  readonly transactional: boolean;
  /** Whether this is a control batch that ends its producer's transaction as aborted. */
  readonly abortMarker: boolean;
}

/** The filter of one partition of one response; batches must be given to it in the order of their offsets. */
export class AbortedFilter {
  /** In order of the first offset; those before `next` have begun. */
  private readonly transactions: readonly AbortedTransaction[];
  private next = 0;
  /** Producers inside an aborted transaction at the present position. */
  private readonly aborted = new Set<number>();

  constructor(transactions: readonly AbortedTransaction[]) {
    this.transactions = [...transactions].sort((one, other) => one.firstOffset - other.firstOffset);
  }

  /** Whether the data of this batch belongs to an aborted transaction. Markers themselves are never data. */
  drops(batch: FilteredBatch): boolean {
    if (batch.producerId < 0) return false;
    this.beginUpTo(batch.lastOffset);
    if (batch.abortMarker) {
      this.aborted.delete(batch.producerId);
      return false;
    }
    return batch.transactional && this.aborted.has(batch.producerId);
  }

  /**
   * Takes *all* transactions that have begun at or before the offset: a fetch may start in the middle of several, and
   * then their first offsets all lie before the first batch.
   */
  private beginUpTo(lastOffset: number): void {
    for (; this.next < this.transactions.length; this.next++) {
      const transaction = this.transactions[this.next] as AbortedTransaction;
      if (transaction.firstOffset > lastOffset) return;
      this.aborted.add(transaction.producerId);
    }
  }
}
