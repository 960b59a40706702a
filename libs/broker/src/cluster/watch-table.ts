/**
 * Who wants to know about which node: the one-time watches of the embedded store.
 *
 * Guarantees ZooKeeper's rules: a watch set by `get` or `exists` hears of creation, data and end of the node; one set by
 * `children` of children that come or go and of the end of the node; each is told once, and a watch that was set twice in
 * the same way is told once.
 */
import type { Watch, WatchEvent } from './store.js';

type Kind = 'node' | 'children';

/** See the file comment. */
export class WatchTable {
  private readonly tables: Readonly<Record<Kind, Map<string, Map<Watch, string>>>> = {
    node: new Map(),
    children: new Map(),
  };

  add(kind: Kind, path: string, sessionId: string, watch: Watch): void {
    const watches = this.tables[kind].get(path) ?? new Map<Watch, string>();
    this.tables[kind].set(path, watches.set(watch, sessionId));
  }

  /** Removes and returns the watches that an event concerns. */
  take(event: WatchEvent): Set<Watch> {
    const taken = new Set<Watch>();
    const collect = (kind: Kind): void => {
      for (const watch of this.tables[kind].get(event.path)?.keys() ?? []) taken.add(watch);
      this.tables[kind].delete(event.path);
    };
    if (event.type !== 'childrenChanged') collect('node');
    if (event.type === 'childrenChanged' || event.type === 'deleted') collect('children');
    return taken;
  }

  removeSession(sessionId: string): void {
    for (const table of Object.values(this.tables)) {
      for (const [path, watches] of table) {
        for (const [watch, owner] of watches) if (owner === sessionId) watches.delete(watch);
        if (watches.size === 0) table.delete(path);
      }
    }
  }
}
