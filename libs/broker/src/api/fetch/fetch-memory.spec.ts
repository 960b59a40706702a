import { Fetch, Reader, requestCodec, Writer } from '@kafka-template/protocol';
import type { ReadOutcome, ReadRequest } from '../../replication/partition.js';
import { FakeClock } from '../../testing/fake-clock.js';
import {
  FakeConnection,
  fakeCall,
  fakeImage,
  fakeOutcome,
  fakePartition,
  fakeTopic,
} from '../../testing/fake-services.js';
import type { RequestContext } from '../context.js';
import { BorrowedAnswer } from '../handler.js';
import { fetch } from '../handlers/01-fetch.js';
import { FetchMemory, type FetchGrant } from './fetch-memory.js';

const MIB = 1024 * 1024;
const BYTES_MAX = 16 * MIB;
const MIN = 1 * MIB;

function memory(clock = new FakeClock()): FetchMemory {
  return new FetchMemory({ clock, bytesMax: BYTES_MAX, grantBytesMin: MIN, stallMs: 10_000 });
}

describe('memory for fetches', () => {
  it('grants a share of what is left, and never less than a batch', () => {
    const shared = memory();
    const grants: number[] = [];
    for (let grant = shared.tryTake(100 * MIB); grant !== null; grant = shared.tryTake(100 * MIB)) {
      grants.push(grant.bytes / MIB);
    }
    expect(grants.slice(0, 3)).toEqual([4, 3, 2.25]);
    expect(Math.min(...grants)).toBe(1);
    expect(shared.usedBytes).toBeLessThanOrEqual(BYTES_MAX);
  });

  it('grants anything a batch takes when nothing is in use', () => {
    const shared = new FetchMemory({ clock: new FakeClock(), bytesMax: MIN, grantBytesMin: 50 * MIB });
    const grant = shared.tryTake(50 * MIB)!;
    grant.settle(80 * MIB);
    expect(shared.tryTake(1)).toBeNull();
    grant.release();
    grant.release();
    expect(shared.usedBytes).toBe(0);
  });

  it('serves who waits in the order of coming, and lets nobody overtake', async () => {
    const shared = memory();
    const all = shared.tryTake(1)!;
    all.settle(BYTES_MAX);
    const served: string[] = [];
    const wait = (name: string) =>
      shared.take(MIN, new FakeConnection()).then((grant) => {
        served.push(name);
        return grant;
      });
    const first = wait('first');
    const second = wait('second');
    expect(shared.tryTake(1)).toBeNull();
    all.settle(BYTES_MAX - MIN);
    const grant = await first;
    expect(served).toEqual(['first']);
    grant.release();
    await second;
    expect(served).toEqual(['first', 'second']);
    expect(shared.waitingCount).toBe(0);
  });

  it('forgets who waits when its connection closes, and frees what was on its way to it', async () => {
    const shared = memory();
    const all = shared.tryTake(1)!;
    all.settle(BYTES_MAX);
    const reader = new FakeConnection();
    all.sendTo(reader);
    const gone = new FakeConnection();
    const waiting = shared.take(MIN, gone);
    gone.close();
    expect((await waiting).bytes).toBe(0);
    expect(shared.waitingCount).toBe(0);
    reader.close();
    expect(shared.usedBytes).toBe(0);
  });

  it('disconnects a client that takes nothing while others wait, and no other', async () => {
    const clock = new FakeClock();
    const shared = memory(clock);
    const [stuck, slow, idle] = [new FakeConnection(), new FakeConnection(), new FakeConnection()];
    for (const connection of [stuck, slow]) {
      const grant = shared.tryTake(1)!;
      grant.settle(BYTES_MAX / 2);
      connection.unsentMark = 100;
      grant.sendTo(connection);
    }
    await clock.advance(60_000);
    expect(stuck.failures).toEqual([]);
    const late: Promise<FetchGrant> = shared.take(MIN, idle);
    slow.unsentMark = 99;
    await clock.advance(10_000);
    expect(slow.failures).toEqual([]);
    expect(stuck.failures).toEqual([
      'it took nothing of a fetch answer of 8388608 bytes for 10000 ms, while 1 fetches waited for memory ' +
        '(limit 16777216 bytes). Read faster, or ask for less with fetch.max.bytes.',
    ]);
    expect((await late).bytes).toBeGreaterThan(0);
  });
});

describe('fetch: many slow readers', () => {
  const request = () => {
    const writer = new Writer();
    requestCodec(Fetch, 11).encode(writer, {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 4 * MIB }] }],
    });
    return requestCodec(Fetch, 11).decode(new Reader(Buffer.concat(writer.finish())));
  };

  it('never has more bytes in flight than the bound, and reads nothing for connections that closed', async () => {
    let heldBytes = 0;
    let mostBytes = 0;
    let reads = 0;
    const read = async ({ maxBytes }: ReadRequest): Promise<ReadOutcome> => {
      reads++;
      heldBytes += maxBytes;
      mostBytes = Math.max(mostBytes, heldBytes);
      let isHeld = true;
      const release = (): void => {
        if (isHeld) heldBytes -= maxBytes;
        isHeld = false;
      };
      return fakeOutcome({ records: [Buffer.alloc(0)], sizeBytes: maxBytes, release });
    };
    const { context } = fakeCall(11, fakeImage(fakeTopic('t', {})), { 't-0': fakePartition({ read }) });
    const shared = memory();
    const connections = Array.from({ length: 60 }, () => new FakeConnection());
    const answers: BorrowedAnswer<typeof Fetch>[] = [];
    const done = connections.map((connection) => {
      const own: RequestContext = {
        ...context,
        connection,
        broker: {
          ...context.broker,
          fetchMemory: shared,
          settings: { ...context.broker.settings, fetchMaxBytes: 55 * MIB },
        },
      };
      return Promise.resolve(fetch.handle(request(), own)).then((answer) => void answers.push(answer as never));
    });
    while (shared.waitingCount + answers.length < connections.length) await Promise.resolve();
    expect(answers.length).toBeGreaterThan(4);
    expect(shared.waitingCount).toBeGreaterThan(30);
    expect(reads).toBe(answers.length);
    // Half of those that wait go away: nothing is read for them.
    for (const connection of connections.slice(-20)) connection.close();
    // The others are served as soon as somebody has taken its answer.
    for (let next = 0; next < connections.length; next++) {
      while (answers.length <= next) await Promise.resolve();
      answers[next]!.release();
    }
    await Promise.all(done);
    expect(reads).toBe(40);
    expect(mostBytes).toBeLessThanOrEqual(BYTES_MAX);
    expect({ heldBytes, usedBytes: shared.usedBytes }).toEqual({ heldBytes: 0, usedBytes: 0 });
  });
});
