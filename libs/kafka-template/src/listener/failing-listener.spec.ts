import { AckMode } from '../commit/ack-mode.js';
import { FixedBackOff } from '../error-handling/back-off.js';
import { BatchListenerFailedError, UnreadableRecordError } from '../errors.js';
import { ContainerFixture, type Handler, partitionOf, waitFor } from './container.fixture.js';

/** Fails at a value the first `times` times. */
function failing(value: string, times: number, error: Error = new Error('boom')): Handler {
  let failures = 0;
  return (record) => {
    if (record.value === value && failures++ < times) throw error;
  };
}

const FOR_EVER = Number.POSITIVE_INFINITY;

describe('container: failing record listener', () => {
  it('delivers the record again, in its place, and commits what came before it first', async () => {
    const fixture = new ContainerFixture({ values: ['a', 'b', 'c'], handler: failing('b', 1) });
    await fixture.start();
    expect(fixture.delivered).toEqual(['a', 'b', 'b', 'c']);
    expect(fixture.calls).toEqual(['commitSync t-0@1', 'commitSync t-0@3']);
    await fixture.container.stop();
  });

  it('a partition that goes and comes back during its back-off is not left paused', async () => {
    const fixture = new ContainerFixture({
      values: ['a', 'b'],
      handler: failing('a', 1),
      retries: { backOff: new FixedBackOff(60_000) },
    });
    await fixture.start();
    expect(fixture.consumer.paused).toEqual(['t-0']);
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    fixture.consumer.rebalance('assigned', [partitionOf(0)]);
    await waitFor(() => fixture.delivered.length >= 3);
    expect([fixture.delivered, fixture.consumer.paused]).toEqual([['a', 'a', 'b'], []]);
    await fixture.container.stop();
  });

  it('a partition whose pause was asked for is paused again, whether or not the consumer still knows', async () => {
    const fixture = new ContainerFixture({ values: [] });
    await fixture.start();
    fixture.container.pausePartition(partitionOf(0));
    await waitFor(() => fixture.consumer.paused.length === 1);
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    fixture.consumer.rebalance('assigned', []);
    fixture.consumer.rebalance('assigned', [partitionOf(0)]);
    await fixture.append(['a']);
    expect([fixture.delivered, fixture.consumer.paused]).toEqual([[], ['t-0']]);
    await fixture.container.stop();
  });

  it('polls now and then when it retries without end and without a pause, and can be stopped', async () => {
    const fixture = new ContainerFixture({
      values: ['a'],
      handler: failing('a', FOR_EVER),
      retries: { backOff: new FixedBackOff(0) },
    });
    fixture.container.start();
    await waitFor(() => fixture.calls.filter((call) => call === 'seek t-0@0').length >= 2);
    await fixture.container.stop();
    expect(fixture.committed()).toBeUndefined();
  });

  it('logs and skips a record that fails for ever, and commits it as done', async () => {
    const fixture = new ContainerFixture({ values: ['a', 'b', 'c'], handler: failing('b', FOR_EVER) });
    await fixture.start();
    expect(fixture.delivered).toEqual(['a', 'b', 'b', 'b', 'c']);
    expect(fixture.committed()).toBe(3);
    expect(fixture.logged).toContain('error t-0@1 was delivered to l 3 times and is skipped: boom');
    expect(fixture.eventNames()).toContain('record-recovered t-0@1');
    await fixture.container.stop();
  });

  it.each([AckMode.RECORD, AckMode.MANUAL, AckMode.MANUAL_IMMEDIATE])(
    '%s commits a skipped record too',
    async (ackMode) => {
      const fixture = new ContainerFixture({ ackMode, values: ['a'], handler: failing('a', FOR_EVER) });
      await fixture.start();
      expect(fixture.committed()).toBe(1);
      await fixture.container.stop();
    },
  );

  it('does not commit a skipped record when ackAfterHandle is false', async () => {
    const fixture = new ContainerFixture({
      values: ['a'],
      handler: failing('a', FOR_EVER),
      retries: { ackAfterHandle: false },
    });
    await fixture.start();
    await fixture.container.stop();
    expect(fixture.committed()).toBeUndefined();
  });

  it('goes on with other partitions while one waits for its back-off', async () => {
    const fixture = new ContainerFixture({
      values: ['a', 'b'],
      handler: failing('a', 1),
      retries: { backOff: new FixedBackOff(700, 3) },
    });
    fixture.driver.cluster.append({ topic: 't', partition: 1, value: 'x' });
    await fixture.start();
    expect(fixture.delivered).toEqual(['a', 'x']);
    expect(fixture.consumer.paused).toEqual(['t-0']);
    await fixture.append(['y'], 1);
    expect(fixture.delivered).toEqual(['a', 'x', 'y']);
    await fixture.advance(700);
    expect(fixture.delivered).toEqual(['a', 'x', 'y', 'a', 'b']);
    expect(fixture.consumer.paused).toEqual([]);
    expect([fixture.committed(0), fixture.committed(1)]).toEqual([2, 2]);
    await fixture.container.stop();
  });

  it('recovers at once what no repetition can change', async () => {
    class BadRequestException extends Error {}
    const fixture = new ContainerFixture({ values: ['a'], handler: failing('a', FOR_EVER, new BadRequestException()) });
    await fixture.start();
    expect(fixture.delivered).toEqual(['a']);
    expect(fixture.committed()).toBe(1);
    await fixture.container.stop();
  });

  it('treats a value that cannot be read as a record that failed, names it, and goes on', async () => {
    const fixture = new ContainerFixture({ values: ['{"id":', 'b'] });
    await fixture.start();
    expect(fixture.delivered).toEqual(['b']);
    expect(fixture.logged.join('\n')).toMatch(
      /t-0@0 was delivered to l once and is skipped: The value of t-0@0 \(topic t, partition 0, offset 0\) is not valid JSON/,
    );
    await fixture.container.stop();
  });

  it('hands a record it gives up to the recoverer, with the original error', async () => {
    const error = new TypeError('boom');
    const recovered: unknown[] = [];
    const fixture = new ContainerFixture({
      values: ['a'],
      handler: failing('a', FOR_EVER, error),
      retries: { recoverer: (record, thrown, source) => void recovered.push(record.value, thrown, source) },
    });
    await fixture.start();
    expect(recovered).toEqual(['a', error, { listenerId: 'l', groupId: 'g' }]);
    await fixture.container.stop();
  });

  it('delivers the record again when the recoverer fails', async () => {
    let attempts = 0;
    const fixture = new ContainerFixture({
      values: ['a'],
      handler: failing('a', FOR_EVER),
      retries: {
        recoverer: () => {
          if (attempts++ === 0) throw new Error('no room');
        },
      },
    });
    await fixture.start();
    expect(fixture.delivered).toEqual(['a', 'a', 'a', 'a', 'a', 'a']);
    expect(fixture.committed()).toBe(1);
    await fixture.container.stop();
  });

  it('starts the count anew for another class of error', async () => {
    let failures = 0;
    const fixture = new ContainerFixture({
      values: ['a'],
      handler: () => {
        failures++;
        throw failures <= 2 ? new TypeError('one') : new RangeError('other');
      },
    });
    await fixture.start();
    expect(fixture.delivered).toHaveLength(5);
    await fixture.container.stop();
  });

  it('stops the container when the handler says so; the record comes first after the next start', async () => {
    const fixture = new ContainerFixture({
      values: ['a', 'b', 'c'],
      handler: failing('b', 1),
      errorHandler: { handleOne: () => ({ action: 'stop' }), handleBatch: () => ({ action: 'stop' }) },
    });
    fixture.container.start();
    await waitFor(() => fixture.container.state === 'stopped');
    expect(fixture.delivered).toEqual(['a', 'b']);
    expect(fixture.committed()).toBe(1);
    expect(fixture.container.isInExpectedState).toBe(false);
    await fixture.start();
    expect(fixture.delivered).toEqual(['a', 'b', 'b', 'c']);
    await fixture.container.stop();
  });

  it('survives an error handler that throws', async () => {
    let calls = 0;
    const fixture = new ContainerFixture({
      values: ['a'],
      handler: failing('a', 1),
      errorHandler: {
        handleOne: () => {
          calls++;
          throw new Error('handler');
        },
        handleBatch: () => ({ action: 'stop' }),
      },
    });
    await fixture.start();
    await fixture.advance(100);
    expect([calls, fixture.delivered]).toEqual([1, ['a', 'a']]);
    await fixture.container.stop();
  });

  it('a seek by the listener voids the rest of the poll and what the partition had earned', async () => {
    let isReplayed = false;
    const fixture = new ContainerFixture({
      values: ['a', 'b', 'c'],
      handler: (record, _ack, consumer) => {
        if (record.value !== 'b' || isReplayed) return;
        isReplayed = true;
        consumer.seek(partitionOf(0), 0);
      },
    });
    await fixture.start();
    expect(fixture.delivered).toEqual(['a', 'b', 'a', 'b', 'c']);
    expect(fixture.calls).toEqual(['seek t-0@0', 'commitSync t-0@3']);
    await fixture.container.stop();
  });
});

describe('container: batch listener', () => {
  it('gets all records of a poll in one call, and commits once', async () => {
    const fixture = new ContainerFixture({ values: ['a', 'b'], onBatch: () => undefined });
    fixture.driver.cluster.append({ topic: 't', partition: 1, value: 'x' });
    await fixture.start();
    expect(fixture.delivered).toEqual(['a+b+x']);
    expect(fixture.calls).toEqual(['commitSync t-0@2,t-1@1']);
    await fixture.container.stop();
  });

  it('delivers what comes before a record that cannot be read, and skips that record alone', async () => {
    const handed: string[] = [];
    const fixture = new ContainerFixture({
      values: ['a', 'b', 'poison', 'd'],
      onBatch: (records) => {
        const values = records.map((record) => String(record.value));
        const index = values.indexOf('poison');
        if (index >= 0) throw new UnreadableRecordError('no', index, new Error('not JSON'));
        handed.push(...values);
      },
    });
    await fixture.start();
    expect(handed).toEqual(['a', 'b', 'd']);
    expect(fixture.committed()).toBe(4);
    await fixture.container.stop();
  });

  it('commits what came before the record that is named, and delivers it and the rest again', async () => {
    let calls = 0;
    const fixture = new ContainerFixture({
      values: ['a', 'b', 'c'],
      onBatch: () => {
        if (calls++ === 0) throw new BatchListenerFailedError('no', 1, new Error('boom'));
      },
    });
    await fixture.start();
    expect(fixture.delivered).toEqual(['a+b+c', 'b+c']);
    expect(fixture.calls).toEqual(['commitSync t-0@1', 'seek t-0@1', 'commitSync t-0@3']);
    await fixture.container.stop();
  });

  it('gives up the record that is named and goes on with the rest from memory', async () => {
    const fixture = new ContainerFixture({
      values: ['a', 'b', 'c'],
      onBatch: (records) => {
        const index = records.findIndex((record) => record.value === 'b');
        if (index >= 0) throw new BatchListenerFailedError('no', index, new TypeError('boom'));
      },
      retries: { notRetryable: [TypeError] },
    });
    await fixture.start();
    expect(fixture.delivered).toEqual(['a+b+c', 'c']);
    expect(fixture.committed()).toBe(3);
    await fixture.container.stop();
  });

  it('delivers the same batch again when no record is named, then recovers each', async () => {
    const recovered: unknown[] = [];
    const fixture = new ContainerFixture({
      values: ['a', 'b'],
      onBatch: () => {
        throw new Error('boom');
      },
      retries: { backOff: new FixedBackOff(0, 1), recoverer: (record) => void recovered.push(record.value) },
    });
    await fixture.start();
    expect([fixture.delivered, recovered]).toEqual([
      ['a+b', 'a+b'],
      ['a', 'b'],
    ]);
    expect(fixture.committed()).toBe(2);
    await fixture.container.stop();
  });

  it('waits paused between deliveries, and puts the batch back when a partition goes meanwhile', async () => {
    let calls = 0;
    const fixture = new ContainerFixture({
      values: ['a', 'b'],
      onBatch: () => {
        if (calls++ === 0) throw new Error('boom');
      },
      retries: { backOff: new FixedBackOff(300, 1) },
    });
    fixture.driver.cluster.append({ topic: 't', partition: 1, value: 'x' });
    await fixture.start();
    expect(fixture.consumer.paused).toEqual(['t-0', 't-1']);
    fixture.consumer.rebalance('revoked', [partitionOf(1)]);
    for (let waited = 0; waited < 300; waited += 100) await fixture.advance(100);
    expect(fixture.delivered).toEqual(['a+b+x', 'a+b']);
    expect([fixture.committed(0), fixture.committed(1)]).toEqual([2, undefined]);
    await fixture.container.stop();
  });

  it('MANUAL commits the part that was acknowledged; nack(index) delivers the rest again', async () => {
    let calls = 0;
    const fixture = new ContainerFixture({
      ackMode: AckMode.MANUAL,
      values: ['a', 'b', 'c'],
      onBatch: (_records, ack) => {
        if (calls++ === 0) ack.nack(2, 0);
        else ack.acknowledge();
      },
    });
    await fixture.start();
    expect(fixture.delivered).toEqual(['a+b+c', 'c']);
    expect(fixture.calls).toEqual(['commitSync t-0@2', 'seek t-0@2', 'commitSync t-0@3']);
    await fixture.container.stop();
  });
});
