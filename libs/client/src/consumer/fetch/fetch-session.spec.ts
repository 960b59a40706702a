/**
 * Fetch sessions: what is named in each request, and what begins a new session.
 */
import { ZERO_UUID } from '@kafka-template/protocol';
import { type FetchPlan, FetchSession, type FetchWish } from './fetch-session.js';

/** `a0@5`: partition 0 of topic a at offset 5. The topic's id is its name in capitals unless another is given. */
function wish(text: string, topicId?: string): FetchWish<string> {
  const [, topic = '', partition = '', offset = ''] = /^([a-z])(\d)@(\d+)$/.exec(text) ?? [];
  const id = topicId ?? topic.toUpperCase();
  return { topic, partition: Number(partition), topicId: id, fetchOffset: Number(offset), leaderEpoch: 0, owner: text };
}

function show({ sessionId, sessionEpoch, wishes, forgotten }: FetchPlan<string>): string {
  const list = (all: readonly FetchWish<string>[]): string => all.map((each) => each.owner).join(' ');
  return `${sessionId}/${sessionEpoch} ${list(wishes)}${forgotten.length > 0 ? ` - ${list(forgotten)}` : ''}`.trim();
}

const plan = (session: FetchSession<string>, ...texts: string[]): string =>
  show(session.plan(texts.map((text) => wish(text))));

describe('FetchSession', () => {
  it('begins with a full request and then names only what has changed', () => {
    const session = new FetchSession<string>();
    expect(plan(session, 'a0@0', 'a1@0', 'b0@0')).toBe('0/0 a0@0 a1@0 b0@0');
    session.accepted(7);
    expect(plan(session, 'a0@0', 'a1@5', 'b0@0')).toBe('7/1 a1@5');
    session.accepted(7);
    expect(plan(session, 'a0@0', 'a1@5', 'b0@0')).toBe('7/2');
    session.accepted(7);
    expect(plan(session, 'a0@0', 'b0@0', 'b1@0')).toBe('7/3 b1@0 - a1@5');
    expect(session.asked('a', 0)?.owner).toBe('a0@0');
    expect(session.asked('a', 1)).toBeUndefined();
    expect([session.topicName('B'), session.topicName('X')]).toEqual(['b', undefined]);
  });

  it('sends full requests to a broker that keeps no sessions', () => {
    const session = new FetchSession<string>();
    for (let turn = 0; turn < 2; turn++) {
      expect(plan(session, 'a0@0')).toBe('0/0 a0@0');
      session.accepted(0);
    }
  });

  it('begins anew after doubt, ending the old session, and without it when the broker does not know it', () => {
    const session = new FetchSession<string>();
    plan(session, 'a0@0');
    session.accepted(7);
    session.reset();
    expect(plan(session, 'a0@0')).toBe('7/0 a0@0');
    session.accepted(8);
    session.forget();
    expect(plan(session, 'a0@0')).toBe('0/0 a0@0');
  });

  it('forgets a topic that was made again, and adds the new one', () => {
    const session = new FetchSession<string>();
    plan(session, 'a0@9');
    session.accepted(7);
    expect(show(session.plan([wish('a0@0', 'NEW')]))).toBe('7/1 a0@0 - a0@9');
  });

  it('begins anew where ids become known, or are not known any more', () => {
    const session = new FetchSession<string>();
    session.plan([wish('a0@0', ZERO_UUID)]);
    expect(session.usesIds).toBe(false);
    session.accepted(7);
    expect(plan(session, 'a0@0')).toBe('7/0 a0@0');
    expect(session.usesIds).toBe(true);
  });

  it('counts on from 1 after the largest epoch', () => {
    const session = new FetchSession<string>();
    plan(session, 'a0@0');
    session.accepted(7);
    for (const [epoch, expected] of [
      [0x7fffffff, '7/2147483647'],
      [1, '7/1'],
    ] as const) {
      Object.assign(session, { epoch });
      expect(plan(session, 'a0@0')).toBe(expected);
      session.accepted(7);
    }
    expect(plan(session, 'a0@0')).toBe('7/2');
  });
});
