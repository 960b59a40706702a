import { AckMode } from '../commit/ack-mode.js';
import { FixedBackOff } from '../error-handling/back-off.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import { driverError } from '../testing/cluster-fake.js';
import { ContainerFixture, type FixtureOptions, deferred, partitionOf, waitFor } from './container.fixture.js';

/** A container whose calls end when the test says so; records are named key:value. */
function held(options: FixtureOptions = {}) {
  const calls = new Map<string, ReturnType<typeof deferred>>();
  const fixture = new ContainerFixture({
    keyConcurrency: 4,
    handler: (record: ConsumerRecord) => {
      const call = deferred();
      calls.set(String(record.value), call);
      return call.promise;
    },
    ...options,
  });
  const append = (...names: string[]): void => {
    for (const name of names) {
      const [key = null] = name.includes(':') ? name.split(':') : [];
      fixture.driver.cluster.append({ topic: 't', key, value: name });
    }
  };
  const finish = async (...names: string[]): Promise<void> => {
    for (const name of names) {
      await waitFor(() => calls.has(name));
      calls.get(name)?.resolve();
    }
    // What follows from it happens in promises and in the loop.
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  return { fixture, calls, append, finish };
}

describe('container: keyConcurrency', () => {
  it('records with equal keys come one after the other, others beside them', async () => {
    const { fixture, append, finish } = held();
    append('x:1', 'x:2', 'y:1', 'z');
    await fixture.start();
    expect(fixture.delivered).toEqual(['x:1', 'y:1', 'z']);
    await finish('x:1');
    expect(fixture.delivered).toEqual(['x:1', 'y:1', 'z', 'x:2']);
    await finish('y:1', 'z', 'x:2');
    expect(fixture.committed()).toBe(4);
    await fixture.container.stop();
  });

  it('runs no more at once than allowed', async () => {
    const { fixture, append, finish } = held({ keyConcurrency: 2 });
    append('a:1', 'b:1', 'c:1');
    await fixture.start();
    expect(fixture.delivered).toEqual(['a:1', 'b:1']);
    await finish('b:1');
    expect(fixture.delivered).toEqual(['a:1', 'b:1', 'c:1']);
    await finish('a:1', 'c:1');
    await fixture.container.stop();
  });

  it('the same key in two partitions is two keys', async () => {
    const { fixture, append, finish } = held();
    append('x:1');
    fixture.driver.cluster.append({ topic: 't', partition: 1, key: 'x', value: 'x:other' });
    await fixture.start();
    expect(fixture.delivered).toEqual(['x:1', 'x:other']);
    await finish('x:1', 'x:other');
    await fixture.container.stop();
  });

  it.each([
    ['RECORD', ['commitSync t-0@3', 'commitSync t-0@4']],
    ['BATCH', ['commitSync t-0@4']],
    ['COUNT', ['commitSync t-0@3']],
  ] as const)('%s never commits past a record that is not finished', async (ackMode, expected) => {
    const { fixture, append, finish } = held({ ackMode });
    append('a:1', 'b:1', 'c:1', 'd:1');
    await fixture.start();
    await finish('c:1', 'b:1');
    expect(fixture.calls).toEqual([]);
    await finish('a:1');
    await finish('d:1');
    expect(fixture.calls).toEqual(expected);
    await fixture.container.stop();
  });

  it('a record that fails is tried again in memory; only its key waits for it', async () => {
    let failures = 2;
    const fixture = new ContainerFixture({
      keyConcurrency: 4,
      retries: { backOff: new FixedBackOff(100, 5) },
      handler: (record) => {
        if (record.value === 'x:1' && failures-- > 0) throw new Error('boom');
      },
    });
    for (const value of ['x:1', 'x:2', 'y:1']) {
      fixture.driver.cluster.append({ topic: 't', key: value.slice(0, 1), value });
    }
    await fixture.start();
    expect(fixture.delivered).toEqual(['x:1', 'y:1']);
    await fixture.advance(100);
    await waitFor(() => fixture.events.filter((event) => event.type === 'record-failed').length === 2);
    await fixture.advance(100);
    await waitFor(() => fixture.committed() === 3);
    expect(fixture.delivered).toEqual(['x:1', 'y:1', 'x:1', 'x:1', 'x:2']);
    expect(fixture.calls.filter((call) => call.startsWith('seek'))).toEqual([]);
    await fixture.container.stop();
  });

  it('several failing records of a partition are counted apart, and given up each in its turn', async () => {
    const recovered: unknown[] = [];
    const fixture = new ContainerFixture({
      keyConcurrency: 4,
      retries: { backOff: new FixedBackOff(10, 1), recoverer: (record) => void recovered.push(record.value) },
      handler: (record) => {
        if (record.value !== 'c:1') throw new Error('boom');
      },
    });
    for (const value of ['a:1', 'b:1', 'c:1']) {
      fixture.driver.cluster.append({ topic: 't', key: value.slice(0, 1), value });
    }
    await fixture.start();
    await fixture.advance(10);
    await waitFor(() => fixture.committed() === 3);
    expect(recovered).toEqual(['a:1', 'b:1']);
    expect(fixture.delivered).toEqual(['a:1', 'b:1', 'c:1', 'a:1', 'b:1']);
    await fixture.container.stop();
  });

  it('a partition with too many unfinished records is paused until half are done', async () => {
    const { fixture, append, finish } = held({ maxUnfinished: 2 });
    append('a:1', 'b:1', 'c:1');
    await fixture.start();
    expect([fixture.delivered, fixture.consumer.paused]).toEqual([['a:1', 'b:1'], ['t-0']]);
    await finish('a:1');
    await waitFor(() => fixture.delivered.length === 3);
    await finish('b:1', 'c:1');
    await fixture.container.stop();
    expect(fixture.committed()).toBe(3);
  });

  it('a stop finishes what was polled, commits it, and only then leaves', async () => {
    const { fixture, append, finish } = held();
    append('x:1', 'x:2');
    await fixture.start();
    const stopped = fixture.container.stop();
    await finish('x:1', 'x:2');
    expect(await stopped).toEqual([]);
    expect(fixture.calls).toEqual(['commitSync t-0@2', 'close']);
  });

  it('stopImmediate finishes only the records in hand, and reports the rest', async () => {
    const { fixture, append, finish } = held({ stopImmediate: true });
    append('x:1', 'x:2');
    await fixture.start();
    const stopped = fixture.container.stop();
    await finish('x:1');
    expect(await stopped).toEqual([{ topic: 't', partition: 0, offset: 1, count: 1 }]);
    expect([fixture.delivered, fixture.committed()]).toEqual([['x:1'], 1]);
  });

  it('a stop does not wait for a listener that hangs, and reports its record', async () => {
    const { fixture, append } = held({ shutdownTimeoutMs: 500 });
    append('x:1');
    await fixture.start();
    const stopped = fixture.container.stop();
    await waitFor(() => fixture.container.state === 'stopping');
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    fixture.clock.advance(500);
    expect(await stopped).toEqual([{ topic: 't', partition: 0, offset: 0, count: 1 }]);
  });

  it('a revocation waits for the records in hand, commits them, and drops what was not begun', async () => {
    const { fixture, append, finish } = held();
    append('x:1', 'x:2');
    await fixture.start();
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(fixture.eventNames()).not.toContain('partitions-revoked');
    await finish('x:1');
    await waitFor(() => fixture.eventNames().includes('partitions-revoked'));
    expect([fixture.delivered, fixture.committed()]).toEqual([['x:1'], 1]);
    await fixture.container.stop();
  });

  it('lost partitions commit nothing, whatever ends later', async () => {
    const { fixture, append, finish } = held({ ackMode: AckMode.RECORD });
    append('x:1');
    await fixture.start();
    fixture.consumer.rebalance('lost', [partitionOf(0)]);
    await fixture.consumer.parked();
    await finish('x:1');
    await fixture.container.stop();
    expect(fixture.committed()).toBeUndefined();
  });

  it('a seek voids what is in memory: records sought come again, and their end does not count before', async () => {
    const { fixture, append, finish } = held({ ackMode: AckMode.RECORD });
    append('x:1', 'x:2', 'y:1');
    await fixture.start();
    fixture.container.seeks?.seek(partitionOf(0), 2);
    await finish('x:1', 'y:1');
    await waitFor(() => fixture.delivered.length === 3);
    expect(fixture.delivered).toEqual(['x:1', 'y:1', 'y:1']);
    expect(fixture.committed()).toBeUndefined();
    await finish('y:1');
    expect(fixture.committed()).toBe(3);
    await fixture.container.stop();
  });

  it('a commit that shows the partitions are lost reaches the loop', async () => {
    const { fixture, append, finish } = held({ ackMode: AckMode.RECORD });
    append('x:1');
    await fixture.start();
    fixture.consumer.failNext('commitSync', driverError('UNKNOWN_MEMBER_ID'));
    await finish('x:1');
    await waitFor(() => fixture.logged.some((line) => line.includes('the group has gone on without this member')));
    await fixture.container.stop();
  });

  it('MANUAL: a record counts when it is acknowledged, in whatever order', async () => {
    const acks: (() => unknown)[] = [];
    const fixture = new ContainerFixture({
      keyConcurrency: 2,
      ackMode: AckMode.MANUAL,
      values: ['a', 'b'],
      handler: (_record, ack) => void acks.push(() => ack.acknowledge()),
    });
    await fixture.start();
    acks[1]?.();
    await fixture.consumer.parked();
    expect(fixture.committed()).toBeUndefined();
    acks[0]?.();
    await fixture.consumer.parked();
    expect(fixture.committed()).toBe(2);
    await fixture.container.stop();
  });
});
