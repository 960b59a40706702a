/**
 * How many appended bytes of the whole broker still wait for the disk.
 * Guarantees: one number to ask before taking more, and one call when it has fallen again.
 * Leaves out stopping anybody: connections stop reading, and the log refuses appends beyond the hard bound.
 */
import { UNWRITTEN_BYTES_HIGH, UNWRITTEN_BYTES_MAX } from '../limits.js';

/** See the file comment. */
export class WritePressure {
  private bytes = 0;
  private waiting: (() => void)[] = [];

  constructor(
    private readonly highBytes: number = UNWRITTEN_BYTES_HIGH,
    private readonly bytesMax: number = UNWRITTEN_BYTES_MAX,
  ) {}

  /** Bytes appended and not yet accepted by the operating system. */
  get unwrittenBytes(): number {
    return this.bytes;
  }

  /** Time to stop reading produce requests. */
  get isHigh(): boolean {
    return this.bytes >= this.highBytes;
  }

  /** No room for another `bytes`; an append is refused. */
  isFull(bytes: number): boolean {
    return this.bytes + bytes > this.bytesMax;
  }

  /** Calls `fn` once, when the pressure is low again; at once when it is not high. */
  onRelief(fn: () => void): void {
    if (this.isHigh) this.waiting.push(fn);
    else fn();
  }

  added(bytes: number): void {
    this.bytes += bytes;
  }

  removed(bytes: number): void {
    this.bytes -= bytes;
    if (this.waiting.length === 0 || this.bytes > this.highBytes / 2) return;
    const waiting = this.waiting;
    this.waiting = [];
    for (const fn of waiting) fn();
  }
}
