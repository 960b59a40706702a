import { seededRandom } from '../../io/random.js';
import { assignRange } from './range-assignor.js';
import type { Subscriber } from './subscriber.js';
import type { Target } from './assignment.js';
import { assignUniform } from './uniform-assignor.js';

function reader(
  memberId: string,
  topics: string[],
  target: Record<string, number[]> = {},
  instanceId?: string,
): Subscriber {
  return {
    memberId,
    instanceId: instanceId ?? null,
    topicIds: new Set(topics),
    target: new Map(Object.entries(target)),
  };
}

function plain(targets: ReadonlyMap<string, Target>): Record<string, Record<string, readonly number[]>> {
  return Object.fromEntries([...targets].map(([id, target]) => [id, Object.fromEntries(target)]));
}

const counts = (topics: Record<string, number>): Map<string, number> => new Map(Object.entries(topics));

describe('range', () => {
  it('gives ranges of every topic, one more to the first ones', () => {
    const members = [reader('b', ['t', 'u']), reader('a', ['t', 'u'])];
    expect(plain(assignRange(members, counts({ t: 3, u: 2 })))).toEqual({
      a: { t: [0, 1], u: [0] },
      b: { t: [2], u: [1] },
    });
  });

  it('puts static members first, by instance', () => {
    const members = [reader('a', ['t']), reader('z', ['t'], {}, 'i1'), reader('y', ['t'], {}, 'i2')];
    expect(plain(assignRange(members, counts({ t: 3 })))).toEqual({ z: { t: [0] }, y: { t: [1] }, a: { t: [2] } });
  });

  it('cuts a topic among those that read it', () => {
    const members = [reader('a', ['t']), reader('b', ['t', 'u']), reader('c', [])];
    expect(plain(assignRange(members, counts({ t: 2, u: 2 })))).toEqual({
      a: { t: [0] },
      b: { t: [1], u: [0, 1] },
      c: {},
    });
  });

  it('leaves members over when there are too few partitions', () => {
    expect(plain(assignRange([reader('a', ['t']), reader('b', ['t'])], counts({ t: 1 })))).toEqual({
      a: { t: [0] },
      b: {},
    });
  });
});

describe('uniform', () => {
  it('moves no more than it must when a member comes', () => {
    const members = [reader('a', ['t'], { t: [0, 1, 2] }), reader('b', ['t'])];
    expect(plain(assignUniform(members, counts({ t: 3 })))).toEqual({ a: { t: [0, 1] }, b: { t: [2] } });
  });

  it('gives what a member left behind to those that have least', () => {
    const members = [reader('a', ['t'], { t: [0, 1] }), reader('b', ['t'], { t: [2] })];
    expect(plain(assignUniform(members, counts({ t: 4 })))).toEqual({ a: { t: [0, 1] }, b: { t: [2, 3] } });
  });

  it('takes back what is read no more, or is gone', () => {
    const members = [reader('a', ['t'], { t: [0, 9], u: [0] })];
    expect(plain(assignUniform(members, counts({ t: 1 })))).toEqual({ a: { t: [0] } });
  });

  it.each(Array.from({ length: 40 }, (_, seed) => seed))('is fair to random members (seed %i)', (seed) => {
    const random = seededRandom(seed + 1);
    const topics = Object.fromEntries(
      Array.from({ length: 1 + random.below(4) }, (_, at) => [`t${at}`, 1 + random.below(9)]),
    );
    const equal = random.below(2) === 0;
    let members = Array.from({ length: 1 + random.below(6) }, (_, at) => {
      const some = Object.keys(topics).filter(() => equal || random.below(2) === 0);
      return reader(`m${at}`, some);
    });
    for (let round = 0; round < 3; round += 1) {
      const targets = assignUniform(members, counts(topics));
      const places = [...targets].flatMap(([id, target]) =>
        [...target].flatMap(([topic, list]) =>
          list.map((partition) => ({ id, topic, place: `${topic}/${partition}` })),
        ),
      );
      const size = (id: string): number => places.filter((row) => row.id === id).length;
      const read = Object.entries(topics).filter(([topic]) => members.some(({ topicIds }) => topicIds.has(topic)));
      expect(new Set(places.map(({ place }) => place)).size).toBe(places.length);
      expect(places.length).toBe(read.reduce((sum, [, count]) => sum + count, 0));
      for (const { id, topic } of places) {
        for (const other of members)
          if (other.topicIds.has(topic)) expect(size(id) - size(other.memberId)).toBeLessThan(2);
      }
      const again = assignUniform(
        members.map((member) => ({ ...member, target: targets.get(member.memberId)! })),
        counts(topics),
      );
      expect(plain(again)).toEqual(plain(targets));
      members = members
        .map((member) => ({ ...member, target: targets.get(member.memberId)! }))
        .filter((_, at) => at === 0 || random.below(4) > 0);
    }
  });
});
