/**
 * Records whose replies are on their way together: order of commits, late and failed replies, revocation, stop, manual modes.
 */
import { AckMode } from '../commit/ack-mode.js';
import { FixedBackOff } from '../error-handling/back-off.js';
import { ContainerFixture, type FixtureOptions, deferred, partitionOf, waitFor } from './container.fixture.js';
import { ReplyInFlight } from './reply-in-flight.js';

type Deferred = ReturnType<typeof deferred>;

let replies: Map<string, Deferred>;
let fixture: ContainerFixture;

beforeEach(() => {
  replies = new Map();
  fixture = new ContainerFixture();
});
afterEach(async () => {
  for (const { resolve } of replies.values()) resolve();
  await fixture.container.stop();
});

/** Starts a listener whose replies, by value, are acknowledged by hand; the second delivery of a value has a new reply. */
function startReplying(options: FixtureOptions): void {
  fixture = new ContainerFixture({
    handler: ({ value }) => {
      const text = String(value);
      if (text.startsWith('plain')) return undefined;
      if (text.startsWith('bad')) throw new Error(`${text} failed`);
      const reply = deferred();
      replies.set(text, reply);
      return new ReplyInFlight(async (handOver) => {
        handOver();
        await reply.promise;
      });
    },
    ...options,
  });
  fixture.container.start();
}

const delivered = (count: number) => waitFor(() => fixture.delivered.length === count);
/** Lets everything run that can. */
const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};
const acknowledge = async (...values: string[]) => {
  for (const value of values) replies.get(value)?.resolve();
  await settle();
};

describe('ReplyInFlight', () => {
  it('is in flight once it is handed over, and ends when the work does', async () => {
    const { promise, resolve } = deferred();
    const reply = new ReplyInFlight(async (handOver) => {
      handOver();
      await promise;
    });
    expect(await reply.handled).toBe(true);
    let isEnded = false;
    void reply.then(() => (isEnded = true));
    await settle();
    expect(isEnded).toBe(false);
    resolve();
    await reply;
    expect(isEnded).toBe(true);
  });

  it('is not in flight when the work ends before; its error is that of the work', async () => {
    const done = new ReplyInFlight(async () => undefined);
    const failed = new ReplyInFlight(async () => {
      throw new Error('boom');
    });
    expect([await done.handled, await failed.handled]).toEqual([false, false]);
    await expect(Promise.resolve(failed)).rejects.toThrow('boom');
  });
});

describe('replies in flight', () => {
  it('the next record is delivered before the reply is acknowledged; nothing is committed until it is', async () => {
    startReplying({ values: ['a', 'b', 'c'] });
    await delivered(3);
    await settle();
    expect(fixture.committed()).toBeUndefined();
    await acknowledge('c', 'b');
    expect(fixture.committed()).toBeUndefined();
    await acknowledge('a');
    expect(fixture.committed()).toBe(3);
  });

  it('RECORD: commits come in the order of the records, whatever that of the replies', async () => {
    startReplying({ ackMode: AckMode.RECORD, values: ['a', 'b', 'plain', 'c'] });
    await delivered(4);
    await acknowledge('b');
    expect(fixture.committed()).toBeUndefined();
    await acknowledge('a');
    expect(fixture.committed()).toBe(3);
    await acknowledge('c');
    expect(fixture.calls.filter((call) => call.startsWith('commitSync'))).toEqual(
      [1, 2, 3, 4].map((offset) => `commitSync t-0@${offset}`),
    );
  });

  it('partitions wait for replies together', async () => {
    startReplying({});
    fixture.driver.cluster.append({ topic: 't', partition: 0, value: 'a' });
    fixture.driver.cluster.append({ topic: 't', partition: 1, value: 'x' });
    await delivered(2);
    await acknowledge('x');
    expect([fixture.committed(0), fixture.committed(1)]).toEqual([undefined, undefined]);
    await acknowledge('a');
    expect([fixture.committed(0), fixture.committed(1)]).toEqual([1, 1]);
  });

  it('a failed reply goes to the error handler; its record is delivered again, and committed in its place', async () => {
    startReplying({ ackMode: AckMode.RECORD, values: ['a', 'b', 'c'] });
    await delivered(3);
    await acknowledge('a', 'c');
    expect(fixture.committed()).toBe(1);
    replies.get('b')?.reject(new Error('no reply'));
    await delivered(4);
    expect([fixture.delivered, fixture.committed()]).toEqual([['a', 'b', 'c', 'b'], 1]);
    await acknowledge('b');
    expect(fixture.committed()).toBe(3);
    expect(fixture.eventNames()).toContain('record-failed t-0@1');
  });

  it('a reply that fails for good leaves its record to the recoverer, and the later ones as they are', async () => {
    const recovered: string[] = [];
    startReplying({
      values: ['a', 'b'],
      retries: { backOff: new FixedBackOff(0, 0), recoverer: ({ value }) => void recovered.push(String(value)) },
    });
    await delivered(2);
    replies.get('a')?.reject(new Error('no reply'));
    await acknowledge('b');
    expect([recovered, fixture.delivered, fixture.committed()]).toEqual([['a'], ['a', 'b'], 2]);
  });

  it('a record that is tried again later takes those after it along', async () => {
    startReplying({ values: ['a', 'b', 'c'], retries: { backOff: new FixedBackOff(1000, 1) } });
    await delivered(3);
    replies.get('b')?.reject(new Error('no reply'));
    await acknowledge('a', 'c');
    expect(fixture.committed()).toBe(1);
    fixture.clock.advance(1000);
    await delivered(5);
    expect(fixture.delivered.slice(3)).toEqual(['b', 'c']);
    await acknowledge('b', 'c');
    expect(fixture.committed()).toBe(3);
  });

  it('a record that fails itself is dealt with after the replies before it', async () => {
    const seen: unknown[] = [];
    startReplying({
      values: ['a', 'bad', 'c'],
      retries: { backOff: new FixedBackOff(0, 0), recoverer: ({ value }) => void seen.push(value) },
    });
    await delivered(2);
    await settle();
    expect([seen, fixture.delivered]).toEqual([[], ['a', 'bad']]);
    await acknowledge('a');
    expect([seen, fixture.delivered]).toEqual([['bad'], ['a', 'bad', 'c']]);
  });

  it('when the handler stops the container, nothing from the failed reply on is committed', async () => {
    const stop = { handleOne: async () => ({ action: 'stop' as const }) };
    const errorHandler = { ...stop, handleBatch: async () => ({ action: 'stop' as const }) };
    startReplying({ values: ['a', 'b', 'c'], errorHandler: errorHandler });
    await delivered(3);
    replies.get('b')?.reject(new Error('no reply'));
    await acknowledge('c', 'a');
    await waitFor(() => fixture.eventNames().includes('stopped ABNORMAL'));
    expect(fixture.committed()).toBe(1);
  });

  it('a stop waits for the replies, and commits what they allow', async () => {
    startReplying({ values: ['a', 'b'] });
    await delivered(2);
    const stopped = fixture.container.stop();
    await acknowledge('b');
    expect([fixture.committed(), fixture.eventNames().includes('stopped NORMAL')]).toEqual([undefined, false]);
    await acknowledge('a');
    await stopped;
    expect(fixture.committed()).toBe(2);
  });

  it('MANUAL: the next record waits for the reply, as the listener has acknowledged already', async () => {
    startReplying({ ackMode: AckMode.MANUAL, values: ['a', 'b'] });
    await delivered(1);
    await settle();
    expect(fixture.delivered).toEqual(['a']);
    await acknowledge('a');
    expect(fixture.delivered).toEqual(['a', 'b']);
  });

  it('a partition that goes while replies are on their way is not committed past them', async () => {
    startReplying({ ackMode: AckMode.RECORD, keepAliveAfterMs: 1000, values: ['a', 'b', 'c'] });
    await delivered(3);
    await acknowledge('a');
    expect(fixture.committed()).toBe(1);
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    // The broker takes so long that the consumer polls meanwhile.
    fixture.clock.advance(1000);
    await waitFor(() => fixture.eventNames().includes('partitions-revoked'));
    await acknowledge('b', 'c');
    await fixture.consumer.parked();
    expect(fixture.committed()).toBe(1);
  });

  it('a partition is not given up by a poll before the replies that came with it are acknowledged', async () => {
    startReplying({ values: ['a', 'b'] });
    await delivered(2);
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    await acknowledge('b');
    expect(fixture.eventNames()).not.toContain('partitions-revoked');
    await acknowledge('a');
    await waitFor(() => fixture.eventNames().includes('partitions-revoked'));
    expect(fixture.committed()).toBe(2);
  });

  it('a lost membership at a commit puts back what waits for replies', async () => {
    startReplying({ ackMode: AckMode.RECORD, values: ['a', 'b', 'c'] });
    await delivered(3);
    fixture.consumer.failNext('commitSync', Object.assign(new Error('gone'), { code: 'UNKNOWN_MEMBER_ID' }));
    await acknowledge('a', 'b', 'c');
    await delivered(6);
    expect(fixture.delivered.slice(3)).toEqual(['a', 'b', 'c']);
    await acknowledge('a', 'b', 'c');
    expect(fixture.committed()).toBe(3);
  });
});
