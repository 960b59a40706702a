/**
 * The newest offset of every key in the part of a log that is being compacted, in memory that is bounded beforehand.
 * Guarantees: 24 bytes a slot and nothing on the heap; `limit` keys fit; two keys are taken for one only if 128 bits of
 * their SHA-256 agree. Kafka uses MD5 here, of which anybody can make two keys with one hash, and so lose one of them.
 * Leaves out removal: a table serves one pass.
 */
import { hash } from 'node:crypto';
import { assert } from '../../assert.js';

/** Bytes of one slot: 16 of the hash, 8 of the offset. */
export const KEY_SLOT_BYTES = 24;

const WORDS = KEY_SLOT_BYTES / 4;
const LOW_WORD = 4;
const HIGH_WORD = 5;
const TWO_32 = 0x1_0000_0000;

/** How many keys fit into so many bytes at this load, at least one. */
export function keysIn(bytes: number, loadFactor: number): number {
  return Math.max(1, Math.floor(Math.floor(bytes / KEY_SLOT_BYTES) * loadFactor));
}

/** See the file comment. */
export class KeyOffsets {
  private table: Uint32Array;
  private slots: number;
  private count = 0;
  private keysMax: number;

  /** @param limit keys that fit; @param loadFactor part of the slots that they fill, above 0 and at most 1. */
  constructor(
    limit: number,
    private readonly loadFactor: number,
  ) {
    this.keysMax = limit;
    this.slots = slotsFor(limit, loadFactor);
    this.table = new Uint32Array(this.slots * WORDS);
  }

  /** Keys in the table. */
  get size(): number {
    return this.count;
  }

  /** Keys that fit. */
  get limit(): number {
    return this.keysMax;
  }

  /** Makes an empty table larger, for one batch with more keys than were thought possible. */
  enlarge(limit: number): void {
    assert(this.count === 0, 'Only an empty table can be made larger.');
    if (limit <= this.keysMax) return;
    this.keysMax = limit;
    this.slots = slotsFor(limit, this.loadFactor);
    this.table = new Uint32Array(this.slots * WORDS);
  }

  /** Notes that `key` was seen at `offset`; offsets only grow. */
  put(key: Buffer, offset: number): void {
    const digest = digestOf(key);
    const at = this.find(digest);
    const { table } = this;
    if (table[at + HIGH_WORD] === 0) {
      assert(this.count < this.keysMax, 'The table of keys is full.');
      for (let word = 0; word < LOW_WORD; word++) table[at + word] = wordOf(digest, word);
      this.count++;
    }
    const high = Math.floor(offset / TWO_32);
    table[at + LOW_WORD] = offset - high * TWO_32;
    // One more than it is, so that an empty slot is zero.
    table[at + HIGH_WORD] = high + 1;
  }

  /** The newest offset of a key, -1 when it was not seen. */
  get(key: Buffer): number {
    const at = this.find(digestOf(key));
    const high = this.table[at + HIGH_WORD] as number;
    return high === 0 ? -1 : (high - 1) * TWO_32 + (this.table[at + LOW_WORD] as number);
  }

  /** Where the slot of a hash is, or the free one it would take. */
  private find(digest: string): number {
    const { table, slots } = this;
    const first = wordOf(digest, 0);
    const second = wordOf(digest, 1);
    const third = wordOf(digest, 2);
    const fourth = wordOf(digest, 3);
    for (let slot = first % slots; ; slot = slot + 1 === slots ? 0 : slot + 1) {
      const at = slot * WORDS;
      if (table[at + HIGH_WORD] === 0) return at;
      if (table[at] === first && table[at + 1] === second && table[at + 2] === third && table[at + 3] === fourth) {
        return at;
      }
    }
  }
}

/** As a string of bytes: a buffer for each key has memory outside of the heap, which keeps the garbage collector busy. */
function digestOf(key: Buffer): string {
  return hash('sha256', key, 'binary');
}

function wordOf(digest: string, word: number): number {
  const at = word * 4;
  const low = digest.charCodeAt(at) | (digest.charCodeAt(at + 1) << 8) | (digest.charCodeAt(at + 2) << 16);
  return (low | (digest.charCodeAt(at + 3) << 24)) >>> 0;
}

/** There is always a free slot, where a search for a key that is not there ends. */
function slotsFor(limit: number, loadFactor: number): number {
  return Math.max(Math.ceil(limit / loadFactor), limit + 1);
}
