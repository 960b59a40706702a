/**
 * Which leader wrote which part of a log: pairs of epoch and first offset, both strictly growing.
 * Guarantees: answers "where does epoch e end here", the question by which diverged logs find their common part.
 * Leaves out persistence: the log writes `leader-epoch-checkpoint` when this reports a change. Source: KIP-101, KIP-279.
 */

/** A leader epoch and the offset of its first record. */
export interface LeaderEpochEntry {
  readonly epoch: number;
  readonly startOffset: number;
}

/** Kafka's "unknown" for epochs and their offsets. */
export const UNDEFINED_EPOCH = -1;

/** See the file comment. */
export class LeaderEpochs {
  private entries: LeaderEpochEntry[];

  constructor(entries: readonly LeaderEpochEntry[] = []) {
    this.entries = [];
    for (const { epoch, startOffset } of entries) this.assign(epoch, startOffset);
  }

  /** Newest epoch, or {@link UNDEFINED_EPOCH}. */
  get latest(): number {
    return this.entries[this.entries.length - 1]?.epoch ?? UNDEFINED_EPOCH;
  }

  /** Oldest first. */
  list(): readonly LeaderEpochEntry[] {
    return this.entries;
  }

  /**
   * Notes that `epoch` begins at `startOffset`. Returns true when something changed. A known or older epoch changes
   * nothing; an epoch that begins at or before others replaces them, because their records are gone.
   */
  assign(epoch: number, startOffset: number): boolean {
    if (epoch < 0 || epoch <= this.latest) return false;
    this.entries = this.entries.filter((entry) => entry.startOffset < startOffset);
    this.entries.push({ epoch, startOffset });
    return true;
  }

  /** The epoch that wrote `offset`, or {@link UNDEFINED_EPOCH}. */
  epochOf(offset: number): number {
    for (let index = this.entries.length - 1; index >= 0; index--) {
      const entry = this.entries[index] as LeaderEpochEntry;
      if (entry.startOffset <= offset) return entry.epoch;
    }
    return UNDEFINED_EPOCH;
  }

  /**
   * The largest known epoch not above `requested`, and the offset after its last record. An epoch newer than all known
   * ones, or no epoch at all, gives -1 and -1. An epoch older than all known ones ends where the oldest begins.
   */
  endOffset(requested: number, logEndOffset: number): { leaderEpoch: number; endOffset: number } {
    if (requested === UNDEFINED_EPOCH || requested > this.latest) return { leaderEpoch: -1, endOffset: -1 };
    if (requested === this.latest) return { leaderEpoch: requested, endOffset: logEndOffset };
    const higher = this.entries.findIndex((entry) => entry.epoch > requested);
    const next = this.entries[higher] as LeaderEpochEntry;
    const floor = this.entries[higher - 1];
    return { leaderEpoch: floor?.epoch ?? requested, endOffset: next.startOffset };
  }

  /** Forgets epochs that begin at or after `endOffset`: the log was truncated. Returns true when something changed. */
  truncateFromEnd(endOffset: number): boolean {
    const kept = this.entries.filter((entry) => entry.startOffset < endOffset);
    const changed = kept.length !== this.entries.length;
    this.entries = kept;
    return changed;
  }

  /** Forgets what lies before the log start; the epoch that reaches over it begins there now. True when changed. */
  truncateFromStart(startOffset: number): boolean {
    const firstKept = this.entries.findIndex((entry) => entry.startOffset > startOffset);
    const reaching = firstKept === -1 ? this.entries.length - 1 : firstKept - 1;
    const entry = this.entries[reaching];
    if (!entry || (reaching === 0 && entry.startOffset === startOffset)) return false;
    this.entries = [{ epoch: entry.epoch, startOffset }, ...this.entries.slice(reaching + 1)];
    return true;
  }
}
