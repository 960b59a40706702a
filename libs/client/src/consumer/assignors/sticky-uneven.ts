/**
 * Sticky sharing out when members subscribe to different topics.
 *
 * Guarantees: everybody keeps what it owned, and the free partitions are placed as evenly as that allows (no chain of
 * them could be shifted to make it more even). Then single partitions move, from a member to one that has at least two
 * less, until none can (Java's notion of balance); first those that were not this member's before, best of all back to
 * their owner. Ends, because every step lowers the sum of the squares of the loads. For the same reason cooperative
 * rounds end: what one round has withheld is free in the next, and can be placed at least as evenly as it was planned.
 */
import { partitionKey, type TopicPartition } from '../topic-partition.js';
import { compareStrings } from './assignor.js';

/** A member and its share so far. */
interface Share {
  readonly memberId: string;
  load: number;
  /** Its partitions by topic. */
  readonly held: Map<string, TopicPartition[]>;
}

interface Move {
  readonly partition: TopicPartition;
  readonly target: Share;
  /** 2: back to its previous owner, 1: of one that was not the giver's before, 0: of one that was. */
  readonly merit: number;
}

/** A step on the way free partitions are shifted: one of this topic goes from here. */
interface Hop {
  readonly from: Share;
  readonly topic: string;
}

/** What the members subscribe to, and what they owned. */
export interface UnevenInput {
  /** In the order in which members come first. */
  readonly topicsByMember: ReadonlyMap<string, ReadonlySet<string>>;
  readonly kept: ReadonlyMap<string, readonly TopicPartition[]>;
  /** Only topics with a subscriber and partitions. */
  readonly partitionCounts: ReadonlyMap<string, number>;
}

/** Shares out. */
export function shareOutUnevenly(input: UnevenInput): Map<string, TopicPartition[]> {
  const round = new UnevenRound(input);
  round.assignFree();
  round.settle((giver) => round.shiftFree(giver));
  round.settle((giver) => round.moveOne(giver));
  return new Map([...round.shares.values()].map(({ memberId, held }) => [memberId, [...held.values()].flat()]));
}

class UnevenRound {
  readonly shares = new Map<string, Share>();
  private readonly subscribers = new Map<string, Share[]>();
  /** By partition key. */
  private readonly previous = new Map<string, Share>();

  constructor(private readonly input: UnevenInput) {
    for (const [memberId, topics] of input.topicsByMember) {
      const share: Share = { memberId, load: 0, held: new Map() };
      this.shares.set(memberId, share);
      for (const topic of topics) {
        const list = this.subscribers.get(topic);
        if (list === undefined) this.subscribers.set(topic, [share]);
        else list.push(share);
      }
      for (const partition of input.kept.get(memberId) ?? []) {
        this.previous.set(partitionKey(partition), share);
        give(share, partition);
      }
    }
  }

  /** Topics with the fewest subscribers first: they leave the least choice. */
  assignFree(): void {
    const width = (topic: string): number => this.subscribers.get(topic)?.length ?? 0;
    const topics = [...this.input.partitionCounts.keys()].sort(
      (one, other) => width(one) - width(other) || compareStrings(one, other),
    );
    for (const topic of topics) {
      const count = this.input.partitionCounts.get(topic) ?? 0;
      for (let partition = 0; partition < count; partition++) {
        const free = { topic, partition };
        const least = this.leastLoaded(topic);
        if (least !== undefined && !this.previous.has(partitionKey(free))) give(least, free);
      }
    }
  }

  /** Lets the most loaded member that can give away a partition do so, until nobody can. */
  settle(step: (giver: Share) => boolean): void {
    const stuck = new Set<Share>();
    let moved = true;
    while (moved) {
      // Others have more or less now: those that could not give may be able to.
      stuck.clear();
      moved = false;
      for (let giver = this.mostLoaded(stuck); giver !== undefined; giver = this.mostLoaded(stuck)) {
        if (step(giver)) moved = true;
        else stuck.add(giver);
      }
    }
  }

  /** Moves one partition from the giver to a member that has at least two less, if there is such a move. */
  moveOne(giver: Share): boolean {
    const move = this.bestMove(giver);
    if (move === null) return false;
    take(giver, move.partition);
    give(move.target, move.partition);
    return true;
  }

  /**
   * Gives a free partition of the giver to another member, which gives one of its own in turn, and so on to a member that
   * has at least two less than the giver. The shortest such chain, if there is one.
   */
  shiftFree(giver: Share): boolean {
    const hops = new Map<Share, Hop>();
    const topics = new Set<string>();
    const reached = [giver];
    for (const from of reached) {
      for (const [topic, partitions] of from.held) {
        if (topics.has(topic) || !partitions.some((each) => this.isFreeAt(from, each))) continue;
        topics.add(topic);
        for (const share of this.subscribers.get(topic) ?? []) {
          if (share === giver || hops.has(share)) continue;
          hops.set(share, { from, topic });
          if (share.load + 1 < giver.load) {
            this.shiftAlong(hops, share);
            return true;
          }
          reached.push(share);
        }
      }
    }
    return false;
  }

  private shiftAlong(hops: ReadonlyMap<Share, Hop>, end: Share): void {
    let share = end;
    for (let hop = hops.get(share); hop !== undefined; hop = hops.get(share)) {
      const { from, topic } = hop;
      const partition = from.held.get(topic)?.find((each) => this.isFreeAt(from, each));
      if (partition === undefined) return;
      take(from, partition);
      give(share, partition);
      share = from;
    }
  }

  private isFreeAt(share: Share, partition: TopicPartition): boolean {
    return this.previous.get(partitionKey(partition)) !== share;
  }

  private bestMove(giver: Share): Move | null {
    let best: Move | null = null;
    for (const [topic, partitions] of giver.held) {
      const least = this.leastLoaded(topic);
      if (least === undefined || least.load + 1 >= giver.load) continue;
      for (const partition of partitions) {
        const owner = this.previous.get(partitionKey(partition));
        const goesBack = owner !== undefined && owner !== giver && owner.load + 1 < giver.load;
        const merit = goesBack ? 2 : owner === giver ? 0 : 1;
        const target = goesBack ? owner : least;
        const isBetter =
          best === null || merit > best.merit || (merit === best.merit && target.load < best.target.load);
        if (isBetter) best = { partition, target, merit };
      }
    }
    return best;
  }

  private leastLoaded(topic: string): Share | undefined {
    let least: Share | undefined;
    for (const share of this.subscribers.get(topic) ?? []) {
      if (least === undefined || share.load < least.load) least = share;
    }
    return least;
  }

  private mostLoaded(stuck: ReadonlySet<Share>): Share | undefined {
    let most: Share | undefined;
    for (const share of this.shares.values()) {
      if (!stuck.has(share) && (most === undefined || share.load > most.load)) most = share;
    }
    return most;
  }
}

function give(share: Share, partition: TopicPartition): void {
  const list = share.held.get(partition.topic);
  if (list === undefined) share.held.set(partition.topic, [partition]);
  else list.push(partition);
  share.load++;
}

function take(share: Share, partition: TopicPartition): void {
  const list = share.held.get(partition.topic) ?? [];
  list.splice(list.indexOf(partition), 1);
  share.load--;
}
