/**
 * Keeps `leader-epoch-checkpoint` in step with the epochs of a log.
 * Guarantees: one write at a time; changes during a write are written by the next one.
 */
import type { Disk } from '../io/disk.js';
import { writeLeaderEpochs } from './checkpoint.js';
import { LEADER_EPOCH_CHECKPOINT } from './file-names.js';
import type { LeaderEpochs } from './leader-epochs.js';

/** See the file comment. */
export class LeaderEpochsFile {
  private writing: Promise<void> | null = null;
  private isChanged = false;

  constructor(
    private readonly disk: Disk,
    private readonly directory: string,
    private readonly epochs: LeaderEpochs,
    private readonly onError: (error: Error) => void,
  ) {}

  /** To be called after each change. */
  save(): void {
    this.isChanged = true;
    this.writing ??= this.write().finally(() => (this.writing = null));
  }

  /** Resolves when the file holds what `save` was last called for. */
  async settled(): Promise<void> {
    await this.writing;
  }

  private async write(): Promise<void> {
    try {
      while (this.isChanged) {
        this.isChanged = false;
        await writeLeaderEpochs(this.disk, `${this.directory}/${LEADER_EPOCH_CHECKPOINT}`, this.epochs.list());
      }
    } catch (error) {
      this.onError(error as Error);
    }
  }
}
