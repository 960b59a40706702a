/**
 * Names of the files and directories of a log, exactly Kafka's, so that Kafka's own tools can read what we write.
 * Guarantees: names are made and recognised here and nowhere else.
 */

/** Suffixes of the files of one segment; each file is named after the segment's first offset. */
export const SegmentSuffix = {
  LOG: '.log',
  OFFSET_INDEX: '.index',
  TIME_INDEX: '.timeindex',
  TRANSACTION_INDEX: '.txnindex',
  SNAPSHOT: '.snapshot',
} as const;

/**
 * What a file name ends with while compaction replaces segments: `.cleaned` is being written, `.swap` is complete and
 * takes the place of its originals even after a crash, `.deleted` is an original that readers may still be in.
 */
export const SwapStage = { FINAL: '', CLEANED: '.cleaned', SWAP: '.swap', DELETED: '.deleted' } as const;

/** One of {@link SwapStage}. */
export type SwapStage = (typeof SwapStage)[keyof typeof SwapStage];

/** Left by an interrupted clean-up; safe to remove at start, once complete `.swap` files are in their places. */
export const STALE_SUFFIXES: readonly string[] = [SwapStage.DELETED, SwapStage.CLEANED, SwapStage.SWAP, '.tmp'];

/** Leader epochs of a partition and where they begin. */
export const LEADER_EPOCH_CHECKPOINT = 'leader-epoch-checkpoint';
/** Topic id of a partition. */
export const PARTITION_METADATA = 'partition.metadata';
/** Up to where each log is on the device. */
export const RECOVERY_POINT_CHECKPOINT = 'recovery-point-offset-checkpoint';
/** Where each log begins, when that is not the first segment. */
export const LOG_START_CHECKPOINT = 'log-start-offset-checkpoint';
/** High watermarks. */
export const HIGH_WATERMARK_CHECKPOINT = 'replication-offset-checkpoint';
/** Up to where the log of each compacted partition has been compacted. */
export const CLEANER_CHECKPOINT = 'cleaner-offset-checkpoint';
/** Whose the data directory is. */
export const META_PROPERTIES = 'meta.properties';
/** There as long as nothing was written since an orderly stop. */
export const CLEAN_SHUTDOWN_MARKER = '.kafka_cleanshutdown';
/** The log in which Apache Kafka keeps the state of a cluster without ZooKeeper. Nobody can create a topic of this name. */
export const METADATA_TOPIC = '__cluster_metadata';
/** Directories that end with this hold a deleted partition. */
export const DELETED_DIRECTORY_SUFFIX = '-delete';

const OFFSET_DIGITS = 20;

/** `00000000000000000042` + suffix. */
export function segmentFileName(baseOffset: number, suffix: string): string {
  return String(baseOffset).padStart(OFFSET_DIGITS, '0') + suffix;
}

/** The offset in a segment's file name with this suffix, or null for any other name. */
export function parseSegmentFileName(name: string, suffix: string): number | null {
  if (name.length !== OFFSET_DIGITS + suffix.length || !name.endsWith(suffix)) return null;
  const digits = name.slice(0, OFFSET_DIGITS);
  if (!/^[0-9]+$/.test(digits)) return null;
  const offset = Number(digits);
  return Number.isSafeInteger(offset) ? offset : null;
}

/** Directory of a partition: `topic-3`. */
export function partitionDirectoryName(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}

/** Topic and partition of a directory name, or null when it is not one of a partition. */
export function parsePartitionDirectoryName(name: string): { topic: string; partition: number } | null {
  const match = /^([A-Za-z0-9._-]{1,249})-(0|[1-9][0-9]{0,8})$/.exec(name);
  return match?.[1] !== undefined ? { topic: match[1], partition: Number(match[2]) } : null;
}
