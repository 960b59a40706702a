/**
 * The form of a journal entry of the embedded store: one line of JSON with the number of the change and what it did.
 *
 * Guarantees: what `encodeEntry` wrote, `decodeEntry` gives back, whatever the bytes of the nodes; data that is text is
 * readable text in the file. Ephemeral nodes are left out: they die with the process.
 */
import type { NodeChange } from './node-tree.js';

/** One or more changes that belong together. */
export interface JournalEntry {
  readonly zxid: number;
  readonly changes: readonly NodeChange[];
}

interface PutJson {
  put: string;
  text?: string;
  base64?: string;
  version: number;
  czxid: number;
  mzxid: number;
  next?: number;
}

type ChangeJson = PutJson | { remove: string };

function isDurable(change: NodeChange): boolean {
  return change.type === 'put' ? change.node.ephemeralOwner === null : !change.ephemeral;
}

function changeToJson(change: NodeChange): ChangeJson {
  if (change.type === 'remove') return { remove: change.path };
  const { data, version, czxid, mzxid, nextSequence } = change.node;
  const text = data.toString('utf8');
  const content = Buffer.from(text, 'utf8').equals(data) ? { text } : { base64: data.toString('base64') };
  return { put: change.path, ...content, version, czxid, mzxid, ...(nextSequence > 0 ? { next: nextSequence } : {}) };
}

function changeFromJson(json: ChangeJson): NodeChange {
  if ('remove' in json) return { type: 'remove', path: json.remove, ephemeral: false };
  const data = json.base64 === undefined ? Buffer.from(json.text ?? '', 'utf8') : Buffer.from(json.base64, 'base64');
  const { version, czxid, mzxid, next } = json;
  return {
    type: 'put',
    path: json.put,
    node: { data, version, czxid, mzxid, ephemeralOwner: null, nextSequence: next ?? 0 },
  };
}

/** The entry as bytes, or null when nothing of it has to survive. */
export function encodeEntry(entry: JournalEntry): Buffer | null {
  const changes = entry.changes.filter(isDurable).map(changeToJson);
  return changes.length === 0 ? null : Buffer.from(JSON.stringify({ zxid: entry.zxid, changes }));
}

/** An entry that only says that the store was opened: changes from now on have higher numbers. */
export function encodeMark(zxid: number): Buffer {
  return Buffer.from(JSON.stringify({ zxid, changes: [] }));
}

/** Reads what the functions above wrote. */
export function decodeEntry(payload: Buffer): JournalEntry {
  const json = JSON.parse(payload.toString('utf8')) as { zxid: number; changes: ChangeJson[] };
  return { zxid: json.zxid, changes: json.changes.map(changeFromJson) };
}
