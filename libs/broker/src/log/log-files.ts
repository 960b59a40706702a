/**
 * What a log does with its files besides writing batches: opening, sealing, forcing to the device, removing.
 * Guarantees: these tasks run one after the other, so a file is never closed under another task; the recovery point only
 * covers bytes that are on the device.
 * Leaves out deciding: the log says when.
 */
import type { Timer } from '../io/clock.js';
import type { DiskFile } from '../io/disk.js';
import { SegmentSuffix, segmentFileName } from './file-names.js';
import type { LogContext } from './log-context.js';
import type { Segment } from './segment.js';
import type { Segments } from './segments.js';

/** See the file comment. */
export class LogFiles {
  private last: Promise<void> = Promise.resolve();
  private isDirectorySynced = false;
  private readonly snapshots = new Map<Segment, Buffer>();
  /** Segments that compaction has replaced, until nobody can be reading them any more. */
  private readonly replaced = new Map<Timer, readonly Segment[]>();
  private readonly opening = new WeakMap<Segment, Promise<DiskFile>>();

  constructor(
    private readonly context: LogContext,
    private readonly directory: string,
    private readonly segments: Segments,
    /** Offset up to which the log is on the device; what is above is checked after a crash. */
    public recoveryPoint: number,
    private readonly onError: (error: Error) => void,
  ) {}

  /** Keeps the producer state of the moment a segment began, to be written when its predecessor is sealed. */
  rolled(next: Segment, snapshot: Buffer): void {
    this.snapshots.set(next, snapshot);
  }

  /** Opens a segment for writing, once. Its predecessor is complete then, and is sealed in the background. */
  openSegment(segment: Segment): Promise<DiskFile> {
    let opening = this.opening.get(segment);
    if (!opening) {
      const before = this.segments.at(this.segments.indexOf(segment.baseOffset) - 1);
      this.run(() => this.seal(before, segment)).catch(this.onError);
      opening = this.openFile(segment);
      this.opening.set(segment, opening);
    }
    return opening;
  }

  /**
   * Removes segments when the log goes on with an empty one: that is on the device before the others go, because the name
   * of its file is all that knows the offsets then.
   */
  async replace(removed: readonly Segment[], next: Segment): Promise<void> {
    const file = await this.openSegment(next);
    await this.run(() => this.syncSegment(next, file));
    await this.remove(removed);
  }

  /** Forces everything that was accepted, up to `endOffset` at least, to the device. */
  sync(endOffset: number): Promise<void> {
    return this.run(async () => {
      const all = this.segments.all();
      for (let index = all.length - 1; index >= 0; index--) {
        const segment = all[index] as Segment;
        if (segment.file && !segment.isSynced) await this.syncSegment(segment, segment.file);
        // A segment with bytes but without a handle is sealed, and so are all before it.
        if (!segment.file && segment.sizeBytes > 0) break;
      }
      this.recoveryPoint = Math.max(this.recoveryPoint, endOffset);
    });
  }

  /** Writes what the index files of the active segment lack. */
  flushIndexes(): Promise<void> {
    const segment = this.segments.active;
    return this.run(() => segment.flushIndexes(this.context.disk, { seal: false, sync: false }));
  }

  /** Removes the files of segments that are no longer part of the log, after their last readers. */
  remove(removed: readonly Segment[]): Promise<void> {
    return this.run(async () => {
      for (const segment of removed) {
        this.context.indexes.forget(segment);
        await this.context.files.close(segment.logPath);
        await segment.file?.close();
        segment.file = null;
        await segment.remove(this.context.disk);
      }
    });
  }

  /** The same after `delayMs`, or when the log is closed. A start removes what cannot be removed now. */
  removeLater(removed: readonly Segment[], delayMs: number): void {
    const timer = this.context.clock.setTimer(delayMs, () => {
      this.replaced.delete(timer);
      this.remove(removed).catch((error: unknown) => {
        this.context.logger.warn(`${this.directory}: replaced segments are removed at the next start`, { error });
      });
    });
    this.replaced.set(timer, removed);
  }

  /**
   * Cuts what a failed write may have left behind the accepted bytes; only when nothing is being written. Failing again is
   * no news.
   */
  cutFailedWrite(): Promise<void> {
    return this.run(async () => {
      for (const segment of this.segments.all()) {
        await segment.file?.truncate(segment.sizeBytes).catch(() => undefined);
      }
    });
  }

  /** Brings everything to the device and closes all files. `snapshot` is the producer state at `endOffset`. */
  async close(endOffset: number, snapshot: Buffer): Promise<void> {
    await this.removeReplaced();
    return this.run(async () => {
      const { disk } = this.context;
      const all = this.segments.all();
      for (const [index, next] of all.slice(1).entries()) await this.seal(all[index], next);
      const { active } = this.segments;
      await active.flushIndexes(disk, { seal: true, sync: true });
      if (active.file) await this.syncSegment(active, active.file);
      await disk.replaceFile(this.snapshotPath(endOffset), snapshot, { sync: true });
      this.recoveryPoint = endOffset;
      await this.closeHandles();
    });
  }

  /** Closes all files as they are. */
  async abandon(): Promise<void> {
    await this.removeReplaced();
    return this.run(() => this.closeHandles());
  }

  private async removeReplaced(): Promise<void> {
    for (const [timer, segments] of this.replaced) {
      this.context.clock.clearTimer(timer);
      await this.remove(segments).catch(() => undefined);
    }
    this.replaced.clear();
  }

  private async openFile(segment: Segment): Promise<DiskFile> {
    segment.file ??= await this.context.disk.open(segment.logPath, segment.sizeBytes === 0 ? 'create' : 'write');
    return segment.file;
  }

  private async closeHandles(): Promise<void> {
    for (const segment of this.segments.all()) {
      await this.context.files.close(segment.logPath);
      this.context.indexes.forget(segment);
      const { file } = segment;
      segment.file = null;
      await file?.close().catch(() => undefined);
    }
  }

  /** Completes the files of a segment that gets no more batches. Doing it again changes nothing. */
  private async seal(segment: Segment | undefined, next: Segment): Promise<void> {
    const { disk, indexes } = this.context;
    const snapshot = this.snapshots.get(next);
    this.snapshots.delete(next);
    if (snapshot) await disk.replaceFile(this.snapshotPath(next.baseOffset), snapshot, { sync: false });
    const file = segment?.file;
    if (!segment || !file) return;
    await segment.flushIndexes(disk, { seal: true, sync: true });
    await this.syncSegment(segment, file);
    segment.file = null;
    await file.close();
    indexes.used(segment);
    this.recoveryPoint = Math.max(this.recoveryPoint, next.baseOffset);
  }

  private async syncSegment(segment: Segment, file: DiskFile): Promise<void> {
    segment.isSynced = true;
    await file.sync();
    // A new file is only there after a power loss if its name is, and that of its directory.
    await this.context.disk.syncDirectory(this.directory);
    if (this.isDirectorySynced) return;
    await this.context.disk.syncDirectory(this.directory.slice(0, Math.max(this.directory.lastIndexOf('/'), 1)));
    this.isDirectorySynced = true;
  }

  private snapshotPath(offset: number): string {
    return `${this.directory}/${segmentFileName(offset, SegmentSuffix.SNAPSHOT)}`;
  }

  private run(task: () => Promise<void>): Promise<void> {
    const result = this.last.then(task);
    this.last = result.catch(() => undefined);
    return result;
  }
}
