/**
 * The segments of a log in the order of their offsets; there is always one, the last is the active one.
 * Guarantees: `floor` finds the segment an offset belongs to in O(log n).
 */
import { assert } from '../assert.js';
import type { Segment } from './segment.js';

/** See the file comment. */
export class Segments {
  private readonly list: Segment[];

  constructor(segments: readonly Segment[]) {
    assert(segments.length > 0, 'A log must have a segment.');
    this.list = [...segments];
  }

  get count(): number {
    return this.list.length;
  }

  get first(): Segment {
    return this.list[0] as Segment;
  }

  /** The segment that is appended to. */
  get active(): Segment {
    return this.list[this.list.length - 1] as Segment;
  }

  /** Bytes in all files. */
  get sizeBytes(): number {
    let bytes = 0;
    for (const segment of this.list) bytes += segment.sizeBytes;
    return bytes;
  }

  all(): readonly Segment[] {
    return this.list;
  }

  /** Index of the last segment that begins at or before `offset`; 0 when all begin later. */
  indexOf(offset: number): number {
    let low = 0;
    let high = this.list.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.list[middle] as Segment).baseOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  at(index: number): Segment | undefined {
    return this.list[index];
  }

  /** The segment that comes after one that is, or was, in the list; undefined after the active one. */
  after(segment: Segment): Segment | undefined {
    const index = this.indexOf(segment.baseOffset);
    const found = this.list[index];
    return found && found.baseOffset > segment.baseOffset ? found : this.list[index + 1];
  }

  /** The segments that hold offsets from `fromOffset` up to, not including, `toOffset`. */
  between(fromOffset: number, toOffset: number): Segment[] {
    return this.list.slice(this.indexOf(fromOffset)).filter(({ baseOffset }) => baseOffset < toOffset);
  }

  /** Puts one segment in the place of neighbours that hold the same offsets. */
  replace(originals: readonly Segment[], replacement: Segment): void {
    const index = this.list.indexOf(originals[0] as Segment);
    const isThere = index >= 0 && originals.every((original, at) => this.list[index + at] === original);
    assert(isThere && index + originals.length < this.list.length, 'Only sealed neighbours can be replaced.');
    assert(replacement.baseOffset === originals[0]?.baseOffset, 'A replacement must begin where the originals began.');
    this.list.splice(index, originals.length, replacement);
  }

  push(segment: Segment): void {
    assert(segment.baseOffset > this.active.baseOffset, 'A new segment must begin after the active one.');
    this.list.push(segment);
  }

  /** Takes out the first `count` segments; the active one stays. */
  removeFirst(count: number): Segment[] {
    assert(count < this.list.length, 'The active segment must stay.');
    return this.list.splice(0, count);
  }

  /** Takes out the segments from `index` on and, if that leaves none, puts `replacement` in their place. */
  removeFrom(index: number, replacement: Segment | null): Segment[] {
    const removed = this.list.splice(index);
    if (replacement) this.list.push(replacement);
    assert(this.list.length > 0, 'A log must have a segment.');
    return removed;
  }
}
