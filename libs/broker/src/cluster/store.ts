/**
 * The coordination store: a small tree of nodes that all brokers of a cluster see, with exactly ZooKeeper's primitives.
 *
 * Guarantees, for every implementation (store.suite.ts checks them): operations of one session take effect in the order
 * of the calls; a multi happens wholly or not at all; a change is durable when its promise resolves; a watch is told of a
 * change before its session can read what came of it; ephemeral nodes go with their session.
 * Leaves out what the nodes mean: see znodes.ts.
 */

/**
 * Why an operation failed. CONNECTION_LOST leaves open whether it took effect: read back before trying again. With NO_SPACE
 * it did not, and may be tried again when the disk has room.
 */
export type StoreErrorCode =
  | 'NO_NODE'
  | 'NODE_EXISTS'
  | 'BAD_VERSION'
  | 'NOT_EMPTY'
  | 'NO_CHILDREN_FOR_EPHEMERALS'
  | 'BAD_ARGUMENTS'
  | 'SESSION_LOST'
  | 'CONNECTION_LOST'
  | 'NO_SPACE'
  | 'STORE_FAILED';

/** A failed operation. In a multi, `failedOperation` is the index of the first operation that could not be done. */
export class StoreError extends Error {
  override readonly name = 'StoreError';

  constructor(
    readonly code: StoreErrorCode,
    message: string,
    readonly failedOperation: number | null = null,
  ) {
    super(message);
  }
}

/** True for a {@link StoreError} with one of the codes. */
export function isStoreError(error: unknown, ...codes: readonly StoreErrorCode[]): error is StoreError {
  return error instanceof StoreError && codes.includes(error.code);
}

/** What is known about a node besides its data. A zxid is the number of a change; later changes have higher ones. */
export interface NodeStat {
  /** Changes of the data, from 0. */
  readonly version: number;
  /** The change that created the node. */
  readonly czxid: number;
  /** The last change of the data. */
  readonly mzxid: number;
  /** The session the node lives and dies with; null for a persistent node. */
  readonly ephemeralOwner: string | null;
  readonly childCount: number;
}

/** How a node lives. Sequential ones get a ten digit number, unique under their parent, behind the name. */
export type NodeMode = 'persistent' | 'ephemeral' | 'persistentSequential' | 'ephemeralSequential';

/** What a watch is told, once. */
export interface WatchEvent {
  readonly type: 'created' | 'deleted' | 'dataChanged' | 'childrenChanged';
  readonly path: string;
}

/** Called at most once; must not throw. Not called when the session is lost: `onLost` is. */
export type Watch = (event: WatchEvent) => void;

/** One step of a multi. Version -1 means any. */
export type StoreOperation =
  | { readonly type: 'create'; readonly path: string; readonly data: Buffer; readonly mode: NodeMode }
  | { readonly type: 'set'; readonly path: string; readonly data: Buffer; readonly version: number }
  | { readonly type: 'delete'; readonly path: string; readonly version: number }
  | { readonly type: 'check'; readonly path: string; readonly version: number };

/** What became of a step: the path it worked on (with the number of a sequential node) and the node after it. */
export interface OperationResult {
  readonly path: string;
  /** Null after a delete. */
  readonly stat: NodeStat | null;
}

/** Data and stat of a node. The buffer belongs to the reader. */
export interface NodeData {
  readonly data: Buffer;
  readonly stat: NodeStat;
}

/** A connection to the store that is alive until it is closed or lost. All methods reject with a {@link StoreError}. */
export interface CoordinationSession {
  readonly id: string;
  /** True from the moment the store gave the session up; its ephemeral nodes are gone. */
  readonly lost: boolean;
  /** Creates a node under an existing, not ephemeral parent. NO_NODE, NODE_EXISTS, NO_CHILDREN_FOR_EPHEMERALS. */
  create(path: string, data: Buffer, mode: NodeMode): Promise<OperationResult>;
  /** NO_NODE. The watch is told of the next change of the data or the end of the node; it is not set on an error. */
  get(path: string, watch?: Watch): Promise<NodeData>;
  /** Null when there is no node; the watch is then told of its creation, else like the one of `get`. */
  exists(path: string, watch?: Watch): Promise<NodeStat | null>;
  /** Names, sorted. NO_NODE. The watch is told when a child comes or goes, or the node itself goes. */
  children(path: string, watch?: Watch): Promise<string[]>;
  /** NO_NODE, BAD_VERSION. */
  set(path: string, data: Buffer, version: number): Promise<NodeStat>;
  /** NO_NODE, BAD_VERSION, NOT_EMPTY. */
  delete(path: string, version: number): Promise<void>;
  /** All steps or none, each seeing the ones before it. */
  multi(operations: readonly StoreOperation[]): Promise<OperationResult[]>;
  /** Called once if the store gives the session up, not when `close` ends it. At once when it is already lost. */
  onLost(listener: () => void): void;
  /** Ends the session; its ephemeral nodes go at once. */
  close(): Promise<void>;
}

/** Where sessions come from. */
export interface CoordinationStore {
  openSession(options: { readonly timeoutMs: number }): Promise<CoordinationSession>;
  close(): Promise<void>;
}

/** BAD_ARGUMENTS unless the path is absolute, without empty, `.` or `..` parts and without a slash at the end. */
export function checkPath(path: string): void {
  if (path === '/') return;
  const parts = path.split('/');
  const good = parts[0] === '' && parts.slice(1).every((part) => part !== '' && part !== '.' && part !== '..');
  if (good && !path.includes('\0')) return;
  throw new StoreError('BAD_ARGUMENTS', `'${path}' is no path of a node. Use an absolute path like /brokers/ids.`);
}

/** The path of the parent; that of the root is the root. */
export function parentPath(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
