/**
 * The coordination store inside the process: a tree in memory, journalled to `__coordination.log` in the data directory.
 *
 * Guarantees what store.ts asks for; operations that arrive together share one write to the device. When the disk is full
 * they are undone and refused with NO_SPACE. After any other failed write nobody knows what is on the disk: the store then
 * gives up all sessions and refuses everything.
 * Leaves out other processes: for brokers in several processes use ZooKeeper. Sessions live until closed or `expire`d,
 * since a broker in this process cannot be alive without the store or dead beside it.
 */
import { JOURNAL_COMPACT_BYTES, STORE_QUEUE_MAX } from '../limits.js';
import { isPassing, type Disk } from '../io/disk.js';
import type { Logger } from '../io/logger.js';
import { decodeEntry, encodeEntry, encodeMark } from './journal-entry.js';
import { Journal } from './journal.js';
import { NodeTree, type NodeChange } from './node-tree.js';
import {
  checkPath,
  StoreError,
  type CoordinationSession,
  type CoordinationStore,
  type NodeData,
  type NodeMode,
  type NodeStat,
  type OperationResult,
  type StoreOperation,
  type Watch,
  type WatchEvent,
} from './store.js';
import { WatchTable } from './watch-table.js';

/** Name of the journal in the data directory. */
export const COORDINATION_LOG = '__coordination.log';

/** Like ZooKeeper's: the upper half of a zxid counts the starts of the store, the lower half the changes since. */
const ZXID_EPOCH = 2 ** 32;

const NODES_PER_ENTRY = 1000;

/** What the store needs. `disk` may be a disk in memory. */
export interface EmbeddedStoreOptions {
  readonly disk: Disk;
  /** An existing directory. */
  readonly dataDir: string;
  readonly logger: Logger;
}

interface Job {
  run(): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** See the file comment. */
export class EmbeddedStore implements CoordinationStore {
  private readonly watches = new WatchTable();
  private readonly sessions = new Map<string, EmbeddedSession>();
  private readonly undelivered: (() => void)[] = [];
  private readonly unwritten: NodeChange[] = [];
  private readonly undos: (() => void)[] = [];
  private queue: Job[] = [];
  private draining: Promise<void> | null = null;
  private sessionCount = 0;
  private markWritten = false;
  private compactedBytes = 0;
  private failure: StoreError | null = null;

  private constructor(
    private readonly tree: NodeTree,
    private readonly journal: Journal,
    private readonly logger: Logger,
    private zxid: number,
  ) {}

  /** Opens the store of a data directory, or starts an empty one. Rejects with a `JournalError` or `DiskError`. */
  static async open(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
    const tree = new NodeTree();
    let zxid = 0;
    const onEntry = (payload: Buffer): void => {
      const entry = decodeEntry(payload);
      zxid = Math.max(zxid, entry.zxid);
      for (const change of entry.changes) tree.replay(change);
    };
    const path = `${options.dataDir}/${COORDINATION_LOG}`;
    const journal = await Journal.open({ disk: options.disk, path, onEntry });
    return new EmbeddedStore(tree, journal, options.logger, (Math.floor(zxid / ZXID_EPOCH) + 1) * ZXID_EPOCH);
  }

  openSession(): Promise<CoordinationSession> {
    return this.submit(() => {
      this.sessionCount += 1;
      const id = `0x${(this.zxid - (this.zxid % ZXID_EPOCH) + this.sessionCount).toString(16)}`;
      const session = new EmbeddedSession(id, this);
      this.sessions.set(id, session);
      return session;
    });
  }

  /** Takes a session away, as a store does when it has heard nothing from a broker for too long. */
  expire(sessionId: string): Promise<void> {
    return this.submit(() => this.endSession(sessionId, true));
  }

  /** Waits for what is under way, then refuses everything. Sessions are not told: their broker is stopping. */
  async close(): Promise<void> {
    while (this.draining) await this.draining;
    if (this.failure) return;
    this.failure = new StoreError('STORE_FAILED', 'The coordination store is closed.');
    await this.journal.close();
  }

  /** Runs `work` in the order of the calls and answers when what it changed is on the device. */
  submit<T>(work: () => T): Promise<T> {
    if (this.failure) return Promise.reject(this.failure);
    if (this.queue.length >= STORE_QUEUE_MAX) {
      const message = `${STORE_QUEUE_MAX} operations are waiting for the disk. Wait for some of them first.`;
      return Promise.reject(new StoreError('CONNECTION_LOST', message));
    }
    return new Promise<T>((resolve, reject) => {
      this.queue.push({ run: work, resolve: resolve, reject });
      this.draining ??= this.drain();
    });
  }

  /** False from the moment a session was closed or given up. */
  hasSession(sessionId: string): boolean {
    return this.sessions.has(sessionId);
  }

  /** Changes the tree for a session. Only inside `submit`. */
  execute(operations: readonly StoreOperation[], sessionId: string): OperationResult[] {
    const outcome = this.tree.execute(operations, this.zxid + 1, sessionId);
    this.zxid += 1;
    this.unwritten.push(...outcome.changes);
    this.undos.push(outcome.undo);
    this.notify(outcome.events);
    return outcome.results;
  }

  /** Data and stat of a node. Only inside `submit`. */
  read(path: string): NodeData | null {
    checkPath(path);
    return this.tree.get(path);
  }

  /** Names of the children. Only inside `submit`. */
  list(path: string): string[] | null {
    checkPath(path);
    return this.tree.children(path);
  }

  /** Registers a watch. Only inside `submit`. */
  watch(kind: 'node' | 'children', path: string, sessionId: string, watch: Watch): void {
    this.watches.add(kind, path, sessionId, watch);
  }

  /** Removes a session's nodes and watches. Only inside `submit`. */
  endSession(sessionId: string, lost: boolean): void {
    const session = this.sessions.get(sessionId);
    if (!session) return;
    this.sessions.delete(sessionId);
    this.watches.removeSession(sessionId);
    const paths = this.tree.ephemeralsOf(sessionId);
    if (paths.length > 0) {
      this.execute(
        paths.map((path) => ({ type: 'delete', path, version: -1 })),
        sessionId,
      );
      // The session is over, whatever becomes of the other operations of this moment.
      this.undos.pop();
    }
    if (lost) this.undelivered.push(() => session.lose());
  }

  private notify(events: readonly WatchEvent[]): void {
    for (const event of events) {
      for (const watch of this.watches.take(event)) this.undelivered.push(() => watch(event));
    }
  }

  private async drain(): Promise<void> {
    // Whatever else arrives in this tick comes into the same batch.
    await Promise.resolve();
    while (this.queue.length > 0) {
      const jobs = this.queue;
      this.queue = [];
      const answers = jobs.map((job) => this.runJob(job));
      try {
        await this.write();
      } catch (error) {
        const refusal = isPassing(error) ? this.takeBack(error) : this.fail(error);
        for (const job of jobs) job.reject(refusal);
        continue;
      }
      this.undos.length = 0;
      for (const deliver of this.undelivered.splice(0)) deliver();
      for (const answer of answers) answer();
    }
    this.draining = null;
  }

  private runJob(job: Job): () => void {
    if (this.failure) return () => job.reject(this.failure);
    try {
      const value = job.run();
      return () => job.resolve(value);
    } catch (error) {
      return () => job.reject(error);
    }
  }

  private async write(): Promise<void> {
    if (this.unwritten.length === 0) return;
    const entry = encodeEntry({ zxid: this.zxid, changes: this.unwritten.splice(0) });
    if (entry === null && this.markWritten) return;
    // Even without durable changes the first entry of a start is written: its zxids must not be given again.
    await this.journal.append(entry ?? encodeMark(this.zxid));
    this.markWritten = true;
    if (this.journal.sizeBytes <= Math.max(JOURNAL_COMPACT_BYTES, 4 * this.compactedBytes)) return;
    try {
      await this.compact();
    } catch (error) {
      if (!isPassing(error)) throw error;
      this.compactedBytes = this.journal.sizeBytes;
      this.logger.warn('The coordination journal is rewritten when it has grown further: the disk is full');
    }
  }

  private async compact(): Promise<void> {
    const nodes = [...this.tree.persistentNodes()];
    const payloads: Buffer[] = [];
    for (let first = 0; first < nodes.length; first += NODES_PER_ENTRY) {
      const entry = encodeEntry({ zxid: this.zxid, changes: nodes.slice(first, first + NODES_PER_ENTRY) });
      if (entry) payloads.push(entry);
    }
    await this.journal.replace(payloads);
    this.compactedBytes = this.journal.sizeBytes;
  }

  /** Nothing of the last operations has happened; only watches are told, who then find what they knew. */
  private takeBack(cause: Error): StoreError {
    for (const undo of this.undos.splice(0).reverse()) undo();
    for (const deliver of this.undelivered.splice(0)) deliver();
    this.logger.warn('The coordination store could not write', { reason: cause.message });
    return new StoreError('NO_SPACE', `Nothing was changed: ${cause.message}. Free the disk and try again.`);
  }

  private fail(cause: unknown): StoreError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.failure = new StoreError(
      'STORE_FAILED',
      `The coordination journal could not be written: ${reason}. Free the disk and restart the broker.`,
    );
    this.logger.error('The coordination store has failed', { reason });
    this.undelivered.length = 0;
    for (const job of this.queue.splice(0)) job.reject(this.failure);
    for (const session of this.sessions.values()) session.lose();
    this.sessions.clear();
    return this.failure;
  }
}

class EmbeddedSession implements CoordinationSession {
  lost = false;
  private closed = false;
  private readonly lostListeners: (() => void)[] = [];

  constructor(
    readonly id: string,
    private readonly store: EmbeddedStore,
  ) {}

  create(path: string, data: Buffer, mode: NodeMode): Promise<OperationResult> {
    return this.one({ type: 'create', path, data, mode });
  }

  get(path: string, watch?: Watch): Promise<NodeData> {
    return this.run(() => {
      const node = this.store.read(path);
      if (!node) throw new StoreError('NO_NODE', `There is no node ${path}.`);
      if (watch) this.store.watch('node', path, this.id, watch);
      return { data: Buffer.from(node.data), stat: node.stat };
    });
  }

  exists(path: string, watch?: Watch): Promise<NodeStat | null> {
    return this.run(() => {
      const node = this.store.read(path);
      if (watch) this.store.watch('node', path, this.id, watch);
      return node?.stat ?? null;
    });
  }

  children(path: string, watch?: Watch): Promise<string[]> {
    return this.run(() => {
      const names = this.store.list(path);
      if (!names) throw new StoreError('NO_NODE', `There is no node ${path}.`);
      if (watch) this.store.watch('children', path, this.id, watch);
      return names;
    });
  }

  async set(path: string, data: Buffer, version: number): Promise<NodeStat> {
    const { stat } = await this.one({ type: 'set', path, data, version });
    if (!stat) throw new StoreError('NO_NODE', `There is no node ${path}.`);
    return stat;
  }

  async delete(path: string, version: number): Promise<void> {
    await this.one({ type: 'delete', path, version });
  }

  multi(operations: readonly StoreOperation[]): Promise<OperationResult[]> {
    return this.run(() => (operations.length === 0 ? [] : this.store.execute(operations, this.id)));
  }

  onLost(listener: () => void): void {
    if (this.lost) listener();
    else this.lostListeners.push(listener);
  }

  async close(): Promise<void> {
    if (this.closed || this.lost) return;
    const ended = this.store.submit(() => this.store.endSession(this.id, false));
    this.closed = true;
    await ended;
  }

  /** The store gives this session up. */
  lose(): void {
    if (this.lost || this.closed) return;
    this.lost = true;
    for (const listener of this.lostListeners.splice(0)) listener();
  }

  private async one(operation: StoreOperation): Promise<OperationResult> {
    const [result] = await this.multi([operation]);
    if (!result) throw new StoreError('BAD_ARGUMENTS', 'An operation gave no result.');
    return result;
  }

  private run<T>(work: () => T): Promise<T> {
    if (this.lost || this.closed) {
      return Promise.reject(new StoreError('SESSION_LOST', `The session ${this.id} is over. Open a new one.`));
    }
    return this.store.submit(() => {
      if (!this.store.hasSession(this.id)) {
        throw new StoreError('SESSION_LOST', `The session ${this.id} is over. Open a new one.`);
      }
      return work();
    });
  }
}
