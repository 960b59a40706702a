/**
 * An append-only file of entries, each with length and CRC-32C: what makes the embedded store survive its process.
 *
 * Guarantees: when `append` resolves the entry is on the device; opening gives back every such entry, cuts off a torn
 * end (an entry whose append never resolved), and refuses a file that is damaged before its end instead of losing the rest.
 * Leaves out the meaning of entries.
 */
import { crc32c } from '@kafka-template/protocol';
import { JOURNAL_ENTRY_BYTES_MAX } from '../limits.js';
import { isMissing, type Disk, type DiskFile } from '../io/disk.js';

const PREFIX_BYTES = 8;

/** The file is damaged in the middle. */
export class JournalError extends Error {
  override readonly name = 'JournalError';
  readonly code = 'JOURNAL_DAMAGED';
}

function frame(payload: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + payload.length);
  framed.writeUInt32BE(payload.length, 0);
  framed.writeUInt32BE(crc32c(payload) >>> 0, 4);
  payload.copy(framed, PREFIX_BYTES);
  return framed;
}

/** The payload at `position`, or null when there is no whole and sound entry. */
function entryAt(content: Buffer, position: number): Buffer | null {
  if (position + PREFIX_BYTES > content.length) return null;
  const length = content.readUInt32BE(position);
  if (length === 0 || length > JOURNAL_ENTRY_BYTES_MAX || position + PREFIX_BYTES + length > content.length)
    return null;
  const payload = content.subarray(position + PREFIX_BYTES, position + PREFIX_BYTES + length);
  return crc32c(payload) >>> 0 === content.readUInt32BE(position + 4) ? payload : null;
}

/** See the file comment. */
export class Journal {
  private constructor(
    private readonly disk: Disk,
    private readonly path: string,
    private file: DiskFile,
    private endBytes: number,
  ) {}

  /** Opens or creates the file and hands over its entries in order. Rejects with {@link JournalError} or a `DiskError`. */
  static async open(options: { disk: Disk; path: string; onEntry: (payload: Buffer) => void }): Promise<Journal> {
    const { disk, path, onEntry } = options;
    let isNew = false;
    const content = await disk.readFile(path).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
      isNew = true;
      return Buffer.alloc(0);
    });
    let position = 0;
    for (let entry = entryAt(content, 0); entry !== null; entry = entryAt(content, position)) {
      onEntry(entry);
      position += PREFIX_BYTES + entry.length;
    }
    for (let later = position + 1; later < content.length; later += 1) {
      if (entryAt(content, later) === null) continue;
      throw new JournalError(
        `${path} is damaged at byte ${position}, and sound entries follow at ${later}. Restore the file from a backup; ` +
          'deleting it makes the broker forget its topics.',
      );
    }
    const file = await disk.open(path, 'write');
    if (position < content.length) await file.truncate(position);
    // A file whose name is lost with the power is no journal, however well its bytes were synced.
    if (isNew) await disk.syncDirectory(path.slice(0, path.lastIndexOf('/')));
    return new Journal(disk, path, file, position);
  }

  /** Bytes of all entries. */
  get sizeBytes(): number {
    return this.endBytes;
  }

  /**
   * Adds an entry. One call at a time. After a rejection with a passing `DiskError` (`isPassing`) the journal is what it
   * was, after any other it must not be used any more.
   */
  async append(payload: Buffer): Promise<void> {
    const framed = frame(payload);
    try {
      await new Promise<void>((resolve, reject) => {
        this.file.writev([framed], this.endBytes, (error) => (error ? reject(error) : resolve()));
      });
    } catch (error) {
      // What cannot be cut off will be overwritten by the next entry; before that, opening takes it for a torn end.
      await this.file.truncate(this.endBytes).catch(() => undefined);
      throw error;
    }
    await this.file.sync();
    this.endBytes += framed.length;
  }

  /** Replaces all entries as one step. A rejection means the same as that of `append`. */
  async replace(payloads: readonly Buffer[]): Promise<void> {
    const content = Buffer.concat(payloads.map(frame));
    await this.file.close();
    try {
      await this.disk.replaceFile(this.path, content, { sync: true });
      this.endBytes = content.length;
    } finally {
      this.file = await this.disk.open(this.path, 'write');
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
