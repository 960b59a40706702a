/**
 * A binary heap of things with a deadline, the earliest on top; each knows its place, so that it can be taken out.
 * Guarantees: push and remove in O(log n), no garbage left behind by removals.
 */

/** What the heap can hold. `heapIndex` belongs to the heap and is -1 outside of it. */
export interface HeapItem {
  readonly deadlineMs: number;
  heapIndex: number;
}

/** See the file comment. */
export class DeadlineHeap<T extends HeapItem> {
  private readonly items: T[] = [];

  get size(): number {
    return this.items.length;
  }

  /** The item with the earliest deadline. */
  peek(): T | undefined {
    return this.items[0];
  }

  push(item: T): void {
    item.heapIndex = this.items.length;
    this.items.push(item);
    this.up(item);
  }

  /** Takes an item out; harmless when it is not inside. */
  remove(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.items.pop();
    if (!last || last === item) return;
    this.place(last, index);
    this.up(last);
    this.down(last);
  }

  private place(item: T, index: number): void {
    this.items[index] = item;
    item.heapIndex = index;
  }

  private up(item: T): void {
    let index = item.heapIndex;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.items[parentIndex];
      if (!parent || parent.deadlineMs <= item.deadlineMs) break;
      this.place(parent, index);
      index = parentIndex;
    }
    this.place(item, index);
  }

  private down(item: T): void {
    let index = item.heapIndex;
    for (;;) {
      const left = this.items[2 * index + 1];
      const right = this.items[2 * index + 2];
      const child = right && left && right.deadlineMs < left.deadlineMs ? right : left;
      if (!child || child.deadlineMs >= item.deadlineMs) break;
      const childIndex = child.heapIndex;
      this.place(child, index);
      index = childIndex;
    }
    this.place(item, index);
  }
}
