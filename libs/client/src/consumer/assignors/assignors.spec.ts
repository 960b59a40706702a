/**
 * The assignors against tables worked out by hand from the rules of Java's RangeAssignor and RoundRobinAssignor.
 */
import type { Assignor, GroupMember } from './assignor.js';
import { rangeAssignor } from './range.js';
import { roundRobinAssignor } from './round-robin.js';

type Members = Record<string, string[]>;
type Expected = Record<string, string[]>;

function member(memberId: string, topics: string[], groupInstanceId: string | null = null): GroupMember {
  return { memberId, groupInstanceId, topics, ownedPartitions: [], generationId: -1, userData: null };
}

function dynamic(members: Members): GroupMember[] {
  return Object.entries(members).map(([memberId, topics]) => member(memberId, topics));
}

function assigned(assignor: Assignor, members: GroupMember[], counts: Record<string, number>): Expected {
  const assignment = assignor.assign(members, new Map(Object.entries(counts)));
  return Object.fromEntries(
    [...assignment].map(([id, partitions]) => [id, partitions.map((each) => `${each.topic}${each.partition}`)]),
  );
}

interface Row {
  name: string;
  members: Members;
  counts: Record<string, number>;
  expected: Expected;
}

const RANGE: Row[] = [
  { name: 'one member gets everything', members: { a: ['t'] }, counts: { t: 3 }, expected: { a: ['t0', 't1', 't2'] } },
  {
    name: 'the first members get one more',
    members: { b: ['t'], a: ['t'], c: ['t'] },
    counts: { t: 5 },
    expected: { a: ['t0', 't1'], b: ['t2', 't3'], c: ['t4'] },
  },
  {
    name: 'equal topics are co-partitioned',
    members: { a: ['t', 'u'], b: ['t', 'u'] },
    counts: { t: 3, u: 3 },
    expected: { a: ['t0', 't1', 'u0', 'u1'], b: ['t2', 'u2'] },
  },
  {
    name: 'surplus members idle',
    members: { a: ['t'], b: ['t'], c: ['t'] },
    counts: { t: 2 },
    expected: { a: ['t0'], b: ['t1'], c: [] },
  },
  {
    name: 'members with other topics are served by the leader too',
    members: { a: ['t'], b: ['u'], c: ['t', 'u'] },
    counts: { t: 2, u: 3 },
    expected: { a: ['t0'], b: ['u0', 'u1'], c: ['t1', 'u2'] },
  },
  {
    name: 'a topic that does not exist is left out',
    members: { a: ['t', 'x'] },
    counts: { t: 1 },
    expected: { a: ['t0'] },
  },
  {
    name: 'a topic named twice counts once',
    members: { a: ['t', 't'] },
    counts: { t: 2 },
    expected: { a: ['t0', 't1'] },
  },
];

const ROUND_ROBIN: Row[] = [
  {
    name: 'partitions of all topics are dealt out in turn',
    members: { a: ['t', 'u'], b: ['t', 'u'] },
    counts: { t: 3, u: 3 },
    expected: { a: ['t0', 't2', 'u1'], b: ['t1', 'u0', 'u2'] },
  },
  {
    name: 'members that do not subscribe to the topic are passed over',
    members: { a: ['t'], b: ['t', 'u'], c: ['t', 'u', 'v'] },
    counts: { t: 1, u: 2, v: 3 },
    expected: { a: ['t0'], b: ['u0'], c: ['u1', 'v0', 'v1', 'v2'] },
  },
  {
    name: 'topics are taken in the order of their names',
    members: { a: ['z', 'b'], b: ['b', 'z'] },
    counts: { z: 1, b: 1 },
    expected: { a: ['b0'], b: ['z0'] },
  },
  {
    name: 'surplus members idle',
    members: { a: ['t'], b: ['t'], c: ['t'] },
    counts: { t: 2 },
    expected: { a: ['t0'], b: ['t1'], c: [] },
  },
];

describe('range', () => {
  it.each(RANGE)('$name', ({ members, counts, expected }) => {
    expect(assigned(rangeAssignor, dynamic(members), counts)).toEqual(expected);
  });
});

describe('roundrobin', () => {
  it.each(ROUND_ROBIN)('$name', ({ members, counts, expected }) => {
    expect(assigned(roundRobinAssignor, dynamic(members), counts)).toEqual(expected);
  });
});

describe('static members', () => {
  const members: GroupMember[] = [member('a', ['t']), member('x', ['t'], 'node-2'), member('z', ['t'], 'node-1')];

  it.each([rangeAssignor, roundRobinAssignor])('come first, in the order of their instance ids: $name', (assignor) => {
    expect(assigned(assignor, members, { t: 3 })).toEqual({ z: ['t0'], x: ['t1'], a: ['t2'] });
  });
});
