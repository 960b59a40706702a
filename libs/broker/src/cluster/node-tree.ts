/**
 * The tree of nodes of the embedded store, in memory: checks and applies operations, and says which watches they concern.
 *
 * Guarantees: an operation either changes the tree as ZooKeeper would or throws a `StoreError` and changes nothing; a
 * multi is undone when one of its steps fails; the same changes in the same order give the same tree.
 * Leaves out sessions, durability and delivery of watches: see embedded-store.ts.
 */
import {
  checkPath,
  parentPath,
  StoreError,
  type NodeData,
  type NodeStat,
  type OperationResult,
  type StoreOperation,
  type WatchEvent,
} from './store.js';

/** A change to the tree with everything decided, so that replaying it needs no decision: what the journal keeps. */
export type NodeChange =
  | { readonly type: 'put'; readonly path: string; readonly node: NodeRecord }
  | { readonly type: 'remove'; readonly path: string; readonly ephemeral: boolean };

/** A node without its children. `nextSequence` numbers the sequential children. */
export interface NodeRecord {
  readonly data: Buffer;
  readonly version: number;
  readonly czxid: number;
  readonly mzxid: number;
  readonly ephemeralOwner: string | null;
  readonly nextSequence: number;
}

interface TreeNode extends NodeRecord {
  readonly children: Set<string>;
}

/** What a batch of operations did. */
export interface TreeOutcome {
  readonly results: OperationResult[];
  readonly changes: NodeChange[];
  readonly events: WatchEvent[];
  /** Makes the tree what it was before; only as long as all later outcomes have been undone. */
  readonly undo: () => void;
}

type Undo = () => void;

const SEQUENCE_DIGITS = 10;

function noNode(path: string): StoreError {
  return new StoreError('NO_NODE', `There is no node ${path}.`);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** See the file comment. A new tree has the root only. */
export class NodeTree {
  private readonly nodes = new Map<string, TreeNode>();
  private readonly ephemerals = new Map<string, Set<string>>();

  constructor() {
    const root = { data: Buffer.alloc(0), version: 0, czxid: 0, mzxid: 0, ephemeralOwner: null, nextSequence: 0 };
    this.nodes.set('/', { ...root, children: new Set() });
  }

  /** Data and stat, or null. */
  get(path: string): NodeData | null {
    const node = this.nodes.get(path);
    return node ? { data: node.data, stat: statOf(node) } : null;
  }

  /** Names of the children, sorted, or null when there is no such node. */
  children(path: string): string[] | null {
    const node = this.nodes.get(path);
    return node ? [...node.children].sort() : null;
  }

  /** Paths of the nodes that go with a session, children before their parents. */
  ephemeralsOf(session: string): string[] {
    return [...(this.ephemerals.get(session) ?? [])].sort().reverse();
  }

  /** Does all operations as the change `zxid` of `session`, or throws and does none. */
  execute(operations: readonly StoreOperation[], zxid: number, session: string): TreeOutcome {
    const undos: Undo[] = [];
    const undo = (): void => {
      for (const step of undos.reverse()) step();
    };
    const outcome: TreeOutcome = { results: [], changes: [], events: [], undo };
    for (const [index, operation] of operations.entries()) {
      try {
        outcome.results.push(this.step(operation, zxid, session, outcome, undos));
      } catch (error) {
        undo();
        if (!(error instanceof StoreError)) throw error;
        throw new StoreError(error.code, error.message, operations.length > 1 ? index : null);
      }
    }
    return outcome;
  }

  /** Puts back what a journal kept. Parents come before their children in every journal. */
  replay(change: NodeChange): void {
    if (change.type === 'remove') this.remove(change.path);
    else this.put(change.path, { ...change.node, children: this.nodes.get(change.path)?.children ?? new Set() });
  }

  /** Everything persistent as changes that rebuild it, parents first. */
  *persistentNodes(): Iterable<NodeChange> {
    const paths = [...this.nodes.keys()].sort();
    for (const path of paths) {
      const node = this.nodes.get(path);
      if (node && node.ephemeralOwner === null) yield { type: 'put', path, node: recordOf(node) };
    }
  }

  private step(
    operation: StoreOperation,
    zxid: number,
    session: string,
    outcome: TreeOutcome,
    undos: Undo[],
  ): OperationResult {
    checkPath(operation.path);
    switch (operation.type) {
      case 'create':
        return this.create(operation, zxid, session, outcome, undos);
      case 'set':
        return this.set(operation, zxid, outcome, undos);
      case 'delete':
        return this.delete(operation, outcome, undos);
      case 'check': {
        const node = this.expect(operation.path, operation.version);
        return { path: operation.path, stat: statOf(node) };
      }
    }
  }

  private create(
    operation: Extract<StoreOperation, { type: 'create' }>,
    zxid: number,
    session: string,
    outcome: TreeOutcome,
    undos: Undo[],
  ): OperationResult {
    const parent = parentPath(operation.path);
    const parentNode = this.nodes.get(parent);
    if (!parentNode) throw noNode(parent);
    if (parentNode.ephemeralOwner !== null) {
      throw new StoreError('NO_CHILDREN_FOR_EPHEMERALS', `${parent} is ephemeral and cannot have children.`);
    }
    const sequential = operation.mode.endsWith('Sequential');
    const path = sequential
      ? operation.path + String(parentNode.nextSequence).padStart(SEQUENCE_DIGITS, '0')
      : operation.path;
    if (this.nodes.has(path)) throw new StoreError('NODE_EXISTS', `The node ${path} exists already.`);
    const ephemeralOwner = operation.mode.startsWith('ephemeral') ? session : null;
    if (sequential) {
      // The counter is a change of its own, so that a number is not given twice even when its node was ephemeral.
      const counted = { ...parentNode, nextSequence: parentNode.nextSequence + 1 };
      this.put(parent, counted);
      undos.push(() => this.put(parent, parentNode));
      outcome.changes.push({ type: 'put', path: parent, node: recordOf(counted) });
    }
    const record = {
      data: Buffer.from(operation.data),
      version: 0,
      czxid: zxid,
      mzxid: zxid,
      ephemeralOwner,
      nextSequence: 0,
    };
    const node: TreeNode = { ...record, children: new Set() };
    this.put(path, node);
    undos.push(() => this.remove(path));
    outcome.changes.push({ type: 'put', path, node: record });
    outcome.events.push({ type: 'created', path }, { type: 'childrenChanged', path: parent });
    return { path, stat: statOf(node) };
  }

  private set(
    operation: Extract<StoreOperation, { type: 'set' }>,
    zxid: number,
    outcome: TreeOutcome,
    undos: Undo[],
  ): OperationResult {
    const { path } = operation;
    const before = this.expect(path, operation.version);
    const after = { ...before, data: Buffer.from(operation.data), version: before.version + 1, mzxid: zxid };
    this.put(path, after);
    undos.push(() => this.put(path, before));
    outcome.changes.push({ type: 'put', path, node: recordOf(after) });
    outcome.events.push({ type: 'dataChanged', path });
    return { path, stat: statOf(after) };
  }

  private delete(
    operation: Extract<StoreOperation, { type: 'delete' }>,
    outcome: TreeOutcome,
    undos: Undo[],
  ): OperationResult {
    const { path } = operation;
    const node = this.expect(path, operation.version);
    if (path === '/') throw new StoreError('BAD_ARGUMENTS', 'The root cannot be deleted.');
    if (node.children.size > 0) throw new StoreError('NOT_EMPTY', `The node ${path} has children; delete them first.`);
    this.remove(path);
    undos.push(() => this.put(path, node));
    outcome.changes.push({ type: 'remove', path, ephemeral: node.ephemeralOwner !== null });
    outcome.events.push({ type: 'deleted', path }, { type: 'childrenChanged', path: parentPath(path) });
    return { path, stat: null };
  }

  private expect(path: string, version: number): TreeNode {
    const node = this.nodes.get(path);
    if (!node) throw noNode(path);
    if (version !== -1 && version !== node.version) {
      throw new StoreError('BAD_VERSION', `${path} has version ${node.version}, not ${version}. Read it again.`);
    }
    return node;
  }

  private put(path: string, node: TreeNode): void {
    this.nodes.set(path, node);
    if (path !== '/') this.nodes.get(parentPath(path))?.children.add(nameOf(path));
    if (node.ephemeralOwner === null) return;
    const owned = this.ephemerals.get(node.ephemeralOwner) ?? new Set();
    this.ephemerals.set(node.ephemeralOwner, owned.add(path));
  }

  private remove(path: string): void {
    const owner = this.nodes.get(path)?.ephemeralOwner ?? null;
    this.nodes.delete(path);
    this.nodes.get(parentPath(path))?.children.delete(nameOf(path));
    if (owner === null) return;
    const owned = this.ephemerals.get(owner);
    owned?.delete(path);
    if (owned?.size === 0) this.ephemerals.delete(owner);
  }
}

function recordOf(node: TreeNode): NodeRecord {
  const { data, version, czxid, mzxid, ephemeralOwner, nextSequence } = node;
  return { data, version, czxid, mzxid, ephemeralOwner, nextSequence };
}

function statOf(node: TreeNode): NodeStat {
  const { version, czxid, mzxid, ephemeralOwner } = node;
  return { version, czxid, mzxid, ephemeralOwner, childCount: node.children.size };
}
