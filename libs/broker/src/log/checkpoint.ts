/**
 * Kafka's small text files: offset checkpoints of a data directory, the leader epochs and the metadata of a partition.
 * Guarantees: a file is replaced as a whole; a damaged one is reported as absent, never half believed.
 * Layout: line 1 version 0, line 2 number of entries, then one entry a line.
 */
import { type Disk, isMissing } from '../io/disk.js';
import type { LeaderEpochEntry } from './leader-epochs.js';

/** One line of an offset checkpoint. */
export interface OffsetCheckpointEntry {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Content of `partition.metadata`. */
export interface PartitionMetadata {
  readonly topicId: string;
}

async function readText(disk: Disk, path: string): Promise<string | null> {
  try {
    return (await disk.readFile(path)).toString('utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function parseLines(text: string | null): string[] | null {
  if (text === null) return null;
  const [version, count, ...lines] = text.split('\n');
  while (lines.length > 0 && lines[lines.length - 1] === '') lines.pop();
  if (version?.trim() !== '0' || Number(count) !== lines.length) return null;
  return lines;
}

function encodeLines(lines: readonly string[]): Buffer {
  return Buffer.from(`0\n${lines.length}\n${lines.map((line) => `${line}\n`).join('')}`);
}

function parseOffset(text: string | undefined): number | null {
  const offset = Number(text);
  return text !== undefined && text !== '' && Number.isSafeInteger(offset) && offset >= 0 ? offset : null;
}

/** Entries of an offset checkpoint; null when the file is missing or damaged. */
export async function readOffsetCheckpoint(disk: Disk, path: string): Promise<OffsetCheckpointEntry[] | null> {
  const lines = parseLines(await readText(disk, path));
  if (!lines) return null;
  const entries: OffsetCheckpointEntry[] = [];
  for (const line of lines) {
    const [topic, partitionText, offsetText] = line.split(' ');
    const partition = parseOffset(partitionText);
    const offset = parseOffset(offsetText);
    if (topic === undefined || topic === '' || partition === null || offset === null) return null;
    entries.push({ topic, partition, offset });
  }
  return entries;
}

/** Replaces an offset checkpoint. */
export async function writeOffsetCheckpoint(
  disk: Disk,
  path: string,
  entries: readonly OffsetCheckpointEntry[],
): Promise<void> {
  const lines = entries.map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`);
  await disk.replaceFile(path, encodeLines(lines), { sync: true });
}

/** Leader epochs of a partition; null when the file is missing or damaged. */
export async function readLeaderEpochs(disk: Disk, path: string): Promise<LeaderEpochEntry[] | null> {
  const lines = parseLines(await readText(disk, path));
  if (!lines) return null;
  const entries: LeaderEpochEntry[] = [];
  for (const line of lines) {
    const [epochText, offsetText] = line.split(' ');
    const epoch = parseOffset(epochText);
    const startOffset = parseOffset(offsetText);
    if (epoch === null || startOffset === null) return null;
    entries.push({ epoch, startOffset });
  }
  return entries;
}

/** Replaces the leader epochs of a partition. Not forced to the device: recovery finds epochs in the batches too. */
export async function writeLeaderEpochs(disk: Disk, path: string, entries: readonly LeaderEpochEntry[]): Promise<void> {
  const lines = entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`);
  await disk.replaceFile(path, encodeLines(lines), { sync: false });
}

/** `partition.metadata`; null when it is missing or damaged (after a power loss before the first flush). */
export async function readPartitionMetadata(disk: Disk, path: string): Promise<PartitionMetadata | null> {
  const text = await readText(disk, path);
  const match = /^version: 0\ntopic_id: ([A-Za-z0-9_-]{22})\s*$/.exec(text ?? '');
  return match?.[1] !== undefined ? { topicId: match[1] } : null;
}

/** Replaces `partition.metadata`. */
export async function writePartitionMetadata(disk: Disk, path: string, metadata: PartitionMetadata): Promise<void> {
  await disk.replaceFile(path, Buffer.from(`version: 0\ntopic_id: ${metadata.topicId}`), { sync: false });
}
