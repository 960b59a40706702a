/**
 * The committed offsets of the groups of one partition of `__consumer_offsets`, those of open transactions kept apart.
 *
 * Guarantees: changed by `apply...` only, in the order of the log; offsets of a transaction are invisible until it is
 * committed, and gone when it is aborted. Source: KIP-98, KIP-447.
 * Leaves out who may commit (commit.ts) and for how long offsets are kept (expiry.ts).
 */
import type { CommittedOffset } from './records.js';

/** Partition to offset. */
type PartitionOffsets = Map<number, CommittedOffset>;
/** Topic to partition to offset. */
type TopicOffsets = Map<string, PartitionOffsets>;

/** Names one committed offset. */
export interface OffsetKey {
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
}

/** An offset that waits for the end of a transaction. Null: the transaction deletes it. */
interface PendingOffset {
  readonly key: OffsetKey;
  readonly value: CommittedOffset | null;
}

const NO_TOPICS: ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> = new Map();

/** See the file comment. */
export class Offsets {
  private readonly groups = new Map<string, TopicOffsets>();
  /** Producer id to what its open transaction wants to commit here. */
  private readonly pending = new Map<number, PendingOffset[]>();

  /** Ids of all groups that have committed something. */
  groupIds(): Iterable<string> {
    return this.groups.keys();
  }

  /** All offsets of a group by topic and partition; empty for a group without. */
  ofGroup(groupId: string): ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> {
    return this.groups.get(groupId) ?? NO_TOPICS;
  }

  get({ groupId, topic, partition }: OffsetKey): CommittedOffset | undefined {
    return this.groups.get(groupId)?.get(topic)?.get(partition);
  }

  has(groupId: string): boolean {
    return this.groups.has(groupId);
  }

  /** Sets or (with null) removes an offset. */
  apply(key: OffsetKey, value: CommittedOffset | null): void {
    const { groupId, topic, partition } = key;
    if (value === null) return this.remove(key);
    let topics = this.groups.get(groupId);
    if (!topics) this.groups.set(groupId, (topics = new Map<string, PartitionOffsets>()));
    let partitions = topics.get(topic);
    if (!partitions) topics.set(topic, (partitions = new Map<number, CommittedOffset>()));
    partitions.set(partition, value);
  }

  /** Remembers an offset until its transaction ends. */
  applyTransactional(producerId: number, key: OffsetKey, value: CommittedOffset | null): void {
    const offsets = this.pending.get(producerId) ?? [];
    offsets.push({ key, value });
    this.pending.set(producerId, offsets);
  }

  /** The transaction of a producer ended: its offsets become visible, or are forgotten. */
  applyTransactionEnd(producerId: number, committed: boolean): void {
    const offsets = this.pending.get(producerId) ?? [];
    this.pending.delete(producerId);
    if (committed) for (const { key, value } of offsets) this.apply(key, value);
  }

  /** True while an open transaction wants to commit this offset. */
  isUnstable({ groupId, topic, partition }: OffsetKey): boolean {
    for (const offsets of this.pending.values()) {
      for (const { key } of offsets) {
        if (key.partition === partition && key.topic === topic && key.groupId === groupId) return true;
      }
    }
    return false;
  }

  /** True while an open transaction wants to commit anything for the group. */
  hasPending(groupId: string): boolean {
    for (const offsets of this.pending.values()) if (offsets.some(({ key }) => key.groupId === groupId)) return true;
    return false;
  }

  private remove({ groupId, topic, partition }: OffsetKey): void {
    const topics = this.groups.get(groupId);
    const partitions = topics?.get(topic);
    if (!topics || !partitions) return;
    partitions.delete(partition);
    if (partitions.size === 0) topics.delete(topic);
    if (topics.size === 0) this.groups.delete(groupId);
  }
}
