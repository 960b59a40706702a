import { ErrorCode, Fetch, ZERO_UUID, type FetchRequest } from '@kafka-template/protocol';
import { Reader, requestCodec, Writer } from '@kafka-template/protocol';
import { FakeClock } from '../../testing/fake-clock.js';
import { seededRandom } from '../../io/random.js';
import type { ReadOutcome } from '../../replication/partition.js';
import type { FetchResult } from './fetch-result.js';
import { FetchSession } from './fetch-session.js';
import { FetchSessions, SESSION_EVICTION_MS } from './fetch-sessions.js';

const VERSION = 11;

/** A decoded request for partitions of topic "t": [partition, offset]. */
function request(
  sessionId: number,
  sessionEpoch: number,
  wanted: readonly (readonly [number, number])[],
  forgotten: readonly number[] = [],
): FetchRequest {
  const writer = new Writer();
  const partitions = wanted.map(([partition, fetchOffset]) => ({ partition, fetchOffset, partitionMaxBytes: 1000 }));
  requestCodec(Fetch, VERSION).encode(writer, {
    maxWaitMs: 0,
    minBytes: 0,
    sessionId,
    sessionEpoch,
    topics: partitions.length === 0 ? [] : [{ topic: 't', partitions }],
    forgottenTopicsData: forgotten.length === 0 ? [] : [{ topic: 't', partitions: forgotten }],
  });
  return requestCodec(Fetch, VERSION).decode(new Reader(Buffer.concat(writer.finish())));
}

function outcome(highWatermark: number, sizeBytes = 0): ReadOutcome {
  return {
    errorCode: ErrorCode.NONE,
    highWatermark,
    lastStableOffset: highWatermark,
    logStartOffset: 0,
    records: [],
    sizeBytes,
    hasMore: false,
    abortedTransactions: null,
    release: () => undefined,
  };
}

/** What reading the session's partitions gives, by partition; a number is an error code. */
function results(session: FetchSession, given: Readonly<Record<number, ReadOutcome | number>>): FetchResult[] {
  return session.entries().map((entry) => {
    const what = given[entry.data.partition]!;
    const isError = typeof what === 'number';
    const target = { entry, topic: undefined, byId: false };
    return {
      target,
      partition: null,
      errorCode: isError ? what : ErrorCode.NONE,
      outcome: isError ? null : what,
      diverging: null,
    };
  });
}

const partitionsOf = (news: readonly FetchResult[]): number[] => news.map(({ target }) => target.entry.data.partition);

function sessionOf(...partitions: number[]): FetchSession {
  const entries = partitions.map((partition) => ({
    topic: 't',
    topicId: ZERO_UUID,
    data: request(0, 0, [[partition, 0]]).topics[0]!.partitions[0]!,
  }));
  return new FetchSession(7, false, entries, 0);
}

describe('fetch session: what is news', () => {
  it('names a partition only when something about it moved', () => {
    const session = sessionOf(0, 1);
    session.told(results(session, { 0: outcome(5), 1: outcome(5) }));
    expect(session.news(results(session, { 0: outcome(5), 1: outcome(5) }))).toEqual([]);
    expect(partitionsOf(session.news(results(session, { 0: outcome(5), 1: outcome(6) })))).toEqual([1]);
    expect(session.news(results(session, { 0: outcome(5), 1: outcome(6) }))).toEqual([]);
  });

  it('names a partition again after its error is over', () => {
    const session = sessionOf(0);
    session.told(results(session, { 0: outcome(5) }));
    expect(partitionsOf(session.news(results(session, { 0: 3 })))).toEqual([0]);
    expect(partitionsOf(session.news(results(session, { 0: 3 })))).toEqual([0]);
    expect(partitionsOf(session.news(results(session, { 0: outcome(5) })))).toEqual([0]);
    expect(session.news(results(session, { 0: outcome(5) }))).toEqual([]);
  });

  it('always names a partition that gave records, and lets the others go first next time', () => {
    const session = sessionOf(0, 1, 2);
    session.told(results(session, { 0: outcome(5), 1: outcome(5), 2: outcome(5) }));
    const news = session.news(results(session, { 0: outcome(5, 100), 1: outcome(5), 2: outcome(5) }));
    expect(partitionsOf(news)).toEqual([0]);
    expect(session.entries().map(({ data }) => data.partition)).toEqual([1, 2, 0]);
  });

  it('takes new offsets, new partitions and forgotten ones', () => {
    const session = sessionOf(0, 1);
    session.update(
      request(
        7,
        1,
        [
          [0, 9],
          [2, 0],
        ],
        [1],
      ),
      0,
    );
    expect(session.entries().map(({ data }) => [data.partition, data.fetchOffset])).toEqual([
      [0, 9],
      [2, 0],
    ]);
  });

  it('counts its epochs from 1 and never reaches 0 again', () => {
    const session = sessionOf(0);
    session.update(request(7, 1, []), 0);
    expect(session.epoch).toBe(2);
    session.epoch = 0x7fff_ffff;
    session.update(request(7, 0x7fff_ffff, []), 0);
    expect(session.epoch).toBe(1);
  });
});

describe('fetch sessions: which session a request belongs to', () => {
  function setUp(slots = 2) {
    const clock = new FakeClock();
    return { clock, sessions: new FetchSessions({ slots, clock, random: seededRandom(1) }) };
  }

  it('makes one for epoch 0, none for epoch -1', () => {
    const { sessions } = setUp();
    expect(sessions.enter(request(0, -1, [[0, 0]]), false)).toEqual({ kind: 'full', wantsSession: false });
    expect(sessions.enter(request(0, 0, [[0, 0]]), false)).toEqual({ kind: 'full', wantsSession: true });
    const session = sessions.create(request(0, 0, [[0, 0]]), false)!;
    expect(session.id).toBeGreaterThan(0);
    expect(sessions.enter(request(session.id, 1, []), false)).toMatchObject({ kind: 'incremental', session });
    expect(sessions.create(request(0, 0, []), false)).toBeNull();
  });

  it('refuses what does not fit', () => {
    const { sessions } = setUp();
    const { id } = sessions.create(request(0, 0, [[0, 0]]), false)!;
    const refusal = (errorCode: number) => ({ kind: 'refused', errorCode });
    expect(sessions.enter(request(id + 1, 1, []), false)).toEqual(refusal(ErrorCode.FETCH_SESSION_ID_NOT_FOUND));
    expect(sessions.enter(request(0, 1, []), false)).toEqual(refusal(ErrorCode.FETCH_SESSION_ID_NOT_FOUND));
    expect(sessions.enter(request(id, 2, []), false)).toEqual(refusal(ErrorCode.INVALID_FETCH_SESSION_EPOCH));
    expect(sessions.enter(request(id, 1, []), true)).toEqual(refusal(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR));
  });

  it('ends one with epoch -1, and when its last partition is forgotten', () => {
    const { sessions } = setUp();
    const first = sessions.create(request(0, 0, [[0, 0]]), false)!;
    sessions.enter(request(first.id, -1, []), false);
    const second = sessions.create(request(0, 0, [[0, 0]]), false)!;
    expect(sessions.enter(request(second.id, 1, [], [0]), false)).toEqual({ kind: 'full', wantsSession: false });
    expect(sessions.count).toBe(0);
  });

  it('gives a slot away only when its session was idle for long', async () => {
    const { clock, sessions } = setUp(2);
    const wanted = request(0, 0, [[0, 0]]);
    const first = sessions.create(wanted, false)!;
    const second = sessions.create(wanted, false)!;
    expect(sessions.create(wanted, false)).toBeNull();
    await clock.advance(SESSION_EVICTION_MS + 1);
    sessions.enter(request(first.id, 1, []), false);
    expect(sessions.create(wanted, false)).not.toBeNull();
    expect(sessions.enter(request(second.id, 1, []), false)).toMatchObject({ kind: 'refused' });
    expect(sessions.enter(request(first.id, 2, []), false)).toMatchObject({ kind: 'incremental' });
  });
});
