import { ErrorCode } from '@kafka-template/protocol';
import { GroupPlay, type JoinWish } from './group-play.fixture.js';

const {
  NONE,
  UNKNOWN_MEMBER_ID,
  ILLEGAL_GENERATION,
  REBALANCE_IN_PROGRESS,
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

const EVENTS: Record<string, Event> = {
  'a new member joins': joined(() => ({})),
  'an old client joins': joined(() => ({ apiVersion: 3 })),
  'a static member joins': joined(() => ({ instanceId: 'i' })),
  'an unknown member joins': joined(() => ({ memberId: 'who' })),
  'a member with other protocols joins': joined(() => ({ protocols: ['unheard'] })),
  'a member of another type joins': joined(() => ({ protocolType: 'connect' })),
  'a member without type joins': joined(() => ({ protocolType: '' })),
  'the leader joins again': joined(({ a }) => ({ memberId: a })),
  'the follower joins again as before': joined(({ b }) => ({ memberId: b, topics: ['other'] })),
  'the follower joins again, changed': joined(({ b }) => ({ memberId: b, topics: ['new'] })),
  'the follower syncs': synced('b'),
  'the leader syncs': synced('a'),
  'the follower syncs an old generation': synced('b', -1),
  'the follower beats': ({ play, b }) => play.heartbeat(b),
  'the follower beats for an old generation': ({ play, b }) => play.heartbeat(b, play.group.generationId - 1),
  'an unknown member beats': ({ play }) => play.heartbeat('who'),
  'the follower leaves': ({ play, b }) => play.leave({ memberId: b })[0]?.errorCode ?? 'waits',
  'an unknown member leaves': ({ play }) => play.leave({ memberId: 'who' })[0]?.errorCode ?? 'waits',
  'time passes until the session ends': ({ play, a }) => {
    play.pass(5000);
    play.heartbeat(a);
    play.pass(5001);
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
