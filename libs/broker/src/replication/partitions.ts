/**
 * All partition replicas of this broker: opened at start, created and deleted with their topics, closed in order.
 * Guarantees: operations on one partition happen one after the other; a partition that was created is there after a crash,
 * one that was deleted is not; after a clean `close` the next start believes the files.
 * Leaves out which partitions there should be: the cluster decides, this does.
 */
import { ZERO_UUID } from '@kafka-template/protocol';
import type { Clock } from '../io/clock.js';
import { type Disk, DiskError, isMissing, isPassing } from '../io/disk.js';
import type { Logger } from '../io/logger.js';
import { MemoryDisk } from '../io/memory-disk.js';
import { systemRandom } from '../io/random.js';
import { realDisk } from '../io/real-disk.js';
import { BrokerError } from '../errors.js';
import { OPENING_PARTITIONS_MAX } from '../limits.js';
import { readPartitionMetadata, writePartitionMetadata } from '../log/checkpoint.js';
import { type CleanerSettings, LogCleaner } from '../log/compaction/log-cleaner.js';
import {
  CLEANER_CHECKPOINT,
  DELETED_DIRECTORY_SUFFIX,
  LOG_START_CHECKPOINT,
  METADATA_TOPIC,
  PARTITION_METADATA,
  RECOVERY_POINT_CHECKPOINT,
  parsePartitionDirectoryName,
  partitionDirectoryName,
} from '../log/file-names.js';
import { DEFAULT_TOPIC_CONFIG, type TopicConfig } from '../log/log-config.js';
import { type LogContext, createLogContext } from '../log/log-context.js';
import { loadLog } from '../log/log-loader.js';
import type { Log } from '../log/log.js';
import type { WritePressure } from '../log/write-pressure.js';
import { Checkpoints } from './checkpoints.js';
import { DataDirectory, partitionKey } from './data-directory.js';
import { FullDisk } from './full-disk.js';
import { Housekeeping } from './housekeeping.js';
import { LocalPartition, type PartitionServices } from './local-partition.js';
import type { Partition } from './partition.js';
import { Waits } from './waits.js';

/** Intervals of the housekeeping, in milliseconds; the comments give Kafka's names and defaults. */
export interface HousekeepingIntervals {
  /** `log.retention.check.interval.ms`, 5 minutes. */
  readonly retentionCheckIntervalMs: number;
  /** `log.flush.offset.checkpoint.interval.ms`, 1 minute. */
  readonly flushOffsetCheckpointIntervalMs: number;
  /** `replica.high.watermark.checkpoint.interval.ms`, 5 seconds. */
  readonly highWatermarkCheckpointIntervalMs: number;
  /** `producer.id.expiration.ms`, 1 day. */
  readonly producerIdExpirationMs: number;
  /** `log.cleaner.backoff.ms`, 15 seconds. */
  readonly cleanerBackoffMs: number;
}

/** What `Partitions.open` needs. */
export interface PartitionsOptions {
  /** Directory of the logs; null keeps everything in memory. */
  readonly dataDir: string | null;
  /** Default: the real disk, or a new disk in memory when `dataDir` is null. */
  readonly disk?: Disk;
  /** The data directory when it is open already (to learn the cluster id from it); then `dataDir` is not looked at. */
  readonly directory?: DataDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly brokerId: number;
  readonly clusterId: string;
  /** Default: Kafka's. */
  readonly intervals?: Partial<HousekeepingIntervals>;
  /** Default: Kafka's; null compacts nothing (`log.cleaner.enable`). */
  readonly cleaner?: Partial<CleanerSettings> | null;
}

/** Kafka's intervals. */
export const DEFAULT_HOUSEKEEPING_INTERVALS: HousekeepingIntervals = {
  retentionCheckIntervalMs: 300_000,
  flushOffsetCheckpointIntervalMs: 60_000,
  highWatermarkCheckpointIntervalMs: 5_000,
  producerIdExpirationMs: 86_400_000,
  cleanerBackoffMs: 15_000,
};

const MEMORY_DIRECTORY = 'memory';
/** File names end at 255 bytes on most file systems. */
const DELETED_NAME_PREFIX_MAX = 200;

/** See the file comment. */
export class Partitions {
  /** Where fetches wait; partitions of this broker wake it. */
  readonly waits: Waits;
  private readonly partitions = new Map<string, LocalPartition>();
  /** The last operation on each partition; what comes next waits for it. */
  private readonly operations = new Map<string, Promise<unknown>>();
  private readonly removals = new Set<Promise<void>>();
  private readonly context: LogContext;
  private readonly checkpoints: Checkpoints;
  private readonly services: PartitionServices;
  private readonly intervals: HousekeepingIntervals;
  private housekeeping: Housekeeping | null = null;
  private cleaner: LogCleaner | null = null;
  /** Partitions that wait for room. */
  private readonly full: FullDisk<LocalPartition>;
  private failure: Error | null = null;

  private constructor(
    private readonly options: PartitionsOptions,
    private readonly disk: Disk,
    private readonly directory: DataDirectory,
  ) {
    const { clock, logger } = options;
    this.waits = new Waits(clock);
    this.context = createLogContext({ disk, clock, logger });
    this.checkpoints = new Checkpoints(directory, () => this.partitions.values());
    this.services = {
      waits: this.waits,
      logger,
      nowMs: () => clock.now(),
      saveStartOffsets: () => this.saveStartOffsets(),
      diskFailed: (partition, error) => this.diskFailed(partition, error),
    };
    this.full = new FullDisk({
      disk,
      clock,
      directory: directory.path,
      revive: (partition) => this.revive(partition),
      broken: (error) => this.directoryFailed(error),
    });
    this.intervals = { ...DEFAULT_HOUSEKEEPING_INTERVALS, ...options.intervals };
  }

  /**
   * Locks the data directory, recovers what is in it and opens every partition found.
   *
   * @throws BrokerError DATA_DIR_IN_USE, DATA_DIR
   */
  static async open(options: PartitionsOptions): Promise<Partitions> {
    const disk = options.disk ?? (options.dataDir === null ? new MemoryDisk(() => options.clock.now()) : realDisk);
    const directory = options.directory ?? (await DataDirectory.open(options.dataDir ?? MEMORY_DIRECTORY, disk));
    const partitions = new Partitions(options, disk, directory);
    try {
      await directory.claim(options);
      await partitions.loadAll();
      await partitions.startCleaner();
      partitions.startHousekeeping();
      return partitions;
    } catch (error) {
      for (const { log } of partitions.partitions.values()) await log.abandon();
      await partitions.context.files.closeAll();
      await directory.release();
      throw error;
    }
  }

  /** How far writing lags behind; connections stop reading produce requests while it is high. */
  get pressure(): WritePressure {
    return this.context.pressure;
  }

  /** False after the disk broke: everything in the data directory is offline until the broker is restarted. */
  get isOnline(): boolean {
    return this.failure === null;
  }

  get(topic: string, partition: number): Partition | undefined {
    return this.partitions.get(partitionKey(topic, partition));
  }

  /**
   * Creates a partition, or returns the one that is there with the same topic id; its configuration is set either way.
   * One that is there with another topic id belonged to a deleted topic of the same name and is deleted first.
   *
   * @throws BrokerError DATA_DIR when its files cannot be made.
   */
  create(topic: string, partition: number, topicId: string, config: TopicConfig): Promise<Partition> {
    return this.exclusively(partitionKey(topic, partition), async () => {
      const existing = this.partitions.get(partitionKey(topic, partition));
      if (existing && (existing.topicId === topicId || existing.topicId === ZERO_UUID)) {
        return await this.adopt(existing, topicId, config);
      }
      if (existing) await this.remove(existing);
      return await this.createNew(topic, partition, topicId, config);
    });
  }

  /** Deletes a partition with its data; a missing one is fine. */
  delete(topic: string, partition: number): Promise<void> {
    const key = partitionKey(topic, partition);
    return this.exclusively(key, async () => {
      const existing = this.partitions.get(key);
      if (existing) await this.remove(existing);
    });
  }

  /** New configuration for all partitions of a topic on this broker. */
  updateConfig(topic: string, config: TopicConfig): void {
    for (const partition of this.partitions.values()) if (partition.topic === topic) partition.configure(config);
  }

  all(): Iterable<Partition> {
    return this.partitions.values();
  }

  /** Applies retention and forgets silent producers, as happens every `log.retention.check.interval.ms`. */
  async cleanUp(): Promise<void> {
    const producersBeforeMs = this.options.clock.now() - this.intervals.producerIdExpirationMs;
    const before = this.startOffsets();
    for (const partition of [...this.partitions.values()]) await partition.cleanUp(producersBeforeMs);
    if (this.startOffsets() !== before) await this.saveStartOffsets();
  }

  /** Compacts what is dirty enough, as happens every `log.cleaner.backoff.ms`. Resolves with the number of compactions. */
  async compact(): Promise<number> {
    return (await this.cleaner?.cleanAll()) ?? 0;
  }

  /** Writes, flushes and checkpoints everything and leaves the mark of a clean stop. */
  async close(): Promise<void> {
    this.cleaner?.stop();
    await this.housekeeping?.stop();
    await this.full.stop();
    this.waits.close();
    await Promise.all(this.operations.values());
    await Promise.all(this.removals);
    let isClean = true;
    await eachOf([...this.partitions.values()], async ({ log }) => {
      const wasClosed = await log.close().catch((error: unknown) => {
        this.options.logger.error(`${log.name}: closing failed; the log is checked at the next start`, { error });
        return false;
      });
      isClean &&= wasClosed;
    });
    try {
      await this.checkpoints.save();
      if (isClean) await this.directory.markClean();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.options.logger.error('The offset checkpoints could not be written; the next start checks the logs', {
        error,
      });
    } finally {
      await this.context.files.closeAll();
      await this.directory.release();
    }
  }

  /** A log can be written no more: for the time being, or because the disk is broken, under all logs then. */
  private diskFailed(partition: LocalPartition, error: Error): void {
    if (isPassing(error)) this.full.add(partition);
    else if (error instanceof DiskError && !isMissing(error)) this.directoryFailed(error);
  }

  private directoryFailed(error: Error): void {
    if (this.failure) return;
    this.failure = error;
    this.options.logger.error(
      `The data directory ${this.directory.path} is offline, with all partitions in it. ` +
        'Look after the disk, then restart the broker: it checks what it finds.',
      { error },
    );
    for (const partition of this.partitions.values()) partition.diskFailed(error);
  }

  /** Loads the log of a partition again that had no room, as a start would: what was refused is not in it. */
  private revive(partition: LocalPartition): Promise<void> {
    const key = partitionKey(partition.topic, partition.partition);
    return this.exclusively(key, async () => {
      const { log } = partition;
      if (this.partitions.get(key) !== partition || !log.isFull) return;
      await log.retire();
      const { directory, name, config, recoveryPoint, startOffset } = log;
      const again = await loadLog(
        { directory, name, config, isClean: false, recoveryPoint, startOffset },
        this.context,
      );
      partition.replaceLog(again);
      this.options.logger.info(`${name}: there is room again, writing goes on at offset ${again.endOffset}`);
    });
  }

  /** What was deleted to make room is gone, whether or not there is room yet to write that down. */
  private async saveStartOffsets(): Promise<void> {
    try {
      await this.checkpoints.save();
    } catch (error) {
      if (!isPassing(error)) throw error;
      this.options.logger.warn(`The log start offsets will be written down later: ${error.message}`);
    }
  }

  private startOffsets(): number {
    let sum = 0;
    for (const { logStartOffset } of this.partitions.values()) sum += logStartOffset;
    return sum;
  }

  private async startCleaner(): Promise<void> {
    const settings = this.options.cleaner;
    if (settings === null) return;
    this.cleaner = new LogCleaner({
      context: this.context,
      settings,
      partitions: () => this.partitions.values(),
      checkpoint: await this.directory.readOffsets(CLEANER_CHECKPOINT),
      save: (entries) => this.directory.writeOffsets(CLEANER_CHECKPOINT, entries),
    });
  }

  private startHousekeeping(): void {
    const save = (): Promise<void> => this.checkpoints.save();
    const { clock, logger } = this.options;
    const { intervals } = this;
    this.housekeeping = new Housekeeping(
      [
        { name: 'retention', intervalMs: intervals.retentionCheckIntervalMs, run: () => this.cleanUp() },
        { name: 'offset checkpoints', intervalMs: intervals.flushOffsetCheckpointIntervalMs, run: save },
        { name: 'compaction', intervalMs: intervals.cleanerBackoffMs, run: async () => void (await this.compact()) },
        {
          name: 'high watermark checkpoint',
          intervalMs: intervals.highWatermarkCheckpointIntervalMs,
          run: () => this.checkpoints.saveHighWatermarks(),
        },
      ],
      clock,
      logger,
    );
  }

  private exclusively<T>(key: string, run: () => Promise<T>): Promise<T> {
    const before = this.operations.get(key) ?? Promise.resolve();
    const result = before.then(run);
    const settled = result.catch(() => undefined);
    this.operations.set(key, settled);
    void settled.then(() => {
      if (this.operations.get(key) === settled) this.operations.delete(key);
    });
    return result;
  }

  private async adopt(existing: LocalPartition, topicId: string, config: TopicConfig): Promise<Partition> {
    existing.configure(config);
    if (existing.topicId === topicId) return existing;
    // The file with the topic id was lost with the power; the cluster knows whose the partition is.
    await writePartitionMetadata(this.disk, `${existing.log.directory}/${PARTITION_METADATA}`, { topicId });
    const { topic, partition, log } = existing;
    return this.register(new LocalPartition({ topic, partition, topicId }, log, this.services));
  }

  private async createNew(
    topic: string,
    partition: number,
    topicId: string,
    config: TopicConfig,
  ): Promise<LocalPartition> {
    const name = partitionDirectoryName(topic, partition);
    const directory = `${this.directory.path}/${name}`;
    try {
      if (this.failure) throw this.failure;
      await this.disk.mkdir(directory);
      await writePartitionMetadata(this.disk, `${directory}/${PARTITION_METADATA}`, { topicId });
      const log = await loadLog(
        { directory, name, config, isClean: true, recoveryPoint: 0, startOffset: 0 },
        this.context,
      );
      return this.register(new LocalPartition({ topic, partition, topicId }, log, this.services));
    } catch (error) {
      // What there is room for must not be found as a partition by the next start.
      if (isPassing(error)) await this.disk.removeDirectory(directory).catch(() => undefined);
      throw this.cannotUse(directory, error);
    }
  }

  private register(partition: LocalPartition): LocalPartition {
    this.partitions.set(partitionKey(partition.topic, partition.partition), partition);
    return partition;
  }

  /** Takes a partition away: out of sight at once, out of its name before this resolves, off the disk soon after. */
  private async remove(partition: LocalPartition): Promise<void> {
    this.partitions.delete(partitionKey(partition.topic, partition.partition));
    this.waits.removed(partition);
    this.full.forget(partition);
    await partition.log.abandon();
    const { directory } = partition.log;
    const name = partition.log.name.slice(0, DELETED_NAME_PREFIX_MAX);
    const unique = Buffer.from(systemRandom.bytes(16)).toString('hex');
    const doomed = `${this.directory.path}/${name}.${unique}${DELETED_DIRECTORY_SUFFIX}`;
    await this.disk.rename(directory, doomed);
    const startRemoval = (): Promise<void> => {
      const removal = this.disk.removeDirectory(doomed).catch((error: unknown) => {
        this.options.logger.warn(`Could not remove ${doomed}; it is removed at the next start`, { error });
      });
      this.removals.add(removal);
      return removal.then(() => void this.removals.delete(removal));
    };
    try {
      await this.forgetOffsets(partition);
      void startRemoval();
    } catch (error) {
      if (!isPassing(error)) throw error;
      // On a full disk the deletion itself is what makes room.
      await startRemoval();
      await this.forgetOffsets(partition);
    }
  }

  /** Offsets of an old log must not be believed of a new one with the same name. */
  private async forgetOffsets(partition: LocalPartition): Promise<void> {
    await this.cleaner?.forget(partition.log.name);
    await this.checkpoints.save();
  }

  private async loadAll(): Promise<void> {
    const { path } = this.directory;
    const recoveryPoints = await this.directory.readOffsets(RECOVERY_POINT_CHECKPOINT);
    const startOffsets = await this.directory.readOffsets(LOG_START_CHECKPOINT);
    const names = await this.disk.readdir(path);
    for (const name of names) {
      if (name.endsWith(DELETED_DIRECTORY_SUFFIX)) await this.disk.removeDirectory(`${path}/${name}`);
    }
    const found = names
      .map(parsePartitionDirectoryName)
      .filter((identity) => identity !== null)
      // Where Apache Kafka keeps the state of its cluster; nothing in it is a topic's.
      .filter(({ topic }) => topic !== METADATA_TOPIC);
    const startedMs = this.options.clock.monotonic();
    await eachOf(found, async (identity) => {
      const name = partitionDirectoryName(identity.topic, identity.partition);
      if ((await this.disk.stat(`${path}/${name}`))?.isDirectory !== true) return;
      const key = partitionKey(identity.topic, identity.partition);
      await this.load(identity, {
        recoveryPoint: recoveryPoints.get(key) ?? 0,
        startOffset: startOffsets.get(key) ?? 0,
      });
    });
    if (this.directory.wasClean || this.partitions.size === 0) return;
    this.options.logger.info('The broker had not stopped in order: its logs were checked', {
      partitions: this.partitions.size,
      tookMs: Math.round(this.options.clock.monotonic() - startedMs),
    });
  }

  private async load(
    identity: { topic: string; partition: number },
    offsets: { recoveryPoint: number; startOffset: number },
  ): Promise<void> {
    const name = partitionDirectoryName(identity.topic, identity.partition);
    const directory = `${this.directory.path}/${name}`;
    const isClean = this.directory.wasClean;
    try {
      const metadata = await readPartitionMetadata(this.disk, `${directory}/${PARTITION_METADATA}`);
      // The cluster sets the topic's own configuration as soon as it is known.
      const config = DEFAULT_TOPIC_CONFIG;
      const log: Log = await loadLog({ directory, name, config, isClean, ...offsets }, this.context);
      const topicId = metadata?.topicId ?? ZERO_UUID;
      this.register(new LocalPartition({ ...identity, topicId }, log, this.services));
    } catch (error) {
      throw this.cannotUse(directory, error);
    }
  }

  private cannotUse(directory: string, error: unknown): BrokerError {
    const reason = error instanceof Error ? error.message : String(error);
    return new BrokerError(
      'DATA_DIR',
      `The partition directory ${directory} cannot be used: ${reason}. ` +
        'Check its permissions and the free space of the disk; the data in it has not been touched.',
      { cause: error },
    );
  }
}

/** Runs a task for each item, a bounded number at a time; the first failure ends it. */
async function eachOf<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) await run(items[next++] as T);
  };
  await Promise.all(Array.from({ length: Math.min(OPENING_PARTITIONS_MAX, items.length) }, work));
}
