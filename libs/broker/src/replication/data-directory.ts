/**
 * The data directory of a broker: its lock, who it belongs to, whether it was left in order, and the offset checkpoints.
 * Guarantees: one live broker at a time; a directory of another broker or cluster is refused before anything is changed;
 * the mark of a clean stop is gone before the first write.
 * Leaves out what is in the partitions' own directories.
 */
import { randomUuid, systemRandom } from '../io/random.js';
import { type Disk, DiskError, type DiskLock, isMissing } from '../io/disk.js';
import { BrokerError } from '../errors.js';
import { type OffsetCheckpointEntry, readOffsetCheckpoint, writeOffsetCheckpoint } from '../log/checkpoint.js';
import {
  CLEANER_CHECKPOINT,
  CLEAN_SHUTDOWN_MARKER,
  HIGH_WATERMARK_CHECKPOINT,
  LOG_START_CHECKPOINT,
  META_PROPERTIES,
  RECOVERY_POINT_CHECKPOINT,
} from '../log/file-names.js';

/** The offset checkpoints of a data directory. */
export type CheckpointName =
  | typeof RECOVERY_POINT_CHECKPOINT
  | typeof LOG_START_CHECKPOINT
  | typeof HIGH_WATERMARK_CHECKPOINT
  | typeof CLEANER_CHECKPOINT;

/** What `meta.properties` says. */
export interface DirectoryOwner {
  readonly clusterId: string | null;
  readonly brokerId: number | null;
}

/** Key of a partition in a map of checkpointed offsets. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}

function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf('=');
    if (!line.startsWith('#') && at > 0) properties.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  return properties;
}

/** What the system's error names mean for a data directory. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'its file system is read-only',
  ENOSPC: 'its file system is full',
  EDQUOT: "this user's share of its file system is used up",
  ENOTDIR: 'a file is in the way, there or above',
  ENOENT: 'it does not exist, and its file system refuses to make it',
  ENAMETOOLONG: 'its name is too long for the file system',
  EIO: 'the device does not work',
};

function failure(path: string, error: unknown): BrokerError {
  if (error instanceof DiskError && error.code === 'LOCKED') {
    return new BrokerError(
      'DATA_DIR_IN_USE',
      // The reason names the directory and who has it.
      `The data directory ${error.message} ` +
        'Stop that broker, or give this one its own directory (option dataDir, on the command line --data-dir).',
      { cause: error },
    );
  }
  const code = error instanceof DiskError ? error.code : '';
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
  return new BrokerError(
    'DATA_DIR',
    `The data directory ${path} cannot be used: ${reason}. ` +
      'Mend that, or choose another directory (option dataDir, on the command line --data-dir).',
    { cause: error },
  );
}

/** See the file comment. */
export class DataDirectory {
  private constructor(
    readonly path: string,
    private readonly disk: Disk,
    private readonly lock: DiskLock,
    /** Who the directory belonged to when it was opened. */
    readonly owner: DirectoryOwner,
    /** The last broker here stopped in order. */
    readonly wasClean: boolean,
    private directoryId: string | null,
  ) {}

  /**
   * Creates the directory if need be, locks it and reads whose it is.
   *
   * @throws BrokerError DATA_DIR_IN_USE, DATA_DIR
   */
  static async open(path: string, disk: Disk): Promise<DataDirectory> {
    let lock: DiskLock | null = null;
    try {
      await disk.mkdir(path);
      lock = await disk.lock(path);
      const properties = await readMetaProperties(disk, path);
      const wasClean = (await disk.stat(`${path}/${CLEAN_SHUTDOWN_MARKER}`)) !== null;
      const idText = properties.get('node.id') ?? properties.get('broker.id');
      const brokerId = idText !== undefined && /^\d+$/.test(idText) ? Number(idText) : null;
      const owner = { clusterId: properties.get('cluster.id') ?? null, brokerId };
      return new DataDirectory(path, disk, lock, owner, wasClean, properties.get('directory.id') ?? null);
    } catch (error) {
      await lock?.release();
      throw failure(path, error);
    }
  }

  /**
   * Refuses a directory that cannot be this broker's, before anything in it is opened for writing: one of another
   * broker, or one of a cluster whose state (in the file `stateFile`) is not there, unless it `mayAdopt` that. Resolves with
   * the id of the cluster to adopt, or null when there is nothing to adopt.
   *
   * @throws BrokerError DATA_DIR
   */
  async checkOwner(brokerId: number, stateFile: string, mayAdopt: boolean): Promise<string | null> {
    const { owner, path, disk } = this;
    if (owner.brokerId !== null && owner.brokerId !== brokerId) {
      throw this.foreign(`broker ${owner.brokerId}`, `broker ${brokerId}`);
    }
    if ((await disk.stat(`${path}/${stateFile}`)) !== null) return null;
    if (owner.clusterId === null) {
      if (!mayAdopt) return null;
      throw new BrokerError(
        'DATA_DIR',
        `There is nothing to adopt in the data directory ${path}: Apache Kafka keeps the id of its cluster there in ` +
          `${META_PROPERTIES}. Check the name of the directory, or leave out the option adopt (on the command line --adopt).`,
      );
    }
    if (mayAdopt) return owner.clusterId;
    throw new BrokerError(
      'DATA_DIR',
      `The data directory ${path} belongs to cluster ${owner.clusterId}, whose state is not in it (${stateFile} is missing): ` +
        'another program made it, or the file was lost. Restore the file from a backup, choose another directory ' +
        '(option dataDir, on the command line --data-dir), or, if Apache Kafka made it, take over a copy of it ' +
        '(option adopt, on the command line --adopt).',
    );
  }

  /**
   * Makes sure the directory is this broker's, marks it as such, and takes the mark of the clean stop away.
   *
   * @throws BrokerError DATA_DIR when it belongs to another broker or cluster.
   */
  async claim(identity: { readonly clusterId: string; readonly brokerId: number }): Promise<void> {
    const { clusterId, brokerId } = this.owner;
    if (clusterId !== null && clusterId !== identity.clusterId) {
      throw this.foreign(`cluster ${clusterId}`, `cluster ${identity.clusterId}`);
    }
    if (brokerId !== null && brokerId !== identity.brokerId) {
      throw this.foreign(`broker ${brokerId}`, `broker ${identity.brokerId}`);
    }
    try {
      this.directoryId ??= randomUuid(systemRandom);
      if (clusterId === null || brokerId === null) await this.writeMetaProperties(identity);
      await this.disk.unlink(`${this.path}/${CLEAN_SHUTDOWN_MARKER}`);
      await this.disk.syncDirectory(this.path);
    } catch (error) {
      throw failure(this.path, error);
    }
  }

  /** Offsets of a checkpoint by {@link partitionKey}; empty when there is none. */
  async readOffsets(name: CheckpointName): Promise<Map<string, number>> {
    const entries = await readOffsetCheckpoint(this.disk, `${this.path}/${name}`);
    return new Map((entries ?? []).map(({ topic, partition, offset }) => [partitionKey(topic, partition), offset]));
  }

  /** Replaces a checkpoint. */
  writeOffsets(name: CheckpointName, entries: readonly OffsetCheckpointEntry[]): Promise<void> {
    return writeOffsetCheckpoint(this.disk, `${this.path}/${name}`, entries);
  }

  /** Leaves the mark of a clean stop. Only for a broker all of whose logs were closed without trouble. */
  async markClean(): Promise<void> {
    const content = Buffer.from('{"version":0,"brokerEpoch":-1}');
    await this.disk.replaceFile(`${this.path}/${CLEAN_SHUTDOWN_MARKER}`, content, { sync: true });
  }

  /** Gives the directory up. */
  release(): Promise<void> {
    return this.lock.release();
  }

  private foreign(found: string, wanted: string): BrokerError {
    return new BrokerError(
      'DATA_DIR',
      `The data directory ${this.path} belongs to ${found}, this is ${wanted}. ` +
        'Start with the matching broker.id, or choose another directory (option dataDir, on the command line --data-dir).',
    );
  }

  private async writeMetaProperties(identity: { clusterId: string; brokerId: number }): Promise<void> {
    const lines = [
      `node.id=${identity.brokerId}`,
      `directory.id=${this.directoryId ?? ''}`,
      'version=1',
      `cluster.id=${identity.clusterId}`,
    ];
    const content = Buffer.from(`#\n${lines.join('\n')}\n`);
    await this.disk.replaceFile(`${this.path}/${META_PROPERTIES}`, content, { sync: true });
  }
}

async function readMetaProperties(disk: Disk, path: string): Promise<Map<string, string>> {
  try {
    return parseProperties((await disk.readFile(`${path}/${META_PROPERTIES}`)).toString('utf8'));
  } catch (error) {
    if (isMissing(error)) return new Map();
    throw error;
  }
}
