/**
 * Brings the batches of one log to the disk: one write at a time, everything that arrived meanwhile joins the next.
 * Guarantees: writes and their call-backs happen in the order of the appends; after the first error nothing is written
 * any more and everything that waits is refused. A write takes neighbouring batches as one piece of memory.
 * Leaves out offsets and state: whoever enqueues has decided them.
 */
import type { Clock } from '../io/clock.js';
import type { DiskFile } from '../io/disk.js';
import { WRITE_BYTES_MAX } from '../limits.js';
import type { Segment } from './segment.js';
import type { TailChunk } from './tail-chunk.js';

/** A batch on its way to the disk; `bytes` 0 stands for an answer that has to wait for its turn. */
export interface PendingWrite {
  readonly segment: Segment;
  readonly chunk: TailChunk | null;
  /** Position in the chunk. */
  readonly at: number;
  readonly bytes: number;
  readonly recordCount: number;
  /** Log end after this batch. */
  readonly nextOffset: number;
  /** Called with null when the batch is written, with the error when it is not. */
  readonly settle: (error: Error | null, pending: PendingWrite) => void;
}

/** What the log does at the joints of writing. */
export interface WriteEvents {
  /** Makes the file of a segment ready to be written; called before its first write. */
  openSegment(segment: Segment): Promise<DiskFile>;
  /**
   * Called when the system took `bytes` bytes. The log notes them and, if its flush settings say so, returns a promise
   * that ends when they are on the device; nobody hears of the writes before that.
   */
  accepted(segment: Segment, writes: readonly PendingWrite[], bytes: number): Promise<void> | null;
  /** Called after that and before the call-backs: the log ends at `endOffset` now. */
  written(endOffset: number): void;
  /** Called once, with the first error, before anything is refused because of it. */
  failed(error: Error): void;
}

/** See the file comment. */
export class WriteQueue {
  private pending: PendingWrite[] = [];
  private inFlight = false;
  private scheduled = false;
  private failure: Error | null = null;
  private idle: (() => void)[] = [];
  private readonly start = (): void => {
    this.scheduled = false;
    if (!this.inFlight) this.next();
  };

  constructor(
    private readonly clock: Clock,
    private readonly events: WriteEvents,
  ) {}

  /** Nothing waits and nothing is being written. */
  get isIdle(): boolean {
    return this.pending.length === 0 && !this.inFlight;
  }

  /** Appends to the queue; the write begins at the end of this tick at the latest. */
  enqueue(write: PendingWrite): void {
    this.pending.push(write);
    if (this.inFlight || this.scheduled) return;
    this.scheduled = true;
    this.clock.defer(this.start);
  }

  /** Resolves when everything enqueued so far, and whatever came after it, has been settled. */
  async drain(): Promise<void> {
    if (!this.isIdle) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  /** Refuses everything that waits and all that comes. A write that is under way ends first. */
  fail(error: Error): void {
    if (this.failure) return;
    this.failure = error;
    this.events.failed(error);
    if (this.inFlight || this.scheduled) return;
    this.scheduled = true;
    this.clock.defer(this.start);
  }

  private next(): void {
    if (this.failure) {
      const refused = this.pending;
      this.pending = [];
      this.settle(refused, this.failure);
    }
    const first = this.pending[0];
    if (!first) return this.becomeIdle();
    this.inFlight = true;
    const file = first.segment.file;
    if (file) return this.write(file, first.segment);
    this.events.openSegment(first.segment).then(
      (opened) => this.write(opened, first.segment),
      (error: unknown) => this.finish([], error as Error),
    );
  }

  private write(file: DiskFile, segment: Segment): void {
    const taken = this.takeFor(segment);
    const buffers = join(taken);
    const position = segment.sizeBytes;
    if (buffers.length === 0) return this.accepted(segment, taken, 0);
    file.writev(buffers, position, (error) => {
      if (error) return this.finish(taken, error);
      let bytes = 0;
      for (const write of taken) {
        bytes += write.bytes;
        if (write.chunk) write.chunk.unwrittenBytes -= write.bytes;
      }
      this.accepted(segment, taken, bytes);
    });
  }

  /** The next writes that go to `segment`, up to the bound of one call. */
  private takeFor(segment: Segment): PendingWrite[] {
    let bytes = 0;
    let count = 0;
    for (const write of this.pending) {
      if (write.segment !== segment || (count > 0 && bytes + write.bytes > WRITE_BYTES_MAX)) break;
      bytes += write.bytes;
      count++;
    }
    if (count < this.pending.length) return this.pending.splice(0, count);
    const taken = this.pending;
    this.pending = [];
    return taken;
  }

  private accepted(segment: Segment, taken: readonly PendingWrite[], bytes: number): void {
    const flushed = this.events.accepted(segment, taken, bytes);
    if (!flushed) return this.finish(taken, null);
    flushed.then(
      () => this.finish(taken, null),
      (error: unknown) => this.finish(taken, error as Error),
    );
  }

  private finish(taken: readonly PendingWrite[], error: Error | null): void {
    this.inFlight = false;
    if (error) {
      this.fail(error);
    } else {
      const last = taken[taken.length - 1];
      if (last) this.events.written(last.nextOffset);
    }
    this.settle(taken, error);
    if (!this.inFlight) this.next();
  }

  private settle(writes: readonly PendingWrite[], error: Error | null): void {
    for (const write of writes) write.settle(error, write);
  }

  private becomeIdle(): void {
    if (this.idle.length === 0) return;
    const idle = this.idle;
    this.idle = [];
    for (const resolve of idle) resolve();
  }
}

/** The bytes of the writes as few pieces as possible: batches that follow each other in one chunk become one piece. */
function join(writes: readonly PendingWrite[]): Buffer[] {
  const buffers: Buffer[] = [];
  let chunk: TailChunk | null = null;
  let start = 0;
  let end = 0;
  for (const write of writes) {
    if (!write.chunk || write.bytes === 0) continue;
    if (write.chunk !== chunk || write.at !== end) {
      if (chunk) buffers.push(chunk.buffer.subarray(start, end));
      chunk = write.chunk;
      start = write.at;
    }
    end = write.at + write.bytes;
  }
  if (chunk) buffers.push(chunk.buffer.subarray(start, end));
  return buffers;
}
