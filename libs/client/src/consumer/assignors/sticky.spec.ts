/**
 * The sticky strategies: tables worked out by hand from Java's rules, and properties over seeded random groups.
 */
import { encodeCooperativeStickyUserData, encodeStickyUserData } from '@kafka-template/protocol';
import { seededRandom } from '../../io/random.js';
import { groupByTopic, partitionKey, type TopicPartition } from '../topic-partition.js';
import type { Assignor, GroupMember } from './assignor.js';
import { isCooperative } from './assignors.js';
import { cooperativeStickyAssignor, stickyAssignor } from './sticky.js';

type Shares = Record<string, string[]>;

/** `t0` … as partitions. */
function partitions(names: readonly string[]): TopicPartition[] {
  return names.map((name) => ({ topic: name.slice(0, 1), partition: Number(name.slice(1)) }));
}

interface Before {
  topics?: string[];
  owned?: string[];
  generation?: number;
}

/** A member as it looks under the cooperative protocol. */
function stating(memberId: string, { topics = ['t'], owned = [], generation = 1 }: Before): GroupMember {
  const ownedPartitions = partitions(owned);
  return { memberId, groupInstanceId: null, topics, ownedPartitions, generationId: generation, userData: null };
}

/** A member as it looks under the eager protocol. */
function remembering(memberId: string, { topics = ['t'], owned = [], generation = 1 }: Before): GroupMember {
  const userData = stickyAssignor.userData({ generationId: generation, partitions: partitions(owned) });
  return { memberId, groupInstanceId: null, topics, ownedPartitions: [], generationId: generation, userData };
}

function shares(assignor: Assignor, members: GroupMember[], counts: Record<string, number>): Shares {
  const assignment = assignor.assign(members, new Map(Object.entries(counts)));
  return Object.fromEntries(
    [...assignment].map(([id, list]) => [id, list.map((each) => `${each.topic}${each.partition}`).sort()]),
  );
}

interface Row {
  name: string;
  before: Record<string, Before>;
  counts: Record<string, number>;
  eager: Shares;
  /** Where it differs: without what has to change hands first. */
  cooperative?: Shares;
}

const ROWS: Row[] = [
  {
    name: 'the first round deals out in turn',
    before: { b: {}, a: {} },
    counts: { t: 3 },
    eager: { a: ['t0', 't2'], b: ['t1'] },
  },
  {
    name: 'a member that joins gets what is too much for the others',
    before: { a: { owned: ['t0', 't1', 't2'] }, b: { owned: ['t3', 't4', 't5'] }, c: { generation: -1 } },
    counts: { t: 6 },
    eager: { a: ['t0', 't1'], b: ['t3', 't4'], c: ['t2', 't5'] },
    cooperative: { a: ['t0', 't1'], b: ['t3', 't4'], c: [] },
  },
  {
    name: 'what a member has left behind goes to the others, who keep what they have',
    before: { a: { owned: ['t0', 't3'] }, c: { owned: ['t2', 't5'] } },
    counts: { t: 6 },
    eager: { a: ['t0', 't1', 't3'], c: ['t2', 't4', 't5'] },
  },
  {
    name: 'new partitions go to whoever has less',
    before: { a: { owned: ['t0'] }, b: { owned: ['t1'] } },
    counts: { t: 3 },
    eager: { a: ['t0', 't2'], b: ['t1'] },
  },
  {
    name: 'who has one more keeps it',
    before: { a: { owned: ['t0'] }, b: { owned: ['t1', 't2'] } },
    counts: { t: 3 },
    eager: { a: ['t0'], b: ['t1', 't2'] },
  },
  {
    name: 'of two claims the one of the higher generation holds',
    before: { a: { owned: ['t0', 't1'], generation: 4 }, b: { owned: ['t1', 't2'], generation: 5 } },
    counts: { t: 4 },
    eager: { a: ['t0', 't3'], b: ['t1', 't2'] },
  },
  {
    name: 'of two claims of one generation neither holds, and the partition waits',
    before: { a: { owned: ['t0', 't1'] }, b: { owned: ['t1', 't2'] } },
    counts: { t: 3 },
    eager: { a: ['t0', 't1'], b: ['t2'] },
    cooperative: { a: ['t0'], b: ['t2'] },
  },
  {
    name: 'partitions and topics that are gone are left out',
    before: { a: { owned: ['t0', 't7', 'x0'] }, b: { owned: ['t1'] } },
    counts: { t: 2 },
    eager: { a: ['t0'], b: ['t1'] },
  },
  {
    name: 'surplus members idle',
    before: { a: { owned: ['t0'] }, b: {}, c: { owned: ['t1'] } },
    counts: { t: 2 },
    eager: { a: ['t0'], b: [], c: ['t1'] },
  },
  {
    name: 'nobody subscribes to anything that exists',
    before: { a: { topics: ['x'] }, b: { topics: ['x'] } },
    counts: {},
    eager: { a: [], b: [] },
  },
  {
    name: 'different topics: the only subscriber gets them, and others make up for it',
    before: { a: { topics: ['t'] }, b: { topics: ['t', 'u'] } },
    counts: { t: 3, u: 2 },
    eager: { a: ['t0', 't1', 't2'], b: ['u0', 'u1'] },
  },
  {
    name: 'different topics: what is not subscribed to any more moves',
    before: {
      a: { topics: ['t'], owned: ['t0', 'u0'] },
      b: { topics: ['t', 'u'], owned: ['t1'] },
    },
    counts: { t: 2, u: 1 },
    eager: { a: ['t0'], b: ['t1', 'u0'] },
    cooperative: { a: ['t0'], b: ['t1'] },
  },
  {
    name: 'different topics: the most loaded gives, and nobody gives more than it has to',
    before: {
      a: { topics: ['t', 'u'], owned: ['t0', 't1', 't2', 't3', 't4'] },
      b: { topics: ['t', 'u'], owned: ['u0', 'u1', 'u2'] },
      c: { topics: ['t'], owned: ['t5'] },
    },
    counts: { t: 6, u: 3 },
    eager: { a: ['t2', 't3', 't4'], b: ['u0', 'u1', 'u2'], c: ['t0', 't1', 't5'] },
    cooperative: { a: ['t2', 't3', 't4'], b: ['u0', 'u1', 'u2'], c: ['t5'] },
  },
];

function members(before: Record<string, Before>, make: typeof stating): GroupMember[] {
  return Object.entries(before).map(([memberId, each]) => make(memberId, each));
}

describe('sticky', () => {
  it.each(ROWS)('$name', ({ before, counts, eager }) => {
    expect(shares(stickyAssignor, members(before, remembering), counts)).toEqual(eager);
  });

  it('reads what clients without generations remember, and ignores what it cannot read', () => {
    const previousAssignment = [{ topic: 't', partitions: [1] }];
    const [a, b, c] = members({ a: {}, b: {}, c: {} }, stating) as [GroupMember, GroupMember, GroupMember];
    const old = { ...a, userData: encodeStickyUserData({ previousAssignment }, 0) };
    const strange = { ...b, userData: Buffer.from([1, 2, 3]) };
    const none = { ...c, userData: Buffer.alloc(0) };
    expect(shares(stickyAssignor, [old, strange, none], { t: 3 })).toEqual({ a: ['t1'], b: ['t0'], c: ['t2'] });
  });

  it('remembers nothing before the first assignment', () => {
    expect(stickyAssignor.userData({ generationId: -1, partitions: [] })).toBeNull();
  });
});

describe('cooperative-sticky', () => {
  it.each(ROWS)('$name', ({ before, counts, eager, cooperative }) => {
    expect(shares(cooperativeStickyAssignor, members(before, stating), counts)).toEqual(cooperative ?? eager);
  });

  it('finds the generation of older clients in their user data, and -1 in what it cannot read', () => {
    const a = { ...stating('a', { owned: ['t0', 't1'], generation: -1 }), userData: Buffer.from([1]) };
    const b = {
      ...stating('b', { owned: ['t0'], generation: -1 }),
      userData: encodeCooperativeStickyUserData({ generation: 3 }),
    };
    expect(shares(cooperativeStickyAssignor, [a, b], { t: 2 })).toEqual({ a: ['t1'], b: ['t0'] });
  });

  it('writes the generation as Java does: four bytes', () => {
    expect(cooperativeStickyAssignor.userData({ generationId: 7, partitions: [] })).toEqual(Buffer.from([0, 0, 0, 7]));
  });

  it('is the protocol of a member only when all its strategies can do it', () => {
    expect(isCooperative(['cooperative-sticky'])).toBe(true);
    expect(isCooperative(['cooperative-sticky', 'range'])).toBe(false);
    expect(isCooperative(['sticky'])).toBe(false);
  });
});

/** A random group that goes through rounds in which members, topics and partitions come and go. */
class RandomGroup {
  private readonly next: () => number;
  private owned = new Map<string, TopicPartition[]>();
  private topics = new Map<string, Set<string>>();
  readonly counts = new Map<string, number>();
  generation = 0;

  constructor(
    seed: number,
    private readonly isEven: boolean,
  ) {
    const random = seededRandom(seed);
    this.next = () => random.next();
    for (const topic of 'tuvwxyz'.slice(0, this.below(5) + 1)) this.counts.set(topic, this.below(12) + 1);
    for (let count = this.below(8) + 1; count > 0; count--) this.addMember();
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  change(): void {
    const ids = [...this.topics.keys()];
    const pick = ids[this.below(ids.length)] as string;
    switch (this.below(4)) {
      case 0:
        this.addMember();
        break;
      case 1:
        if (ids.length > 1) {
          this.topics.delete(pick);
          this.owned.delete(pick);
        }
        break;
      case 2: {
        const [topic, count] = [...this.counts][this.below(this.counts.size)] as [string, number];
        this.counts.set(topic, count + this.below(5));
        break;
      }
      default:
        if (!this.isEven) this.topics.set(pick, this.someTopics());
    }
  }

  members(make: typeof stating): GroupMember[] {
    return [...this.topics].map(([memberId, topics]) => {
      const owned = (this.owned.get(memberId) ?? []).map((each) => `${each.topic}${each.partition}`);
      return make(memberId, { topics: [...topics], owned, generation: this.generation });
    });
  }

  /** Takes an assignment over; returns how many partitions moved away from a member that could have kept them. */
  adopt(assignment: ReadonlyMap<string, TopicPartition[]>): number {
    let moved = 0;
    for (const [memberId, before] of this.owned) {
      const now = new Set((assignment.get(memberId) ?? []).map(partitionKey));
      moved += before.filter((each) => this.may(memberId, each) && !now.has(partitionKey(each))).length;
    }
    this.owned = new Map(assignment);
    this.generation++;
    return moved;
  }

  may(memberId: string, { topic, partition }: TopicPartition): boolean {
    return this.topics.get(memberId)?.has(topic) === true && partition < (this.counts.get(topic) ?? 0);
  }

  subscribers(topic: string): string[] {
    return [...this.topics].filter(([, topics]) => topics.has(topic)).map(([memberId]) => memberId);
  }

  /** How many partitions have a subscriber. */
  get readable(): number {
    const counts = [...this.counts].filter(([topic]) => this.subscribers(topic).length > 0);
    return counts.reduce((sum, [, count]) => sum + count, 0);
  }

  /** The least moves to balance when all topics are equal. */
  fewestMoves(): number {
    const total = [...this.counts.values()].reduce((sum, each) => sum + each, 0);
    const quota = Math.floor(total / this.topics.size);
    let surplus = total % this.topics.size;
    let moves = 0;
    for (const list of this.owned.values()) {
      const isOver = list.length > quota && surplus > 0;
      if (isOver) surplus--;
      moves += Math.max(0, list.length - quota - (isOver ? 1 : 0));
    }
    return moves;
  }

  private addMember(): void {
    this.topics.set(`m${this.below(1_000)}`, this.isEven ? new Set(this.counts.keys()) : this.someTopics());
  }

  private someTopics(): Set<string> {
    const all = [...this.counts.keys()];
    const some = all.filter(() => this.next() < 0.6);
    return new Set(some.length > 0 ? some : all.slice(0, 1));
  }
}

/** Every partition with a subscriber is given once, to a subscriber. */
function expectValid(group: RandomGroup, assignment: ReadonlyMap<string, TopicPartition[]>): void {
  const given = [...assignment].flatMap(([memberId, list]) => list.map((each) => ({ memberId, each })));
  expect(given.every(({ memberId, each }) => group.may(memberId, each))).toBe(true);
  expect(new Set(given.map(({ each }) => partitionKey(each))).size).toBe(given.length);
  expect(given.length).toBe(group.readable);
}

/** No single partition can be moved to a member that has at least two less. */
function expectBalanced(group: RandomGroup, assignment: ReadonlyMap<string, TopicPartition[]>): void {
  const load = (memberId: string): number => assignment.get(memberId)?.length ?? 0;
  for (const [memberId, list] of assignment) {
    for (const topic of groupByTopic(list).keys()) {
      const least = Math.min(...group.subscribers(topic).map(load));
      expect(load(memberId) - least).toBeLessThanOrEqual(1);
    }
  }
}

const SEEDS = Array.from({ length: 60 }, (_, seed) => seed + 1);
const ROUNDS = 12;

describe('random groups', () => {
  it.each(SEEDS)('with equal topics: within one, and with the fewest moves (seed %i)', (seed) => {
    const group = new RandomGroup(seed, true);
    for (let round = 0; round < ROUNDS; round++) {
      const assignment = stickyAssignor.assign(group.members(remembering), group.counts);
      expectValid(group, assignment);
      const loads = [...assignment.values()].map((each) => each.length);
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
      const fewest = group.fewestMoves();
      expect(group.adopt(assignment)).toBe(fewest);
      group.change();
    }
  });

  it.each(SEEDS)('with different topics: balanced, and nothing moves when nothing changed (seed %i)', (seed) => {
    const group = new RandomGroup(seed, false);
    for (let round = 0; round < ROUNDS; round++) {
      const assignment = stickyAssignor.assign(group.members(remembering), group.counts);
      expectValid(group, assignment);
      expectBalanced(group, assignment);
      group.adopt(assignment);
      expect(group.adopt(stickyAssignor.assign(group.members(remembering), group.counts))).toBe(0);
      group.change();
    }
  });

  it.each(SEEDS)('cooperative: nothing is given that another has, and the next rounds end it (seed %i)', (seed) => {
    const group = new RandomGroup(seed, seed % 2 === 0);
    for (let change = 0; change < ROUNDS; change++) {
      let rounds = 0;
      let withheld = true;
      while (withheld) {
        const before = group.members(stating);
        const assignment = cooperativeStickyAssignor.assign(before, group.counts);
        for (const { memberId, ownedPartitions } of before) {
          const owned = new Set(ownedPartitions.map(partitionKey));
          const others = [...assignment].filter(([id]) => id !== memberId).flatMap(([, list]) => list);
          expect(others.filter((each) => owned.has(partitionKey(each)))).toEqual([]);
        }
        withheld = [...assignment.values()].flat().length < group.readable;
        group.adopt(assignment);
        expect(++rounds).toBeLessThanOrEqual(3);
        if (withheld) continue;
        expectValid(group, assignment);
        expectBalanced(group, assignment);
      }
      group.change();
    }
  });
});

describe('large groups', () => {
  it('are shared out in the time a join has', () => {
    const counts = new Map(Array.from({ length: 40 }, (_, index) => [`topic-${index}`, 50] as const));
    const topics = [...counts.keys()];
    const group = Array.from({ length: 100 }, (_, index) => stating(`m${index}`, { topics: topics.slice(index % 5) }));
    const assignment = stickyAssignor.assign(group, counts);
    expect([...assignment.values()].map((each) => each.length)).toEqual(new Array(100).fill(20));
  });
});
