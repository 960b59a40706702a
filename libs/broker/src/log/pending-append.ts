/**
 * A batch that has its place in a log, on its way to the disk, with the answer that waits for it.
 */
import type { AppendOutcome } from './append-outcome.js';
import type { Segment } from './segment.js';
import type { TailChunk } from './tail-chunk.js';
import type { PendingWrite } from './write-queue.js';

/** See the file comment. */
export class PendingAppend implements PendingWrite {
  constructor(
    readonly segment: Segment,
    readonly chunk: TailChunk | null,
    readonly at: number,
    readonly bytes: number,
    readonly recordCount: number,
    readonly nextOffset: number,
    readonly baseOffset: number,
    readonly logAppendTimeMs: number,
    readonly done: (outcome: AppendOutcome) => void,
    readonly settle: (error: Error | null, pending: PendingWrite) => void,
  ) {}
}
