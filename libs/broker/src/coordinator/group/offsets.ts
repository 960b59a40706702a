/**
 * The committed offsets of the groups of one partition of `__consumer_offsets`, those of open transactions kept apart.
 *
 * Guarantees: changed by `apply...` only, in the order of the log; offsets of a transaction are invisible until it is
 * committed, and gone when it is aborted; of several commits of one offset the last in the log holds, whenever its transaction
 * ends; a deletion takes waiting offsets along. Source: KIP-98, KIP-447, and Kafka's coordinator for the last two.
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
  /** A later commit of the same offset is visible already. */
  isOutdated: boolean;
}

const isSame = (a: OffsetKey, b: OffsetKey): boolean =>
  a.partition === b.partition && a.topic === b.topic && a.groupId === b.groupId;

const NO_TOPICS: ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> = new Map();

/** See the file comment. */
export class Offsets {
  private readonly groups = new Map<string, TopicOffsets>();
  /** Producer id to what its open transaction wants to commit here. */
  private readonly pending = new Map<number, PendingOffset[]>();
  /** The same by group, in the order of the log. */
  private readonly pendingByGroup = new Map<string, Set<PendingOffset>>();

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

  /** What a deletion of the group has to name: committed offsets and those that wait for a transaction. */
  keysOf(groupId: string): OffsetKey[] {
    const keys: OffsetKey[] = [];
    for (const [topic, partitions] of this.ofGroup(groupId)) {
      for (const partition of partitions.keys()) keys.push({ groupId, topic, partition });
    }
    const waiting = new Map<string, OffsetKey>();
    for (const { key } of this.pendingByGroup.get(groupId) ?? []) {
      if (this.get(key) === undefined) waiting.set(`${key.topic}-${key.partition}`, key);
    }
    return [...keys, ...waiting.values()];
  }

  /** Ids of the groups for which a transaction wants to commit. */
  pendingGroupIds(): Iterable<string> {
    return this.pendingByGroup.keys();
  }

  /** Sets or (with null) removes an offset. */
  apply(key: OffsetKey, value: CommittedOffset | null): void {
    const waiting = this.pendingByGroup.get(key.groupId);
    if (value === null) {
      if (waiting) this.dropPending(waiting, key);
      return this.remove(key);
    }
    for (const each of waiting ?? []) if (isSame(each.key, key)) each.isOutdated = true;
    this.set(key, value);
  }

  /** Remembers an offset until its transaction ends. */
  applyTransactional(producerId: number, key: OffsetKey, value: CommittedOffset | null): void {
    const offset: PendingOffset = { key, value, isOutdated: false };
    const offsets = this.pending.get(producerId) ?? [];
    offsets.push(offset);
    this.pending.set(producerId, offsets);
    const waiting = this.pendingByGroup.get(key.groupId) ?? new Set();
    this.pendingByGroup.set(key.groupId, waiting.add(offset));
  }

  /** The transaction of a producer ended: its offsets become visible, or are forgotten. Returns the groups it was about. */
  applyTransactionEnd(producerId: number, committed: boolean): Iterable<string> {
    const offsets = this.pending.get(producerId) ?? [];
    const groupIds = new Set<string>();
    for (const offset of offsets) {
      groupIds.add(offset.key.groupId);
      if (committed && !offset.isOutdated) this.complete(offset);
    }
    for (const offset of offsets) this.forget(offset);
    this.pending.delete(producerId);
    return groupIds;
  }

  /** True while an open transaction wants to commit this offset. */
  isUnstable(key: OffsetKey): boolean {
    for (const each of this.pendingByGroup.get(key.groupId) ?? []) if (isSame(each.key, key)) return true;
    return false;
  }

  /** True while an open transaction wants to commit anything for the group. */
  hasPending(groupId: string): boolean {
    return this.pendingByGroup.has(groupId);
  }

  /** Makes an offset visible; those that stand before it in the log never will be. */
  private complete(offset: PendingOffset): void {
    const { key, value } = offset;
    for (const each of this.pendingByGroup.get(key.groupId) ?? []) {
      if (each === offset) break;
      if (isSame(each.key, key)) each.isOutdated = true;
    }
    if (value === null) this.remove(key);
    else this.set(key, value);
  }

  private set({ groupId, topic, partition }: OffsetKey, value: CommittedOffset): void {
    let topics = this.groups.get(groupId);
    if (!topics) this.groups.set(groupId, (topics = new Map<string, PartitionOffsets>()));
    let partitions = topics.get(topic);
    if (!partitions) topics.set(topic, (partitions = new Map<number, CommittedOffset>()));
    partitions.set(partition, value);
  }

  private dropPending(waiting: ReadonlySet<PendingOffset>, key: OffsetKey): void {
    const dropped = new Set([...waiting].filter((each) => isSame(each.key, key)));
    if (dropped.size === 0) return;
    for (const offset of dropped) this.forget(offset);
    for (const [producerId, offsets] of this.pending) {
      const kept = offsets.filter((each) => !dropped.has(each));
      if (kept.length > 0) this.pending.set(producerId, kept);
      else this.pending.delete(producerId);
    }
  }

  private forget(offset: PendingOffset): void {
    const { groupId } = offset.key;
    const waiting = this.pendingByGroup.get(groupId);
    waiting?.delete(offset);
    if (waiting?.size === 0) this.pendingByGroup.delete(groupId);
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
