/**
 * Who is told the outcome of the records of a batch, and what they are told besides offsets.
 *
 * Guarantees nothing allocated per record once it has seen a batch as large: it is cleared and used again, as the
 * batch's buffer is. Cleared, it holds on to nothing.
 */
import type { Delivery } from './producer-record.js';

/** Numbers kept per record: timestamp, key size, value size. */
const DETAILS = 3;

/** By the place of a record in its batch. */
export class Deliveries {
  /** Records up to the last one that has a callback; those after it have none. */
  count = 0;
  /** Longer than `count` when an earlier batch was larger. */
  private readonly callbacks: (Delivery | null)[] = [];
  private readonly details: number[] = [];

  /** Keeps the callback of the record at `index`, which is behind all that are kept. */
  keep(index: number, callback: Delivery, timestamp: number, keySize: number, valueSize: number): void {
    while (this.count < index) this.put(null, 0, 0, 0);
    this.put(callback, timestamp, keySize, valueSize);
  }

  /** The callback of a record; null without. */
  callback(index: number): Delivery | null {
    return index < this.count ? (this.callbacks[index] as Delivery | null) : null;
  }

  /** Milliseconds since the epoch. Meaningful for a record with a callback, as the two below. */
  timestamp(index: number): number {
    return this.details[index * DETAILS] as number;
  }

  /** Bytes of the key, -1 without one. */
  keySize(index: number): number {
    return this.details[index * DETAILS + 1] as number;
  }

  /** Bytes of the value, -1 without one. */
  valueSize(index: number): number {
    return this.details[index * DETAILS + 2] as number;
  }

  /** Forgets all, for the next batch. */
  clear(): void {
    this.callbacks.fill(null, 0, this.count);
    this.count = 0;
  }

  private put(callback: Delivery | null, timestamp: number, keySize: number, valueSize: number): void {
    const { callbacks, details, count } = this;
    this.count = count + 1;
    if (count === callbacks.length) {
      callbacks.push(callback);
      details.push(timestamp, keySize, valueSize);
      return;
    }
    const detail = count * DETAILS;
    callbacks[count] = callback;
    details[detail] = timestamp;
    details[detail + 1] = keySize;
    details[detail + 2] = valueSize;
  }
}
