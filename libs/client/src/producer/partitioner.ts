/**
 * Which partition a record goes to.
 *
 * Guarantees Kafka's rules: a given partition wins; with a key, murmur2 of its bytes over all partitions, the same number
 * the Java client computes; without one, a sticky partition that changes when a batch's worth of bytes went there, the
 * next being drawn by how little waits for each partition that has a leader (KIP-480, KIP-794).
 */
import { murmur2 } from '@kafka-template/protocol';
import type { Random } from '../io/random.js';
import type { ProducerRecord } from './producer-record.js';

/** A partitioner of the application's own. */
export interface Partitioner {
  /**
   * The partition for a record that names none: 0 to `partitionCount - 1`, or null to leave it to the built-in rule.
   * Called once per record during `append`, so it must be quick. What it throws fails the record.
   */
  partition(record: ProducerRecord, partitionCount: number): number | null;
}

/** What the sticky choice needs to know of a partition. */
export interface PartitionLoad {
  /** Whether it has a leader. */
  readonly isAvailable: boolean;
  /** Batches that wait. */
  readonly queuedBatches: number;
}

/** Longest key that is hashed from the characters, without making a Buffer. */
const SHORT_KEY_CHARS = 64;

const shortKey = new Uint8Array(SHORT_KEY_CHARS);

/** Kafka's partition for a key: the hash without its sign, modulo the number of partitions. */
export function partitionForKey(key: Buffer | string, partitionCount: number): number {
  return (hashOf(key) & 0x7fffffff) % partitionCount;
}

function hashOf(key: Buffer | string): number {
  if (typeof key !== 'string') return murmur2(key);
  const { length } = key;
  if (length > SHORT_KEY_CHARS) return murmur2(Buffer.from(key));
  for (let index = 0; index < length; index++) {
    const code = key.charCodeAt(index);
    if (code > 0x7f) return murmur2(Buffer.from(key));
    shortKey[index] = code;
  }
  return murmur2(shortKey, length);
}

/** The sticky choice of one topic. */
export class StickyChoice {
  /** The partition that was chosen last; -1 when the next record draws one. */
  current = -1;
  private bytes = 0;

  constructor(
    private readonly random: Random,
    private readonly batchSize: number,
  ) {}

  /** Whether a batch's worth of bytes went to the partition, so that the next batch goes elsewhere. */
  get isDue(): boolean {
    return this.bytes >= this.batchSize;
  }

  /** The partition for the next record without a key; `loads` by partition number, never empty. */
  choose(loads: readonly PartitionLoad[]): number {
    if (this.current === -1 || this.current >= loads.length) this.current = this.draw(loads);
    return this.current;
  }

  /** A record went to the partition. At twice the size of a batch the choice moves on even inside one. */
  add(recordBytes: number): void {
    this.bytes += recordBytes;
    if (this.bytes >= 2 * this.batchSize) this.moveOn();
  }

  /** The next record draws a partition. */
  moveOn(): void {
    this.current = -1;
    this.bytes = 0;
  }

  private draw(loads: readonly PartitionLoad[]): number {
    const candidates = loads.some((load) => load.isAvailable) ? (load: PartitionLoad) => load.isAvailable : () => true;
    let longest = 0;
    for (const load of loads) if (candidates(load)) longest = Math.max(longest, load.queuedBatches);
    let total = 0;
    for (const load of loads) if (candidates(load)) total += longest + 1 - load.queuedBatches;
    let point = Math.floor(this.random.next() * total);
    for (let partition = 0; partition < loads.length; partition++) {
      const load = loads[partition];
      if (load === undefined || !candidates(load)) continue;
      point -= longest + 1 - load.queuedBatches;
      if (point < 0) return partition;
    }
    return 0;
  }
}
