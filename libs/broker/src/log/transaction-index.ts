/**
 * The aborted transactions that end in one segment, for readers that want committed records only.
 * Guarantees: entries in the order of their markers; the bytes are those of Kafka's `.txnindex`.
 * Layout of an entry: version int16, producer id int64, first offset int64, last offset int64, last stable offset int64.
 */

/** One aborted transaction. `lastStableOffset` is what it was right after the marker. */
export interface AbortedTransactionEntry {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Offset of the marker. */
  readonly lastOffset: number;
  readonly lastStableOffset: number;
}

/** Size of one entry in the file. */
export const TRANSACTION_ENTRY_BYTES = 34;

/** One entry as bytes. */
export function encodeTransactionEntry(entry: AbortedTransactionEntry): Buffer {
  const out = Buffer.alloc(TRANSACTION_ENTRY_BYTES);
  out.writeBigInt64BE(BigInt(entry.producerId), 2);
  out.writeBigInt64BE(BigInt(entry.firstOffset), 10);
  out.writeBigInt64BE(BigInt(entry.lastOffset), 18);
  out.writeBigInt64BE(BigInt(entry.lastStableOffset), 26);
  return out;
}

/** The entries of the file of a segment that begins at `baseOffset`; null when they cannot be right. */
export function decodeTransactionIndex(file: Buffer, baseOffset: number): AbortedTransactionEntry[] | null {
  if (file.length % TRANSACTION_ENTRY_BYTES !== 0) return null;
  const entries: AbortedTransactionEntry[] = [];
  for (let at = 0; at < file.length; at += TRANSACTION_ENTRY_BYTES) {
    if (file.readInt16BE(at) !== 0) return null;
    const entry = {
      producerId: Number(file.readBigInt64BE(at + 2)),
      firstOffset: Number(file.readBigInt64BE(at + 10)),
      lastOffset: Number(file.readBigInt64BE(at + 18)),
      lastStableOffset: Number(file.readBigInt64BE(at + 26)),
    };
    const before = entries[entries.length - 1]?.lastOffset ?? baseOffset - 1;
    if (entry.lastOffset <= before || entry.firstOffset > entry.lastOffset || entry.firstOffset < 0) return null;
    entries.push(entry);
  }
  return entries;
}

/**
 * The aborted transactions that have records in [fromOffset, toOffset), sorted by first offset. `segments` are the
 * entries of the segments from the one that holds `fromOffset` on, in order.
 */
export function abortedTransactionsIn(
  segments: Iterable<readonly AbortedTransactionEntry[]>,
  fromOffset: number,
  toOffset: number,
): { producerId: number; firstOffset: number }[] {
  const found: { producerId: number; firstOffset: number }[] = [];
  search: for (const entries of segments) {
    for (const entry of entries) {
      if (entry.lastOffset >= fromOffset && entry.firstOffset < toOffset) {
        found.push({ producerId: entry.producerId, firstOffset: entry.firstOffset });
      }
      // Nothing that ends later can have begun before this.
      if (entry.lastStableOffset >= toOffset) break search;
    }
  }
  return found.sort((a, b) => a.firstOffset - b.firstOffset);
}
