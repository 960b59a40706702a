/**
 * What a broker remembers of one consumer's fetches (KIP-227), so that a request names only what has changed.
 *
 * Guarantees that both sides agree on the set of partitions: whatever casts doubt on it (a lost connection, an error of
 * the session) begins a new session with a full request. A broker that keeps no sessions answers with the id 0 and gets
 * full requests. Leaves out telling the broker at the end: it drops sessions by itself when they are not used.
 */
import { ZERO_UUID } from '@kafka-template/protocol';
import { partitionKey, type TopicPartition } from '../topic-partition.js';

/** A partition to fetch. */
export interface FetchWish<Owner> extends TopicPartition {
  /** `ZERO_UUID` when it is not known. */
  readonly topicId: string;
  readonly fetchOffset: number;
  readonly leaderEpoch: number;
  /** Whatever the fetcher wants back with the answer. */
  readonly owner: Owner;
}

/** What to put into a request. */
export interface FetchPlan<Owner> {
  readonly sessionId: number;
  /** 0 for a full request. */
  readonly sessionEpoch: number;
  /** Partitions that are new to the session or have changed, in the order in which they are to be answered. */
  readonly wishes: readonly FetchWish<Owner>[];
  /** Partitions the session shall not have any more. */
  readonly forgotten: readonly FetchWish<Owner>[];
}

const NO_SESSION = 0;
const FULL_REQUEST_EPOCH = 0;
const EPOCH_MAX = 0x7fffffff;

/** The session with one broker. */
export class FetchSession<Owner> {
  private id = NO_SESSION;
  private epoch = FULL_REQUEST_EPOCH;
  /** What the broker has been told last, by partition. */
  private readonly told = new Map<string, FetchWish<Owner>>();
  private byId = false;

  /** The next request, for exactly these partitions. */
  plan(wishes: readonly FetchWish<Owner>[]): FetchPlan<Owner> {
    // Names and ids cannot be mixed in one session.
    const byId = wishes.every((wish) => wish.topicId !== ZERO_UUID);
    if (byId !== this.byId) this.reset();
    this.byId = byId;
    const { id: sessionId, epoch: sessionEpoch } = this;
    if (sessionEpoch === FULL_REQUEST_EPOCH) {
      this.told.clear();
      for (const wish of wishes) this.told.set(partitionKey(wish), wish);
      return { sessionId, sessionEpoch, wishes, forgotten: [] };
    }
    const changed: FetchWish<Owner>[] = [];
    const gone = new Map(this.told);
    const forgotten: FetchWish<Owner>[] = [];
    for (const wish of wishes) {
      const key = partitionKey(wish);
      const before = this.told.get(key);
      gone.delete(key);
      // A topic that was deleted and made again is another one: the old is forgotten, the new added.
      if (before !== undefined && before.topicId !== wish.topicId) forgotten.push(before);
      if (before === undefined || !isSame(before, wish)) changed.push(wish);
      this.told.set(key, wish);
    }
    for (const [key, wish] of gone) {
      this.told.delete(key);
      forgotten.push(wish);
    }
    return { sessionId, sessionEpoch, wishes: changed, forgotten };
  }

  /** The broker has answered: the next request builds on this one, if it keeps the session. */
  accepted(sessionId: number): void {
    this.id = sessionId;
    this.epoch = sessionId === NO_SESSION ? FULL_REQUEST_EPOCH : this.epoch === EPOCH_MAX ? 1 : this.epoch + 1;
  }

  /** Nobody knows what the broker remembers: the next request is full, and ends the present session if there is one. */
  reset(): void {
    this.epoch = FULL_REQUEST_EPOCH;
  }

  /** The broker says that there is no such session. */
  forget(): void {
    this.id = NO_SESSION;
    this.reset();
  }

  /** What was asked for in a partition that is answered; undefined when it was not. */
  asked(topic: string, partition: number): FetchWish<Owner> | undefined {
    return this.told.get(partitionKey({ topic, partition }));
  }

  /** The name of a topic that is answered by its id; undefined when it was not asked for. */
  topicName(topicId: string): string | undefined {
    for (const wish of this.told.values()) if (wish.topicId === topicId) return wish.topic;
    return undefined;
  }

  /** Whether the partitions are named by the ids of their topics. */
  get usesIds(): boolean {
    return this.byId;
  }
}

function isSame<Owner>(before: FetchWish<Owner>, wish: FetchWish<Owner>): boolean {
  return (
    before.topicId === wish.topicId &&
    before.fetchOffset === wish.fetchOffset &&
    before.leaderEpoch === wish.leaderEpoch
  );
}
