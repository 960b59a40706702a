/**
 * The consuming half of the drivers' suite: groups, rebalances, positions, commits, pauses, ends.
 *
 * Where a driver cannot do something its capabilities say so, and the suite expects the refusal, by name.
 */
import type { DriverCapability } from '@kafka-template/nestjs';
import { uniqueName } from '../support/broker.js';
import {
  DRIVERS,
  DriverBench,
  codeOf,
  numbers,
  pollAll,
  pollAssigned,
  pollCount,
  recordsOf,
  texts,
} from './driver-conformance-support.js';

describe.each(DRIVERS)('driver $name', (driver) => {
  let bench: DriverBench;

  beforeAll(async () => {
    bench = await DriverBench.start(driver);
  });
  afterAll(() => bench.close());

  /** What the driver does: the result if it can, the code of the refusal if it cannot. */
  async function expectCapability<T>(capability: DriverCapability, work: () => Promise<T>, result: T) {
    if (driver.capabilities[capability]) expect(await work()).toEqual(result);
    else expect(await codeOf(Promise.resolve().then(work))).toBe('UNSUPPORTED_BY_DRIVER');
  }

  describe('groups', () => {
    it('several topics, and a pattern', async () => {
      const topics = [await bench.topic(), await bench.topic()];
      for (const topic of topics) await bench.sendValues(topic, [topic]);
      const consumer = bench.consumer();
      consumer.subscribe(topics);
      expect(texts(await pollCount(consumer, 2)).sort()).toEqual([...topics].sort());
      const byPattern = bench.consumer();
      byPattern.subscribe(new RegExp(`^(${topics.join('|')})$`));
      expect(texts(await pollCount(byPattern, 2)).sort()).toEqual([...topics].sort());
    });

    it('patternRefresh: a topic created later', async () => {
      const prefix = uniqueName('later');
      await bench.admin.createTopic({ name: `${prefix}-1`, partitions: 1, replicas: 1 });
      const consumer = bench.consumer({ metadataMaxAgeMs: 200 });
      consumer.subscribe(new RegExp(`^${prefix}-`));
      await pollAssigned(consumer, 1);
      await bench.admin.createTopic({ name: `${prefix}-2`, partitions: 1, replicas: 1 });
      await bench.sendValues(`${prefix}-2`, ['new']);
      if (driver.capabilities.patternRefresh) expect(texts(await pollCount(consumer, 1))).toEqual(['new']);
      else {
        // A record of the old topic, sent later, is here while the one of the new topic is not.
        await bench.sendValues(`${prefix}-1`, ['old']);
        expect(texts(await pollCount(consumer, 1))).toEqual(['old']);
      }
    });

    it('shares partitions, and the revocation is awaited before they move', async () => {
      const topic = await bench.topic(2);
      const groupId = uniqueName('group');
      const events: string[] = [];
      const first = bench.consumer({ groupId });
      first.subscribe(topic, {
        onPartitionsAssigned: (partitions) => void events.push(`first has ${numbers(partitions).join()}`),
        onPartitionsRevoked: async (partitions) => {
          events.push(`first gives ${numbers(partitions).join()}`);
          await first.commitSync([{ topic, partition: 0, offset: 1 }]);
          events.push(`committed ${await bench.committed(groupId, topic)}`);
        },
      });
      await bench.sendValues(topic, ['a', 'b']);
      await pollCount(first, 2);
      const second = bench.consumer({ groupId });
      second.subscribe(topic, {
        onPartitionsAssigned: (partitions) => void events.push(`second has ${numbers(partitions).length}`),
      });
      await pollAll([first, second], () => second.assignment().length === 1);
      await pollAll([first, second], () => events.filter((event) => event.startsWith('first has')).length === 2);
      expect(events.slice(0, 3)).toEqual(['first has 0,1', 'first gives 0,1', 'committed 1']);
      expect(
        events
          .slice(3)
          .map((event) => event.slice(0, 9))
          .sort(),
      ).toEqual(['first has', 'second ha']);
      const all = [...numbers(first.assignment()), ...numbers(second.assignment())];
      expect(all.sort()).toEqual([0, 1]);
    });

    it('members with different topics: every topic is read', async () => {
      const topics = [await bench.topic(2), await bench.topic(2)];
      const groupId = uniqueName('group');
      const consumers = topics.map((topic) => {
        const consumer = bench.consumer({ groupId });
        consumer.subscribe(topic);
        return consumer;
      });
      await pollAll(consumers, () => consumers.every((consumer) => consumer.assignment().length === 2));
      for (const topic of topics) for (const partition of [0, 1]) await bench.sendValues(topic, [topic], partition);
      const received = await pollAll(consumers, (lists) => lists.every((list) => list.length === 2));
      expect(received.map((list) => [...new Set(texts(list))])).toEqual(topics.map((topic) => [topic]));
    });

    it('a member that closes: the others take over where it committed', async () => {
      const topic = await bench.topic(2);
      const groupId = uniqueName('group');
      const [first, second] = [bench.consumer({ groupId }), bench.consumer({ groupId })];
      for (const consumer of [first, second]) consumer.subscribe(topic);
      await pollAll([first, second], () => first.assignment().length === 1 && second.assignment().length === 1);
      const [taken] = first.assignment();
      await bench.sendValues(topic, ['a', 'b'], taken?.partition);
      await pollAll([first, second], ([list = []]) => list.length === 2);
      await first.commitSync([{ topic, partition: taken?.partition ?? 0, offset: 1 }]);
      await first.close();
      const [received = []] = await pollAll([second], ([list = []]) => list.length === 1);
      expect(texts(received)).toEqual(['b']);
      expect(second.assignment().length).toBe(2);
    });

    it('lostCallback: who does not poll loses the partitions, hears so, cannot commit, and comes back', async () => {
      const topic = await bench.topic();
      const groupId = uniqueName('group');
      const options = { groupId, maxPollIntervalMs: 1_000, sessionTimeoutMs: 6_000 };
      const events: string[] = [];
      const slow = bench.consumer(options);
      slow.subscribe(topic, {
        onPartitionsRevoked: () => void events.push('revoked'),
        onPartitionsLost: () => void events.push('lost'),
      });
      await bench.sendValues(topic, ['a']);
      await pollCount(slow, 1);
      const other = bench.consumer({ ...options, maxPollIntervalMs: 60_000 });
      other.subscribe(topic);
      // Only the other one polls now.
      await pollAssigned(other, 1);
      expect(await codeOf(slow.commitSync([{ topic, partition: 0, offset: 1 }]))).toBe('COMMIT_FAILED');
      await other.close();
      const [received = []] = await pollAll([slow], ([list = []]) => list.length === 1);
      expect(texts(received)).toEqual(['a']);
      expect(events).toEqual([driver.capabilities.lostCallback ? 'lost' : 'revoked']);
    });

    it('cooperativeRebalance, staticMembership, assign: what is not there is refused', async () => {
      const topic = await bench.topic();
      await bench.sendValues(topic, ['a']);
      const read = async (options: Parameters<DriverBench['consumer']>[0]) => {
        const consumer = bench.consumer(options);
        consumer.subscribe(topic);
        return texts(await pollCount(consumer, 1));
      };
      const strategy = { partitionAssignmentStrategy: ['cooperative-sticky'] } as const;
      await expectCapability('cooperativeRebalance', () => read(strategy), ['a']);
      await expectCapability('staticMembership', () => read({ groupInstanceId: 'one' }), ['a']);
      const assign = async () => {
        const consumer = bench.consumer();
        consumer.assign([{ topic, partition: 0 }]);
        return texts(await pollCount(consumer, 1));
      };
      await expectCapability('assign', assign, ['a']);
      expect(await read({ partitionAssignmentStrategy: ['roundrobin'] })).toEqual(['a']);
    });

    it('customSasl: a mechanism of the application is refused, or tried', async () => {
      const create = () =>
        bench.consumer({
          securityProtocol: 'SASL_PLAINTEXT',
          sasl: {
            mechanism: 'MINE',
            createMechanism: () => ({ name: 'MINE', start: () => Buffer.alloc(0), step: () => null }),
          },
        });
      await expectCapability('customSasl', async () => typeof create().poll, 'function');
    });
  });

  describe('positions', () => {
    it('a group without a commit begins at the beginning or the end, one with a commit there', async () => {
      const topic = await bench.topic();
      await bench.sendValues(topic, ['a', 'b']);
      const latest = bench.consumer({ autoOffsetReset: 'latest' });
      latest.subscribe(topic);
      await pollAssigned(latest, 1);
      expect(await latest.position({ topic, partition: 0 })).toBe(2);
      await bench.sendValues(topic, ['c']);
      expect(texts(await pollCount(latest, 1))).toEqual(['c']);
      const groupId = uniqueName('group');
      const first = bench.consumer({ groupId });
      first.subscribe(topic);
      expect(texts(await pollCount(first, 3))).toEqual(['a', 'b', 'c']);
      await first.commitSync([{ topic, partition: 0, offset: 1, metadata: 'mine' }]);
      expect(await first.committed([{ topic, partition: 0 }])).toMatchObject([{ offset: 1, metadata: 'mine' }]);
      await first.close();
      const again = bench.consumer({ groupId, autoOffsetReset: 'latest' });
      again.subscribe(topic);
      expect(texts(await pollCount(again, 2))).toEqual(['b', 'c']);
    });

    it('resetNone: no offset is an error that names the partition, and nothing is committed', async () => {
      const topic = await bench.topic();
      const groupId = uniqueName('group');
      const consumer = bench.consumer({ groupId, autoOffsetReset: 'none' });
      consumer.subscribe(topic);
      const polling = pollAll([consumer], () => false);
      expect(await codeOf(polling)).toBe('NO_OFFSET_FOR_PARTITION');
      expect(await bench.committed(groupId, topic)).toBeUndefined();
    });

    it('a committed offset that does not exist any more: reset in memory, not in the group', async () => {
      const topic = await bench.topic();
      await bench.sendValues(topic, ['a', 'b']);
      const groupId = uniqueName('group');
      const first = bench.consumer({ groupId });
      first.subscribe(topic);
      await pollCount(first, 2);
      await first.commitSync([{ topic, partition: 0, offset: 1_000 }]);
      await first.close();
      const second = bench.consumer({ groupId });
      second.subscribe(topic);
      expect(texts(await pollCount(second, 2))).toEqual(['a', 'b']);
      expect(await bench.committed(groupId, topic)).toBe(1_000);
    });

    it('seek: forwards, back within and beyond the last poll, to the ends; the position follows', async () => {
      const topic = await bench.topic();
      const values = ['a', 'b', 'c', 'd', 'e', 'f'];
      await bench.sendValues(topic, values);
      const consumer = bench.consumer({ maxPollRecords: 2 });
      consumer.subscribe(topic);
      const tp = { topic, partition: 0 };
      const next = async (count: number) => texts(await pollCount(consumer, count));
      expect(await next(2)).toEqual(['a', 'b']);
      expect(await consumer.position(tp)).toBe(2);
      consumer.seek(tp, 1);
      expect(await consumer.position(tp)).toBe(1);
      expect(await next(2)).toEqual(['b', 'c']);
      consumer.seek(tp, 0);
      expect(await next(2)).toEqual(['a', 'b']);
      consumer.seek(tp, 4);
      expect(await next(2)).toEqual(['e', 'f']);
      consumer.seekToBeginning([tp]);
      expect(await next(2)).toEqual(['a', 'b']);
      consumer.seekToEnd([tp]);
      expect(await consumer.position(tp)).toBe(6);
      await bench.sendValues(topic, ['g']);
      expect(await next(1)).toEqual(['g']);
      expect(() => consumer.seek({ topic, partition: 7 }, 0)).toThrow(/not assigned/);
    });

    it('seek inside the assignment callback decides where reading begins', async () => {
      const topic = await bench.topic();
      await bench.sendValues(topic, ['a', 'b', 'c']);
      const consumer = bench.consumer();
      consumer.subscribe(topic, { onPartitionsAssigned: ([tp]) => tp && consumer.seek(tp, 2) });
      expect(texts(await pollCount(consumer, 1))).toEqual(['c']);
    });

    it('offsets: beginning, end, by time', async () => {
      const topic = await bench.topic();
      await bench.send(
        [1_000, 2_000].map((timestamp) => ({ topic, value: 'x', timestamp: 1_700_000_000_000 + timestamp })),
      );
      const consumer = bench.consumer();
      const tp = { topic, partition: 0 };
      expect(await consumer.beginningOffsets([tp])).toMatchObject([{ ...tp, offset: 0 }]);
      expect(await consumer.endOffsets([tp])).toMatchObject([{ ...tp, offset: 2 }]);
      const times = [1_500, 2_500].map((timestamp) => ({ ...tp, timestamp: 1_700_000_000_000 + timestamp }));
      expect((await consumer.offsetsForTimes(times)).map(({ offset }) => offset)).toEqual([1, null]);
      expect(numbers(await consumer.partitionsFor(topic))).toEqual([0]);
    });

    it('maxPollRecords limits a poll, and polls go on without gaps', async () => {
      const topic = await bench.topic();
      const values = Array.from({ length: 25 }, (_, index) => String(index));
      await bench.sendValues(topic, values);
      const consumer = bench.consumer({ maxPollRecords: 10 });
      consumer.subscribe(topic);
      const sizes: number[] = [];
      const received: string[] = [];
      while (received.length < values.length) {
        const records = recordsOf(await consumer.poll(1_000));
        if (records.length > 0) sizes.push(records.length);
        received.push(...texts(records));
      }
      expect(received).toEqual(values);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
    });
  });

  describe('commits', () => {
    it('sync, async with callback, and in the order they were made', async () => {
      const topic = await bench.topic();
      const groupId = uniqueName('group');
      await bench.sendValues(topic, ['a', 'b', 'c', 'd']);
      const consumer = bench.consumer({ groupId });
      consumer.subscribe(topic);
      await pollCount(consumer, 4);
      const done: (number | string)[] = [];
      for (const offset of [1, 2, 3]) {
        consumer.commitAsync([{ topic, partition: 0, offset }], (error, [one]) =>
          done.push(error?.message ?? one?.offset ?? -1),
        );
      }
      expect(done).toEqual([]);
      await consumer.commitSync([{ topic, partition: 0, offset: 4 }]);
      expect(done).toEqual([1, 2, 3]);
      expect(await bench.committed(groupId, topic)).toBe(4);
      await consumer.commitSync([{ topic, partition: 0, offset: 2 }]);
      expect(await bench.committed(groupId, topic)).toBe(2);
      await consumer.commitSync();
      expect(await bench.committed(groupId, topic)).toBe(4);
    });

    it('automatic: by the interval what earlier polls returned, and the rest at the end', async () => {
      const topic = await bench.topic();
      const groupId = uniqueName('group');
      const consumer = bench.consumer({ groupId, enableAutoCommit: true, autoCommitIntervalMs: 100 });
      consumer.subscribe(topic);
      await bench.sendValues(topic, ['a', 'b']);
      await pollCount(consumer, 2);
      await pollAll([consumer], async () => (await bench.committed(groupId, topic)) === 2);
      await bench.sendValues(topic, ['c']);
      await pollCount(consumer, 1);
      await consumer.close();
      expect(await bench.committed(groupId, topic)).toBe(3);
    });
  });

  describe('pause and resume', () => {
    it('a paused partition gives nothing, the others go on; resumed it goes on where it was', async () => {
      const topic = await bench.topic(2);
      const consumer = bench.consumer();
      consumer.subscribe(topic);
      await pollAssigned(consumer, 2);
      consumer.pause([{ topic, partition: 0 }]);
      await bench.sendValues(topic, ['p0'], 0);
      await bench.sendValues(topic, ['p1'], 1);
      expect(texts(await pollCount(consumer, 1))).toEqual(['p1']);
      await bench.sendValues(topic, ['p1 again'], 1);
      expect(texts(await pollCount(consumer, 1))).toEqual(['p1 again']);
      consumer.resume([{ topic, partition: 0 }]);
      expect(texts(await pollCount(consumer, 1))).toEqual(['p0']);
    });

    it('records that are here already wait, too, and all paused the member stays in the group', async () => {
      const topic = await bench.topic();
      await bench.sendValues(topic, ['a', 'b', 'c']);
      const consumer = bench.consumer({ maxPollRecords: 1, sessionTimeoutMs: 6_000 });
      let revoked = 0;
      consumer.subscribe(topic, { onPartitionsRevoked: () => void revoked++ });
      expect(texts(await pollCount(consumer, 1))).toEqual(['a']);
      const tp = { topic, partition: 0 };
      consumer.pause([tp]);
      expect((await consumer.poll(500)).count).toBe(0);
      expect(await consumer.position(tp)).toBe(1);
      expect(revoked).toBe(0);
      consumer.resume([tp]);
      expect(texts(await pollCount(consumer, 2))).toEqual(['b', 'c']);
    });

    it('a pause survives a rebalance that leaves the partition here', async () => {
      const topic = await bench.topic(2);
      const groupId = uniqueName('group');
      const first = bench.consumer({ groupId });
      first.subscribe(topic);
      await pollAssigned(first, 2);
      first.pause(first.assignment());
      const second = bench.consumer({ groupId });
      second.subscribe(topic);
      await pollAll([first, second], () => first.assignment().length === 1 && second.assignment().length === 1);
      for (const partition of [0, 1]) await bench.sendValues(topic, [`p${partition}`], partition);
      const received = await pollAll([first, second], ([, list = []]) => list.length === 1);
      expect(received[0]).toEqual([]);
      first.resume(first.assignment());
      const [kept] = first.assignment();
      expect(texts(await pollCount(first, 1))).toEqual([`p${kept?.partition}`]);
    });
  });

  describe('the ends of things', () => {
    it('wakeup ends the poll that waits, or else the next; the one after it works', async () => {
      const topic = await bench.topic();
      const consumer = bench.consumer();
      consumer.subscribe(topic);
      await pollAssigned(consumer, 1);
      const waiting = consumer.poll(20_000);
      consumer.wakeup();
      expect(await codeOf(waiting)).toBe('WAKEUP');
      consumer.wakeup();
      expect(await codeOf(consumer.poll(20_000))).toBe('WAKEUP');
      await bench.sendValues(topic, ['a']);
      expect(texts(await pollCount(consumer, 1))).toEqual(['a']);
    });

    it('close tells the listener, which may commit, ends a poll that waits, and leaves the group', async () => {
      const topic = await bench.topic();
      const groupId = uniqueName('group');
      const events: string[] = [];
      const consumer = bench.consumer({ groupId });
      consumer.subscribe(topic, {
        onPartitionsRevoked: async () => {
          await consumer.commitSync([{ topic, partition: 0, offset: 1 }]);
          events.push('committed');
        },
      });
      await bench.sendValues(topic, ['a']);
      await pollCount(consumer, 1);
      // Longer than the test may take.
      const waiting = codeOf(consumer.poll(600_000));
      await consumer.close();
      expect(await waiting).toBe('CLOSED');
      expect(events).toEqual(['committed']);
      expect(await bench.committed(groupId, topic)).toBe(1);
      expect(await codeOf(consumer.poll(0))).toBe('CLOSED');
      expect(await codeOf(consumer.commitSync([{ topic, partition: 0, offset: 1 }]))).toBe('CLOSED');
      await consumer.close();
      // It has left: the next member does not wait for the session to time out, which is longer than `pollAssigned` waits.
      const next = bench.consumer({ groupId, sessionTimeoutMs: 45_000 });
      next.subscribe(topic);
      await pollAssigned(next, 1);
    });

    it('close before anything was polled, and without a broker, ends', async () => {
      const never = bench.consumer();
      never.subscribe('anything');
      await never.close(1_000);
      const away = bench.consumer({ bootstrapServers: '127.0.0.1:1', defaultApiTimeoutMs: 300, requestTimeoutMs: 300 });
      away.subscribe('anything');
      await away.poll(50).catch(() => undefined);
      await away.close(500);
      expect(await codeOf(away.poll(0))).toBe('CLOSED');
    });

    it('one poll at a time', async () => {
      const topic = await bench.topic();
      const consumer = bench.consumer();
      consumer.subscribe(topic);
      const first = consumer.poll(50);
      expect(await codeOf(consumer.poll(50))).toBe('INVALID_ARGUMENT');
      await first;
    });
  });
});
