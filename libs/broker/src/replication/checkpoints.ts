/**
 * Writes the offset checkpoints of a data directory.
 * Guarantees: one write of a file at a time; whoever calls `save` finds in the files what was true when it was called.
 */
import { HIGH_WATERMARK_CHECKPOINT, LOG_START_CHECKPOINT, RECOVERY_POINT_CHECKPOINT } from '../log/file-names.js';
import type { DataDirectory } from './data-directory.js';
import type { LocalPartition } from './local-partition.js';

/** See the file comment. */
export class Checkpoints {
  private running: Promise<void> = Promise.resolve();
  /** A save that has not begun yet; callers that come meanwhile share it. */
  private next: Promise<void> | null = null;
  private savedHighWatermarks = '';

  constructor(
    private readonly directory: DataDirectory,
    private readonly partitions: () => Iterable<LocalPartition>,
  ) {}

  /** Writes all three checkpoints. */
  save(): Promise<void> {
    this.next ??= this.after(async () => {
      this.next = null;
      await this.write(RECOVERY_POINT_CHECKPOINT, ({ log }) => log.recoveryPoint);
      await this.write(LOG_START_CHECKPOINT, ({ logStartOffset }) => logStartOffset);
      await this.writeHighWatermarks();
    });
    return this.next;
  }

  /** Writes the high watermarks if any has moved. */
  saveHighWatermarks(): Promise<void> {
    return this.after(() => this.writeHighWatermarks());
  }

  private async writeHighWatermarks(): Promise<void> {
    let state = '';
    for (const { log, highWatermark } of this.partitions()) state += `${log.name}=${highWatermark} `;
    if (state === this.savedHighWatermarks) return;
    await this.write(HIGH_WATERMARK_CHECKPOINT, ({ highWatermark }) => highWatermark);
    this.savedHighWatermarks = state;
  }

  private write(name: Parameters<DataDirectory['writeOffsets']>[0], of: (p: LocalPartition) => number): Promise<void> {
    const entries = Array.from(this.partitions(), (partition) => ({
      topic: partition.topic,
      partition: partition.partition,
      offset: of(partition),
    }));
    return this.directory.writeOffsets(name, entries);
  }

  private after(task: () => Promise<void>): Promise<void> {
    const result = this.running.then(task);
    this.running = result.catch(() => undefined);
    return result;
  }
}
