/**
 * Puts a segment that compaction made in the place of its originals, on disk and in the log, while readers go on.
 * Guarantees: after a crash at any step the next start finds all originals or the new segment, never a mixture that loses
 * records (Kafka's protocol of `.cleaned`, `.swap` and `.deleted` names); a reader inside an original finishes in it.
 * Leaves out the removal of the originals: readers may be in them for a while. What a crash leaves: swap-recovery.ts.
 */
import type { Disk } from '../io/disk.js';
import { SegmentSuffix, SwapStage } from './file-names.js';
import type { FilePool } from './file-pool.js';
import type { TopicConfig } from './log-config.js';
import type { LogContext } from './log-context.js';
import type { ReadBytes } from './segment-scan.js';
import type { Segment } from './segment.js';

/** The log first: what is left of an interrupted rename is then an index, which its log can do without. */
const LOG_FIRST = [
  SegmentSuffix.LOG,
  SegmentSuffix.OFFSET_INDEX,
  SegmentSuffix.TIME_INDEX,
  SegmentSuffix.TRANSACTION_INDEX,
] as const;

/** What is exchanged. */
export interface SwapOptions {
  readonly context: LogContext;
  readonly config: TopicConfig;
  readonly originals: readonly Segment[];
  /** Complete and on the device, in stage `.cleaned`. */
  readonly cleaned: Segment;
  /** Changes the list of segments; readers that come later find the new one. */
  readonly exchange: () => void;
}

/** See the file comment. Rejects with a `DiskError`; if `exchange` was called by then, the log must go offline. */
export async function swapSegments({ context, config, originals, cleaned, exchange }: SwapOptions): Promise<void> {
  const { disk, files, indexes } = context;
  const pinned: Segment[] = [];
  let isExchanged = false;
  try {
    await renameFiles(context, cleaned, SwapStage.SWAP);
    await disk.syncDirectory(cleaned.directory);
    for (const segment of [...originals, cleaned]) {
      await files.pin(segment.logPath);
      pinned.push(segment);
    }
    for (const original of originals) {
      original.keepsIndexes = true;
      const read: ReadBytes = (position, length) => files.read(original.logPath, position, length);
      await original.loadIndexes(disk, config, read);
    }
    exchange();
    isExchanged = true;
    for (const original of originals) await retire(context, original, original.baseOffset !== cleaned.baseOffset);
    await disk.syncDirectory(cleaned.directory);
    await renameFiles(context, cleaned, SwapStage.FINAL);
    await disk.syncDirectory(cleaned.directory);
    cleaned.keepsIndexes = false;
    indexes.used(cleaned);
  } catch (error) {
    if (!isExchanged) await discard(context, cleaned);
    throw error;
  } finally {
    for (const segment of pinned) files.unpin(segment.logPath);
  }
}

/** Takes the names from an original; what is left is its log, for those who are reading it. */
async function retire({ disk, files, indexes }: LogContext, original: Segment, isGone: boolean): Promise<void> {
  const names = LOG_FIRST.slice(1).map((suffix) => original.path(suffix));
  if (isGone) names.push(original.path(SegmentSuffix.SNAPSHOT));
  indexes.forget(original);
  await moveLog(disk, files, original, SwapStage.DELETED);
  for (const name of names) await disk.unlink(name);
}

async function renameFiles({ disk, files }: LogContext, segment: Segment, stage: SwapStage): Promise<void> {
  const from = LOG_FIRST.map((suffix) => segment.path(suffix));
  await moveLog(disk, files, segment, stage);
  for (const [index, suffix] of LOG_FIRST.entries()) {
    const path = from[index] as string;
    // Without aborted transactions there is no index of them.
    if (suffix !== SegmentSuffix.LOG && (await disk.stat(path))) await disk.rename(path, segment.path(suffix));
  }
}

async function moveLog(disk: Disk, files: FilePool, segment: Segment, stage: SwapStage): Promise<void> {
  const from = segment.logPath;
  await disk.rename(from, withStage(segment, stage));
  // Whoever opens the file meanwhile finds it under its old name, open.
  if (files.isOpen(from)) files.renamed(from, withStage(segment, stage));
  segment.stage = stage;
}

function withStage(segment: Segment, stage: SwapStage): string {
  return segment.logPath.slice(0, segment.logPath.length - segment.stage.length) + stage;
}

/** The originals stay; what cannot be removed now goes at the next start, or takes their place, which is as good. */
async function discard({ disk, files }: LogContext, cleaned: Segment): Promise<void> {
  for (const stage of [SwapStage.CLEANED, SwapStage.SWAP]) {
    cleaned.stage = stage;
    for (const suffix of LOG_FIRST) await disk.unlink(cleaned.path(suffix)).catch(() => undefined);
  }
  void files.close(cleaned.logPath).catch(() => undefined);
}
