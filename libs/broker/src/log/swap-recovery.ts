/**
 * Ends what a crash left of an exchange of segments, before anything of the log is opened.
 * Guarantees: a complete `.swap` segment takes the place of the segments whose offsets it covers; an incomplete one goes,
 * and its originals stay. Doing it again, after another crash, changes nothing.
 * Source: Kafka, `LogLoader.removeTempFilesAndCollectSwapFiles` (KAFKA-6264).
 */
import { batchLastOffset } from '@kafka-template/protocol';
import type { Disk } from '../io/disk.js';
import { SegmentSuffix, SwapStage, parseSegmentFileName, segmentFileName } from './file-names.js';
import { scanSegment } from './segment-scan.js';

const SUFFIXES = [
  SegmentSuffix.LOG,
  SegmentSuffix.OFFSET_INDEX,
  SegmentSuffix.TIME_INDEX,
  SegmentSuffix.TRANSACTION_INDEX,
] as const;

interface StagedFile {
  readonly name: string;
  readonly suffix: (typeof SUFFIXES)[number];
  readonly baseOffset: number;
}

/** Returns the names in the directory afterwards. */
export async function recoverSwaps(disk: Disk, directory: string, names: readonly string[]): Promise<string[]> {
  const swaps = stagedFiles(names, SwapStage.SWAP);
  if (swaps.length === 0) return [...names];
  // Files that are still called `.cleaned` belong to a segment that was not renamed completely.
  const incompleteFrom = Math.min(...stagedFiles(names, SwapStage.CLEANED).map(({ baseOffset }) => baseOffset));
  const complete = swaps.filter(({ baseOffset }) => baseOffset < incompleteFrom);
  for (const { name, baseOffset } of swaps) if (baseOffset >= incompleteFrom) await disk.unlink(`${directory}/${name}`);
  for (const { name, baseOffset, suffix } of complete) {
    if (suffix === SegmentSuffix.LOG) await removeOriginals(disk, directory, names, { name, baseOffset });
  }
  await disk.syncDirectory(directory);
  for (const suffix of SUFFIXES) {
    for (const { name } of complete.filter((file) => file.suffix === suffix)) {
      await disk.rename(`${directory}/${name}`, `${directory}/${name.slice(0, -SwapStage.SWAP.length)}`);
    }
  }
  await disk.syncDirectory(directory);
  return disk.readdir(directory);
}

function stagedFiles(names: readonly string[], stage: SwapStage): StagedFile[] {
  return names
    .filter((name) => name.endsWith(stage))
    .flatMap((name) =>
      SUFFIXES.flatMap((suffix) => {
        const baseOffset = parseSegmentFileName(name.slice(0, -stage.length), suffix);
        return baseOffset === null ? [] : [{ name, suffix, baseOffset }];
      }),
    );
}

/** Removes the segments that begin among the offsets of the new one. */
async function removeOriginals(
  disk: Disk,
  directory: string,
  names: readonly string[],
  swap: { readonly name: string; readonly baseOffset: number },
): Promise<void> {
  const endOffset = await endOffsetOf(disk, `${directory}/${swap.name}`, swap.baseOffset);
  for (const name of names) {
    const original = parseSegmentFileName(name, SegmentSuffix.LOG);
    const isCovered = original !== null && original >= swap.baseOffset && original < endOffset;
    if (!isCovered && original !== swap.baseOffset) continue;
    for (const suffix of SUFFIXES) await disk.unlink(`${directory}/${segmentFileName(original, suffix)}`);
  }
}

/** Offset after the last batch in a segment file. */
async function endOffsetOf(disk: Disk, path: string, baseOffset: number): Promise<number> {
  let endOffset = baseOffset;
  const file = await disk.open(path, 'read');
  try {
    await scanSegment({
      read: (position, length) => file.read(position, length),
      position: 0,
      endPosition: await file.size(),
      baseOffset,
      checkCrc: false,
      visit: (block, at) => {
        endOffset = batchLastOffset(block, at) + 1;
      },
    });
  } finally {
    await file.close();
  }
  return endOffset;
}
