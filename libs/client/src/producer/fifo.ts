/**
 * A first-in-first-out queue that stays fast with a million entries, where `Array.shift` copies.
 *
 * The owner bounds its length.
 */

/** Entries that were taken before the space is given back. */
const COMPACT_AFTER = 1024;

/** The queue. */
export class Fifo<T> {
  private items: (T | undefined)[] = [];
  private head = 0;

  /** Entries in the queue. */
  get length(): number {
    return this.items.length - this.head;
  }

  /** The oldest entry; undefined when empty. */
  get first(): T | undefined {
    return this.items[this.head];
  }

  /** Adds an entry at the end. */
  push(item: T): void {
    this.items.push(item);
  }

  /** Takes out all entries that match; the others keep their order. */
  take(matches: (item: T) => boolean): T[] {
    const taken: T[] = [];
    const kept: T[] = [];
    for (const item of this.items.slice(this.head) as T[]) (matches(item) ? taken : kept).push(item);
    this.items = kept;
    this.head = 0;
    return taken;
  }

  /** Takes the oldest entry; undefined when empty. */
  shift(): T | undefined {
    if (this.head === this.items.length) return undefined;
    const item = this.items[this.head];
    this.items[this.head] = undefined;
    this.head += 1;
    if (this.head >= COMPACT_AFTER && this.head * 2 >= this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }
}
