import { AckMode } from '../commit/ack-mode.js';
import type { Acknowledgment } from '../commit/acknowledgment.js';
import { ContainerFixture, type FixtureOptions, partitionOf, waitFor } from './container.fixture.js';

/** A container whose listener keeps its acknowledgements for the test. */
function keeping(options: FixtureOptions = {}) {
  const acks = new Map<unknown, Acknowledgment>();
  const fixture = new ContainerFixture({
    ackMode: AckMode.MANUAL,
    asyncAcks: true,
    values: ['a', 'b', 'c', 'd'],
    handler: (record, ack) => void acks.set(record.value, ack),
    ...options,
  });
  const acknowledge = async (value: string): Promise<void> => {
    await acks.get(value)?.acknowledge();
    await fixture.consumer.parked();
  };
  return { fixture, acknowledge, acks };
}

const commits = (fixture: ContainerFixture) => fixture.calls.filter((call) => call.startsWith('commit'));

describe('container: out-of-order acknowledgement', () => {
  it('commits up to the first record that is not acknowledged, in whatever order they are', async () => {
    const { fixture, acknowledge } = keeping();
    await fixture.start();
    await acknowledge('b');
    await acknowledge('d');
    expect(commits(fixture)).toEqual([]);
    await acknowledge('a');
    expect(commits(fixture)).toEqual(['commitSync t-0@2']);
    await acknowledge('c');
    expect(commits(fixture)).toEqual(['commitSync t-0@2', 'commitSync t-0@4']);
    await fixture.container.stop();
  });

  it('does not stop the consumer: records go on coming while earlier ones are open', async () => {
    const { fixture } = keeping();
    await fixture.start();
    await fixture.append(['e'], 0);
    await fixture.append(['other'], 1);
    expect(fixture.delivered).toEqual(['a', 'b', 'c', 'd', 'e', 'other']);
    expect(fixture.consumer.paused).toEqual([]);
    await fixture.container.stop();
  });

  it('pauses a partition with too many open records, that one only, and resumes it when half are done', async () => {
    const { fixture, acknowledge } = keeping({ maxUnfinished: 2 });
    await fixture.start();
    await fixture.append(['other'], 1);
    expect(fixture.delivered).toEqual(['a', 'b', 'other']);
    expect(fixture.consumer.paused).toEqual(['t-0']);
    await acknowledge('b');
    expect(fixture.delivered).toHaveLength(3);
    await acknowledge('a');
    await waitFor(() => fixture.delivered.length === 5);
    expect(fixture.delivered.slice(3)).toEqual(['c', 'd']);
    await fixture.container.stop();
  });

  it.each(['revocation', 'shutdown'] as const)(
    '%s: the finished prefix is committed, the rest reported',
    async (end) => {
      const { fixture, acknowledge } = keeping();
      await fixture.start();
      await acknowledge('b');
      await acknowledge('a');
      await acknowledge('d');
      const unfinished = [{ topic: 't', partition: 0, offset: 2, count: 1 }];
      if (end === 'revocation') {
        fixture.consumer.rebalance('revoked', [partitionOf(0)]);
        await fixture.consumer.parked();
        expect(fixture.events.find((event) => event.type === 'partitions-revoked')).toMatchObject({ unfinished });
      }
      const report = await fixture.container.stop();
      if (end === 'shutdown') {
        expect(report).toEqual(unfinished);
        expect(fixture.events.at(-1)).toMatchObject({ type: 'stopped', reason: 'NORMAL', unfinished });
        expect(fixture.logged.join('\n')).toContain('not finished, and delivered again: 1 record of t-0 from 2');
      }
      expect(fixture.committed()).toBe(2);
    },
  );

  it('an acknowledgement after the revocation is void, also when the partition has come back', async () => {
    const { fixture, acks } = keeping();
    await fixture.start();
    const first = acks.get('a');
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    await fixture.consumer.parked();
    fixture.consumer.rebalance('assigned', [partitionOf(0)]);
    await waitFor(() => fixture.delivered.length === 8);
    await first?.acknowledge();
    await fixture.container.stop();
    expect(fixture.committed()).toBeUndefined();
  });

  it('nack is refused: later records may be done', async () => {
    const errors: string[] = [];
    const { fixture } = keeping({
      values: ['a'],
      handler: (_record, ack) => {
        try {
          ack.nack(10);
        } catch (error) {
          errors.push((error as Error).message);
        }
      },
    });
    await fixture.start();
    expect(errors.join()).toContain('nack() with asyncAcks');
    await fixture.container.stop();
  });

  it('a record that is given up is done, as if acknowledged', async () => {
    const { fixture, acknowledge } = keeping({
      retries: { recoverer: () => undefined },
      handler: (record, ack) => {
        if (record.value === 'b') throw new Error('boom');
        if (record.value !== 'a') ack.acknowledge();
        else acks.push(ack);
      },
    });
    const acks: Acknowledgment[] = [];
    await fixture.start();
    expect(fixture.committed()).toBeUndefined();
    acks[0]?.acknowledge();
    await acknowledge('none');
    expect(fixture.committed()).toBe(4);
    await fixture.container.stop();
  });

  it('a batch is acknowledged record by record', async () => {
    const fixture = new ContainerFixture({
      ackMode: AckMode.MANUAL,
      asyncAcks: true,
      values: ['a', 'b', 'c'],
      onBatch: (_records, ack) => void ack.acknowledge(1),
    });
    await fixture.start();
    expect(commits(fixture)).toEqual(['commitSync t-0@2']);
    expect(await fixture.container.stop()).toEqual([{ topic: 't', partition: 0, offset: 2, count: 1 }]);
  });
});

describe('container: commits by the listener', () => {
  it('commitSync() commits what the listener was given and all that was acknowledged, and can be awaited', async () => {
    const after: (number | undefined)[] = [];
    const fixture = new ContainerFixture({
      ackMode: AckMode.MANUAL,
      values: ['a', 'b', 'c'],
      handler: async (record, ack) => {
        if (record.value !== 'b') return;
        await ack.commitSync();
        after.push(fixture.committed());
      },
    });
    await fixture.start();
    expect(after).toEqual([2]);
    expect(commits(fixture)).toEqual(['commitSync t-0@2']);
    await fixture.container.stop();
  });

  it('commitSync(offsets) commits chosen offsets in the middle of a batch, with their metadata; none goes back', async () => {
    const fixture = new ContainerFixture({
      ackMode: AckMode.MANUAL,
      values: ['a', 'b', 'c'],
      onBatch: async (_records, ack) => {
        await ack.commitSync([{ topic: 't', partition: 0, offset: 2, metadata: 'half' }]);
        await ack.commitSync([{ topic: 't', partition: 0, offset: 1 }]);
      },
    });
    await fixture.start();
    expect(commits(fixture)).toEqual(['commitSync t-0@2']);
    expect(fixture.driver.cluster.offsetsOf('g').get('t-0')).toMatchObject({ offset: 2, metadata: 'half' });
    await fixture.container.stop();
  });

  it('commitAsync(offsets, callback) goes on; the callback and the listener-wide one hear the answer', async () => {
    const answers: string[] = [];
    const fixture = new ContainerFixture({
      ackMode: AckMode.MANUAL,
      commitCallback: (error, offsets) => answers.push(`all ${String(error)} ${offsets[0]?.offset}`),
      values: ['a', 'b'],
      handler: (record, ack) => {
        if (record.value === 'a') {
          ack.commitAsync([{ topic: 't', partition: 0, offset: 1 }], (error, offsets) => {
            answers.push(`own ${String(error)} ${offsets[0]?.offset}`);
          });
        }
      },
    });
    await fixture.start();
    expect(fixture.calls).toEqual(['commitAsync t-0@1']);
    expect(answers.sort()).toEqual(['all null 1', 'own null 1']);
    await fixture.container.stop();
  });

  it('commitMetadata puts a text beside every offset', async () => {
    const fixture = new ContainerFixture({
      values: ['a'],
      commitMetadata: ({ offset }) => `node-7 at ${offset}`,
    });
    await fixture.start();
    expect(fixture.driver.cluster.offsetsOf('g').get('t-0')?.metadata).toBe('node-7 at 1');
    await fixture.container.stop();
  });

  it('the container never goes back behind what the Consumer has committed', async () => {
    const fixture = new ContainerFixture({
      values: ['a', 'b'],
      ackMode: AckMode.RECORD,
      handler: async (record, _ack, consumer) => {
        if (record.value === 'a') await consumer.commitSync([{ topic: 't', partition: 0, offset: 2 }]);
      },
    });
    await fixture.start();
    expect(commits(fixture)).toEqual(['commitSync t-0@2']);
    await fixture.container.stop();
  });
});
