import { ErrorCode } from '@kafka-template/protocol';
import { GroupPlay, type JoinWish } from './group-play.fixture.js';

const {
  NONE,
  UNKNOWN_MEMBER_ID,
  ILLEGAL_GENERATION,
  REBALANCE_IN_PROGRESS,
  FENCED_INSTANCE_ID,
  MEMBER_ID_REQUIRED,
  INCONSISTENT_GROUP_PROTOCOL,
} = ErrorCode;

/** Brings a group into a state; `a` is the leader, `b` a follower. In Preparing, `b` waits in its join and `a` does not. */
const STATES: Record<string, () => { play: GroupPlay; a: string; b: string }> = {
  Empty: () => {
    const play = new GroupPlay();
    const [a = '', b = ''] = play.stable(2);
    play.leave({ memberId: a }, { memberId: b });
    return { play, a, b };
  },
  PreparingRebalance: () => {
    const play = new GroupPlay();
    const [a = '', b = ''] = play.stable(2);
    play.join({ memberId: b, topics: ['other'] });
    return { play, a, b };
  },
  CompletingRebalance: () => {
    const play = new GroupPlay();
    const [a = '', b = ''] = play.stable(2);
    play.join({ memberId: b, topics: ['other'] });
    play.join({ memberId: a });
    return { play, a, b };
  },
  Stable: () => {
    const play = new GroupPlay();
    const [a = '', b = ''] = play.stable(2);
    return { play, a, b };
  },
};

type Event = (scene: { play: GroupPlay; a: string; b: string }) => number | 'waits';

const joined =
  (wish: (scene: { a: string; b: string }) => JoinWish): Event =>
  (scene) =>
    scene.play.joinAnswer(scene.play.join(wish(scene)))?.errorCode ?? 'waits';
const synced =
  (who: 'a' | 'b', generation = 0): Event =>
  (scene) => {
    const generationId = scene.play.group.generationId + generation;
    return scene.play.syncAnswer(scene.play.sync(scene[who], { generationId }))?.errorCode ?? 'waits';
  };

const committed =
  (who: 'a' | 'b', options: { generation?: number; transactional?: boolean } = {}): Event =>
  ({ play, [who]: memberId }) => {
    const { generation = 0, transactional = false } = options;
    return play.commit(memberId, { generationId: play.group.generationId + generation, transactional });
  };

const EVENTS: Record<string, Event> = {
  'a new member joins': joined(() => ({})),
  'a new member joins with the id it was given': ({ play }) =>
    play.joinAnswer(play.enter({ sessionTimeoutMs: 20_000 }).token)?.errorCode ?? 'waits',
  'an old client joins': joined(() => ({ apiVersion: 3 })),
  'a static member joins': joined(() => ({ instanceId: 'i' })),
  'an unknown member joins': joined(() => ({ memberId: 'who' })),
  'a member with other protocols joins': joined(() => ({ protocols: ['unheard'] })),
  'a member of another type joins': joined(() => ({ protocolType: 'connect' })),
  'a member without type joins': joined(() => ({ protocolType: '' })),
  'the leader joins again': joined(({ a }) => ({ memberId: a })),
  'the leader joins again, changed': joined(({ a }) => ({ memberId: a, topics: ['new'] })),
  'the follower of a stable group joins again as before': joined(({ b }) => ({ memberId: b })),
  'the follower joins again as before': joined(({ b }) => ({ memberId: b, topics: ['other'] })),
  'the follower joins again, changed': joined(({ b }) => ({ memberId: b, topics: ['new'] })),
  'the follower syncs': synced('b'),
  'the leader syncs': synced('a'),
  'the follower syncs an old generation': synced('b', -1),
  'the follower beats': ({ play, b }) => play.heartbeat(b),
  'the follower beats for an old generation': ({ play, b }) => play.heartbeat(b, play.group.generationId - 1),
  'an unknown member beats': ({ play }) => play.heartbeat('who'),
  'the follower commits': committed('b'),
  'the follower commits in a transaction': committed('b', { transactional: true }),
  'the follower commits for an old generation': committed('b', { generation: -1 }),
  'an unknown member commits': ({ play }) => play.commit('who'),
  'somebody who is no member commits': ({ play }) => play.commit('', { generationId: -1 }),
  'somebody who is no member commits in a transaction': ({ play }) =>
    play.commit('', { generationId: -1, transactional: true }),
  'the leader leaves': ({ play, a }) => play.leave({ memberId: a })[0]?.errorCode ?? 'waits',
  'the follower leaves': ({ play, b }) => play.leave({ memberId: b })[0]?.errorCode ?? 'waits',
  'an unknown member leaves': ({ play }) => play.leave({ memberId: 'who' })[0]?.errorCode ?? 'waits',
  'time passes until the session ends': ({ play, a }) => {
    play.pass(5000);
    play.heartbeat(a);
    play.pass(5001);
    return NONE;
  },
  'time passes until the rebalance ends': ({ play, a, b }) => {
    for (let beat = 0; beat < 12; beat += 1) {
      play.pass(5000);
      for (const memberId of [a, b]) play.heartbeat(memberId);
    }
    return NONE;
  },
};

const MEMBER_ID = MEMBER_ID_REQUIRED;
const P = 'PreparingRebalance';
const C = 'CompletingRebalance';
const S = 'Stable';
const E = 'Empty';

/** Per event, per state: the answer to the request that was the event, and the state after it. */
const TABLE: Record<string, [...([answer: number | 'waits', next: string] | null)[]]> = {
  //                                        Empty                            Preparing                        Completing                       Stable
  'a new member joins': [
    [MEMBER_ID, E],
    [MEMBER_ID, P],
    [MEMBER_ID, C],
    [MEMBER_ID, S],
  ],
  'a new member joins with the id it was given': [
    [NONE, C],
    ['waits', P],
    ['waits', P],
    ['waits', P],
  ],
  'an old client joins': [
    [NONE, C],
    ['waits', P],
    ['waits', P],
    ['waits', P],
  ],
  'a static member joins': [
    [NONE, C],
    ['waits', P],
    ['waits', P],
    ['waits', P],
  ],
  'an unknown member joins': [
    [UNKNOWN_MEMBER_ID, E],
    [UNKNOWN_MEMBER_ID, P],
    [UNKNOWN_MEMBER_ID, C],
    [UNKNOWN_MEMBER_ID, S],
  ],
  'a member with other protocols joins': [
    [MEMBER_ID, E],
    [INCONSISTENT_GROUP_PROTOCOL, P],
    [INCONSISTENT_GROUP_PROTOCOL, C],
    [INCONSISTENT_GROUP_PROTOCOL, S],
  ],
  'a member of another type joins': [
    [MEMBER_ID, E],
    [INCONSISTENT_GROUP_PROTOCOL, P],
    [INCONSISTENT_GROUP_PROTOCOL, C],
    [INCONSISTENT_GROUP_PROTOCOL, S],
  ],
  'a member without type joins': [
    [INCONSISTENT_GROUP_PROTOCOL, E],
    [INCONSISTENT_GROUP_PROTOCOL, P],
    [INCONSISTENT_GROUP_PROTOCOL, C],
    [INCONSISTENT_GROUP_PROTOCOL, S],
  ],
  'the leader joins again': [
    [UNKNOWN_MEMBER_ID, E],
    [NONE, C],
    [NONE, C],
    ['waits', P],
  ],
  'the leader joins again, changed': [
    [UNKNOWN_MEMBER_ID, E],
    [NONE, C],
    ['waits', P],
    ['waits', P],
  ],
  // Before it changed what it wants: in Preparing and Completing this is another change.
  'the follower of a stable group joins again as before': [
    [UNKNOWN_MEMBER_ID, E],
    ['waits', P],
    ['waits', P],
    [NONE, S],
  ],
  'the follower joins again as before': [
    [UNKNOWN_MEMBER_ID, E],
    ['waits', P],
    [NONE, C],
    ['waits', P],
  ],
  'the follower joins again, changed': [
    [UNKNOWN_MEMBER_ID, E],
    ['waits', P],
    ['waits', P],
    ['waits', P],
  ],
  'the follower syncs': [
    [UNKNOWN_MEMBER_ID, E],
    [REBALANCE_IN_PROGRESS, P],
    ['waits', C],
    [NONE, S],
  ],
  'the leader syncs': [
    [UNKNOWN_MEMBER_ID, E],
    [REBALANCE_IN_PROGRESS, P],
    [NONE, S],
    [NONE, S],
  ],
  'the follower syncs an old generation': [
    [UNKNOWN_MEMBER_ID, E],
    [ILLEGAL_GENERATION, P],
    [ILLEGAL_GENERATION, C],
    [ILLEGAL_GENERATION, S],
  ],
  'the follower beats': [
    [UNKNOWN_MEMBER_ID, E],
    [REBALANCE_IN_PROGRESS, P],
    [NONE, C],
    [NONE, S],
  ],
  'the follower beats for an old generation': [
    [UNKNOWN_MEMBER_ID, E],
    [ILLEGAL_GENERATION, P],
    [ILLEGAL_GENERATION, C],
    [ILLEGAL_GENERATION, S],
  ],
  'an unknown member beats': [
    [UNKNOWN_MEMBER_ID, E],
    [UNKNOWN_MEMBER_ID, P],
    [UNKNOWN_MEMBER_ID, C],
    [UNKNOWN_MEMBER_ID, S],
  ],
  'the follower commits': [
    [UNKNOWN_MEMBER_ID, E],
    [NONE, P],
    [REBALANCE_IN_PROGRESS, C],
    [NONE, S],
  ],
  'the follower commits in a transaction': [
    [UNKNOWN_MEMBER_ID, E],
    [NONE, P],
    [NONE, C],
    [NONE, S],
  ],
  'the follower commits for an old generation': [
    [UNKNOWN_MEMBER_ID, E],
    [ILLEGAL_GENERATION, P],
    [ILLEGAL_GENERATION, C],
    [ILLEGAL_GENERATION, S],
  ],
  'an unknown member commits': [
    [UNKNOWN_MEMBER_ID, E],
    [UNKNOWN_MEMBER_ID, P],
    [UNKNOWN_MEMBER_ID, C],
    [UNKNOWN_MEMBER_ID, S],
  ],
  'somebody who is no member commits': [
    [NONE, E],
    [UNKNOWN_MEMBER_ID, P],
    [UNKNOWN_MEMBER_ID, C],
    [UNKNOWN_MEMBER_ID, S],
  ],
  'somebody who is no member commits in a transaction': [
    [NONE, E],
    [NONE, P],
    [NONE, C],
    [NONE, S],
  ],
  // In Preparing only the follower is left, and it waits: the rebalance ends.
  'the leader leaves': [
    [UNKNOWN_MEMBER_ID, E],
    [NONE, C],
    [NONE, P],
    [NONE, P],
  ],
  'the follower leaves': [
    [UNKNOWN_MEMBER_ID, E],
    [NONE, P],
    [NONE, P],
    [NONE, P],
  ],
  'an unknown member leaves': [
    [UNKNOWN_MEMBER_ID, E],
    [UNKNOWN_MEMBER_ID, P],
    [UNKNOWN_MEMBER_ID, C],
    [UNKNOWN_MEMBER_ID, S],
  ],
  // In Preparing the follower waits for us and the leader beats; elsewhere the follower is silent and goes.
  'time passes until the session ends': [
    [NONE, E],
    [NONE, P],
    [NONE, P],
    [NONE, P],
  ],
  // In Preparing the leader did not come, in Completing nobody synced.
  'time passes until the rebalance ends': [
    [NONE, E],
    [NONE, C],
    [NONE, E],
    [NONE, S],
  ],
};

describe('the table of states and events', () => {
  const names = Object.keys(STATES);
  const cases = Object.entries(TABLE).flatMap(([event, row]) =>
    row.map((cell, index) => ({ event, state: names[index] ?? '', answer: cell?.[0], next: cell?.[1] })),
  );

  it('covers every event in every state', () => {
    expect(Object.keys(TABLE)).toEqual(Object.keys(EVENTS));
    expect(cases).toHaveLength(Object.keys(EVENTS).length * names.length);
  });

  it.each(cases)('$state: $event -> $answer, $next', ({ event, state, answer, next }) => {
    const scene = STATES[state]!();
    expect(scene.play.group.state).toBe(state);
    expect([EVENTS[event]!(scene), scene.play.group.state]).toEqual([answer, next]);
  });
});

/** The same states, and `b` is a static member under the name `i`. */
const STATIC_STATES: Record<string, () => { play: GroupPlay; a: string; b: string }> = {
  Empty: () => {
    const scene = stableStatic();
    scene.play.leave({ memberId: scene.a }, { memberId: scene.b });
    return scene;
  },
  PreparingRebalance: preparingStatic,
  CompletingRebalance: () => {
    const scene = preparingStatic();
    scene.play.join({ memberId: scene.a });
    return scene;
  },
  Stable: stableStatic,
};

function stableStatic(): { play: GroupPlay; a: string; b: string } {
  const play = new GroupPlay();
  const [a = ''] = play.stable(1);
  const token = play.join({ instanceId: 'i' });
  play.join({ memberId: a });
  const b = play.joinAnswer(token)?.memberId ?? '';
  play.syncAll([a, b]);
  return { play, a, b };
}

function preparingStatic(): { play: GroupPlay; a: string; b: string } {
  const scene = stableStatic();
  scene.play.join({ memberId: scene.b, instanceId: 'i', topics: ['other'] });
  return scene;
}

/** It comes back without an id, as after a restart; then its old id does something. */
const afterReturn =
  (event: Event): Event =>
  (scene) => {
    scene.play.join({ instanceId: 'i' });
    return event(scene);
  };

const STATIC_EVENTS: Record<string, Event> = {
  'it comes back under a new id': joined(() => ({ instanceId: 'i' })),
  'it comes back and offers more protocols': joined(() => ({ instanceId: 'i', protocols: ['sticky', 'range'] })),
  'it joins again under its id': joined(({ b }) => ({ memberId: b, instanceId: 'i', topics: ['other'] })),
  'another id joins under its name': joined(({ a }) => ({ memberId: a, instanceId: 'i' })),
  'its old id joins': afterReturn(joined(({ b }) => ({ memberId: b, instanceId: 'i' }))),
  'its old id syncs': afterReturn(
    ({ play, b }) => play.syncAnswer(play.sync(b, { instanceId: 'i' }))?.errorCode ?? 'waits',
  ),
  'its old id beats': afterReturn(({ play, b }) => play.heartbeat(b, play.group.generationId, 'i')),
  'its old id commits': afterReturn(({ play, b }) => play.commit(b, { instanceId: 'i' })),
  'its old id leaves': afterReturn(
    ({ play, b }) => play.leave({ memberId: b, groupInstanceId: 'i' })[0]?.errorCode ?? 'waits',
  ),
  'it is taken out by its name': ({ play }) =>
    play.leave({ memberId: '', groupInstanceId: 'i' })[0]?.errorCode ?? 'waits',
};

const FENCED = FENCED_INSTANCE_ID;

const STATIC_TABLE: typeof TABLE = {
  //                                        Empty                            Preparing                        Completing                       Stable
  'it comes back under a new id': [
    [NONE, C],
    ['waits', P],
    ['waits', P],
    [NONE, S],
  ],
  'it comes back and offers more protocols': [
    [NONE, C],
    ['waits', P],
    ['waits', P],
    [NONE, S],
  ],
  'it joins again under its id': [
    [UNKNOWN_MEMBER_ID, E],
    ['waits', P],
    [NONE, C],
    ['waits', P],
  ],
  'another id joins under its name': [
    [UNKNOWN_MEMBER_ID, E],
    [FENCED, P],
    [FENCED, C],
    [FENCED, S],
  ],
  'its old id joins': [
    [FENCED, C],
    [FENCED, P],
    [FENCED, P],
    [FENCED, S],
  ],
  'its old id syncs': [
    [FENCED, C],
    [FENCED, P],
    [FENCED, P],
    [FENCED, S],
  ],
  'its old id beats': [
    [FENCED, C],
    [FENCED, P],
    [FENCED, P],
    [FENCED, S],
  ],
  'its old id commits': [
    [FENCED, C],
    [FENCED, P],
    [FENCED, P],
    [FENCED, S],
  ],
  'its old id leaves': [
    [FENCED, C],
    [FENCED, P],
    [FENCED, P],
    [FENCED, S],
  ],
  'it is taken out by its name': [
    [UNKNOWN_MEMBER_ID, E],
    [NONE, P],
    [NONE, P],
    [NONE, P],
  ],
};

describe('the table of states and events of a static member', () => {
  const names = Object.keys(STATIC_STATES);
  const cases = Object.entries(STATIC_TABLE).flatMap(([event, row]) =>
    row.map((cell, index) => ({ event, state: names[index] ?? '', answer: cell?.[0], next: cell?.[1] })),
  );

  it('covers every event in every state', () => {
    expect(Object.keys(STATIC_TABLE)).toEqual(Object.keys(STATIC_EVENTS));
    expect(cases).toHaveLength(Object.keys(STATIC_EVENTS).length * names.length);
  });

  it.each(cases)('$state: $event -> $answer, $next', ({ event, state, answer, next }) => {
    const scene = STATIC_STATES[state]!();
    expect(scene.play.group.state).toBe(state);
    expect([STATIC_EVENTS[event]!(scene), scene.play.group.state]).toEqual([answer, next]);
  });
});
