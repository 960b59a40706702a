/**
 * What Kafka's users expect of groups, offsets and order, each under its own name, through @KafkaListener and KafkaTemplate.
 */
import { Injectable } from '@nestjs/common';
import type { TestingModule } from '@nestjs/testing';
import {
  type ContainerEvent,
  ConsumerRecord,
  type DriverCapability,
  KafkaAdmin,
  KafkaListener,
  KafkaListenerEndpointRegistry,
  type KafkaListenerOptions,
  KafkaTemplate,
  newTopic,
} from '@kafka-template/nestjs';
import { uniqueName } from '../support/broker.js';
import { NestApps, TEMPLATE_DRIVERS } from '../support/nest-apps.js';
import { until } from '../support/until.js';

/** `partition:value` of what a listener got. */
type Seen = string[];

const QUICK = { heartbeatIntervalMs: 200, metadataMaxAgeMs: 300 } as const;

function listener(options: KafkaListenerOptions, seen: Seen, work: (record: ConsumerRecord) => unknown = () => 0) {
  @Injectable()
  class Listener {
    @KafkaListener({ ...options, properties: { ...QUICK, autoOffsetReset: 'earliest', ...options.properties } })
    async onRecord(record: ConsumerRecord) {
      await work(record);
      seen.push(`${record.partition}:${String(record.value)}`);
    }
  }
  return Listener;
}

const containerOf = (app: TestingModule) => app.get(KafkaListenerEndpointRegistry).all[0]!;
const shareOf = (app: TestingModule) => containerOf(app).assignment.length;

async function send(app: TestingModule, topic: string, values: readonly string[], partition = 0): Promise<void> {
  const template = app.get(KafkaTemplate);
  await Promise.all(values.map((value) => template.send(topic, partition, null, value)));
}

describe.each(TEMPLATE_DRIVERS)('template: groups, offsets and order, on $name', ({ driver }) => {
  let apps: NestApps;
  let topic: string;
  let groupId: string;
  let sender: TestingModule;

  const start = (seen: Seen, options: Partial<KafkaListenerOptions> = {}, work?: (record: ConsumerRecord) => unknown) =>
    apps.app({ providers: [listener({ topics: topic, groupId, ...options }, seen, work)] });
  const create = async (partitions: number): Promise<void> => {
    topic = uniqueName('containers');
    groupId = uniqueName('group');
    sender = await apps.app({ topics: [newTopic(topic, { partitions })] });
  };

  /** Whether the driver can; when it cannot, that it is refused at the start with a sentence that names the one that can. */
  const can = async (capability: DriverCapability, attempt: () => Promise<unknown>): Promise<boolean> => {
    if (driver === undefined || driver.capabilities[capability]) return true;
    await expect(attempt()).rejects.toMatchObject({
      code: 'UNSUPPORTED_BY_DRIVER',
      message: expect.stringContaining("the default driver 'native' can") as string,
    });
    return false;
  };

  beforeAll(async () => {
    apps = await NestApps.start(driver);
  });
  afterAll(() => apps.close());

  describe('groups', () => {
    it('queue: members of one group share the records', async () => {
      await create(2);
      const seen: Seen[] = [[], []];
      const members = [await start(seen[0]!), await start(seen[1]!)];
      await until(() => members.map(shareOf).join() === '1,1', 'each has one partition');
      for (const partition of [0, 1]) await send(sender, topic, ['x'], partition);
      await until(() => seen.flat().length === 2, 'both were received');
      expect(seen.map((list) => list.length)).toEqual([1, 1]);
    });

    it('publish-subscribe: every group gets everything', async () => {
      await create(1);
      const seen: Seen[] = [[], []];
      for (const list of seen) await start(list, { groupId: uniqueName('subscriber') });
      await send(sender, topic, ['a', 'b']);
      await until(() => seen.every((list) => list.length === 2), 'both groups have everything');
      expect(seen).toEqual([
        ['0:a', '0:b'],
        ['0:a', '0:b'],
      ]);
    });

    it('no group: every consumer gets everything, and a groupInstanceId of the module does no harm', async () => {
      await create(2);
      const seen: Seen[] = [[], []];
      for (const partition of [0, 1]) await send(sender, topic, ['x'], partition);
      const alone = (list: Seen) => {
        const providers = [listener({ topics: topic, groupId: null }, list)];
        return apps.app({ consumer: { groupInstanceId: 'node-7' }, providers });
      };
      if (!(await can('assign', () => alone([])))) return;
      for (const list of seen) await alone(list);
      await until(() => seen.every((list) => list.length === 2), 'both have everything');
    });

    it('surplus consumers idle', async () => {
      await create(2);
      const seen: Seen = [];
      const app = await start(seen, { concurrency: 3 });
      const shares = () => containerOf(app).containers.map((one) => one.assignment.length);
      await until(() => [...shares()].sort().join() === '0,1,1', 'two have a partition, one has none');
      for (const partition of [0, 1]) await send(sender, topic, ['x'], partition);
      await until(() => seen.length === 2, 'all were received');
    });

    it('rebalance on join and on leave: partitions move, and nothing is lost or repeated', async () => {
      await create(4);
      const seen: Seen = [];
      const first = await start(seen);
      await send(sender, topic, ['before']);
      await until(() => shareOf(first) === 4 && seen.length === 1, 'the first has all');
      const second = await start(seen);
      await until(() => shareOf(first) === 2 && shareOf(second) === 2, 'they share');
      for (const partition of [0, 1, 2, 3]) await send(sender, topic, ['between'], partition);
      await until(() => seen.length === 5, 'all were received');
      await second.close();
      await until(() => shareOf(first) === 4, 'the first has all again');
      for (const partition of [0, 1, 2, 3]) await send(sender, topic, ['after'], partition);
      await until(() => seen.length >= 9, 'all were received');
      expect(new Set(seen).size).toBe(9);
    });

    it('rebalance on partition growth: new partitions are read from their beginning', async () => {
      await create(1);
      const seen: Seen = [];
      const app = await start(seen);
      await sender.get(KafkaAdmin).createOrModifyTopics(newTopic(topic, { partitions: 3 }));
      await until(() => shareOf(app) === 3, 'it has the new partitions');
      await until(async () => {
        return (await sender.get(KafkaAdmin).client.describeTopics([topic]))[0]?.partitions === 3;
      }, 'the topic has grown');
      await apps.app().then((late) => send(late, topic, ['new'], 2));
      await until(() => seen.length === 1, 'the record was received');
      expect(seen).toEqual(['2:new']);
    });

    it('cooperative-sticky: only the partition that moves is revoked, the others go on without a pause', async () => {
      await create(4);
      const seen: Seen = [];
      const events: ContainerEvent[] = [];
      const properties = { partitionAssignmentStrategy: ['cooperative-sticky'] } as KafkaListenerOptions['properties'];
      if (!(await can('cooperativeRebalance', () => start(seen, { properties })))) return;
      const first = await start(seen, { properties });
      await until(() => shareOf(first) === 4, 'the first has all');
      first.get(KafkaListenerEndpointRegistry).onEvent((event) => void events.push(event));
      const second = await start(seen, { properties });
      await until(() => shareOf(first) === 2 && shareOf(second) === 2, 'they share');
      const partitionsOf = (type: string) =>
        events.flatMap((event) => (event.type === type && 'partitions' in event ? event.partitions : []));
      expect(partitionsOf('partitions-revoked')).toHaveLength(2);
      expect(partitionsOf('partitions-assigned')).toEqual([]);
      expect(events.filter((event) => event.type === 'paused')).toEqual([]);
      for (const partition of [0, 1, 2, 3]) await send(sender, topic, ['x'], partition);
      await until(() => seen.length === 4, 'all were received once');
      expect(new Set(seen).size).toBe(4);
    });

    it('static members: concurrency names them one by one', async () => {
      await create(2);
      const properties = { groupInstanceId: uniqueName('node') };
      if (!(await can('staticMembership', () => start([], { concurrency: 2, properties })))) return;
      const app = await start([], { concurrency: 2, properties });
      const owned = () => containerOf(app).containers.map((one) => one.assignment.length);
      await until(() => owned().join() === '1,1', 'each has one partition');
    });
  });

  describe('auto.offset.reset and group.id', () => {
    const run = async (reset: 'earliest' | 'latest' | 'none', until_: (seen: Seen) => boolean, group = groupId) => {
      const seen: Seen = [];
      const app = await start(seen, { groupId: group, properties: { autoOffsetReset: reset } });
      await send(sender, topic, ['sent later']);
      await until(() => until_(seen), 'the expected records were received');
      await app.close();
      return seen;
    };

    it('earliest without a committed offset: a new group reads from the beginning', async () => {
      await create(1);
      await send(sender, topic, ['old']);
      expect(await run('earliest', (seen) => seen.length === 2)).toEqual(['0:old', '0:sent later']);
    });

    it('latest without a committed offset: a new group reads from now', async () => {
      await create(1);
      await send(sender, topic, ['old']);
      expect(await run('latest', (seen) => seen.length === 1)).toEqual(['0:sent later']);
    });

    it.each(['earliest', 'latest', 'none'] as const)(
      '%s with a committed offset: the group goes on there',
      async (reset) => {
        await create(1);
        await send(sender, topic, ['old']);
        await run('earliest', (seen) => seen.length === 2);
        await send(sender, topic, ['meanwhile']);
        expect(await run(reset, (seen) => seen.length === 2)).toEqual(['0:meanwhile', '0:sent later']);
      },
    );

    describe('the four group.id scenarios', () => {
      const values = (seen: Seen) => seen.map((one) => one.slice(2));

      beforeEach(async () => {
        await create(1);
        await send(sender, topic, ['1', '2']);
      });

      it('1: a new group with latest reads from now on', async () => {
        expect(values(await run('latest', (seen) => seen.length === 1, uniqueName('new')))).toEqual(['sent later']);
      });

      it('2: a new group with earliest reads everything from the beginning', async () => {
        const seen = await run('earliest', (all) => all.length === 3, uniqueName('new'));
        expect(values(seen)).toEqual(['1', '2', 'sent later']);
      });

      it('3: the same group with latest ignores the setting: it goes on where it stopped, and misses nothing', async () => {
        await run('earliest', (seen) => seen.length === 3);
        await send(sender, topic, ['while it was away']);
        expect(values(await run('latest', (seen) => seen.length === 2))).toEqual(['while it was away', 'sent later']);
      });

      it('4: the same group with earliest ignores the setting: nothing comes a second time', async () => {
        await run('earliest', (seen) => seen.length === 3);
        await send(sender, topic, ['while it was away']);
        expect(values(await run('earliest', (seen) => seen.length === 2))).toEqual(['while it was away', 'sent later']);
      });
    });

    it('none without a committed offset: the listener stops with a reason and an event', async () => {
      await create(1);
      const options: KafkaListenerOptions = { topics: topic, groupId, properties: { autoOffsetReset: 'none' } };
      const app = await apps.unready({ providers: [listener(options, [])] });
      await until(() => containerOf(app).containers[0]?.stopReason === 'NO_OFFSET', 'it has stopped');
      expect(containerOf(app).status()).toMatchObject({ isRunning: false, isInExpectedState: false });
    });
  });

  describe('order and positions', () => {
    it('one partition and one consumer give global order', async () => {
      await create(1);
      const seen: Seen = [];
      await start(seen);
      const values = Array.from({ length: 500 }, (_, index) => String(index));
      await send(sender, topic, values);
      await until(() => seen.length === 500, 'all were received');
      expect(seen).toEqual(values.map((value) => `0:${value}`));
    });

    it('order is kept inside each partition, and per key with keyConcurrency', async () => {
      await create(2);
      const seen: Seen = [];
      await start(seen, { keyConcurrency: 8 }, () => new Promise((resolve) => setImmediate(resolve)));
      const template = sender.get(KafkaTemplate);
      const numbers = Array.from({ length: 200 }, (_, index) => index);
      await Promise.all(numbers.map((index) => template.send(topic, `key-${index % 10}`, `${index % 10}/${index}`)));
      await until(() => seen.length === 200, 'all were received');
      for (let key = 0; key < 10; key++) {
        const own = seen.flatMap((one) => (one.includes(`:${key}/`) ? [Number(one.split('/')[1])] : []));
        expect(own).toEqual(numbers.filter((index) => index % 10 === key));
      }
      const offsets = async () => {
        const committed = await sender.get(KafkaAdmin).client.listConsumerGroupOffsets(groupId);
        return committed.reduce((sum, { offset }) => sum + offset, 0);
      };
      await until(async () => (await offsets()) === 200, 'all were committed');
    });

    it('assign: chosen partitions, from chosen offsets, with and without a group', async () => {
      await create(3);
      for (const partition of [0, 1, 2]) await send(sender, topic, ['a', 'b', 'c'], partition);
      const topicPartitions = [{ topic, partitions: '0', partitionOffsets: [{ partition: 2, initialOffset: 2 }] }];
      if (!(await can('assign', () => start([], { topics: undefined, topicPartitions })))) return;
      for (const group of [groupId, null]) {
        const seen: Seen = [];
        await start(seen, { topics: undefined, topicPartitions, groupId: group });
        await until(() => seen.length === 4, 'all were received');
        expect([...seen].sort()).toEqual(['0:a', '0:b', '0:c', '2:c']);
      }
    });

    it('seek: from the registry, relative, to the beginning and by time', async () => {
      await create(1);
      const seen: Seen = [];
      const app = await start(seen);
      await send(sender, topic, ['a', 'b', 'c']);
      await until(() => seen.length === 3, 'all were received');
      const registry = app.get(KafkaListenerEndpointRegistry);
      registry.seek(containerOf(app).id, { topic, partition: 0 }, 1);
      await until(() => seen.length === 5, 'two came again');
      containerOf(app).seekRelative({ topic, partition: 0 }, -1, 'end');
      await until(() => seen.length === 6, 'one came again');
      containerOf(app).seekToTimestamp(0);
      await until(() => seen.length === 9, 'three came again');
      expect(seen.slice(3).join()).toBe('0:b,0:c,0:c,0:a,0:b,0:c');
    });
  });

  describe('sending', () => {
    it('three send modes: forget, synchronous, with a callback', async () => {
      await create(1);
      const seen: Seen = [];
      await start(seen);
      const template = sender.get(KafkaTemplate);
      template.send(topic, 'forgotten');
      const { offset } = await template.send(topic, 'synchronous').get(10_000);
      const told = await new Promise<number>((resolve, reject) => {
        template.send(topic, 'with a callback').addCallback((result) => resolve(result.offset), reject);
      });
      expect([offset, told]).toEqual([1, 2]);
      await until(() => seen.length === 3, 'all were received');
    });

    it('metadata that does not come is a time-out, and no blocked send', async () => {
      const app = await apps.unready({ bootstrapServers: '127.0.0.1:1', producer: { maxBlockMs: 300 } });
      const future = app.get(KafkaTemplate).send(uniqueName('missing'), 'value');
      await expect(Promise.resolve(future)).rejects.toMatchObject({ code: expect.stringMatching(/TIMEOUT/) as string });
    });

    it('callbacks are kept at an orderly exit', async () => {
      await create(1);
      const app = await apps.app({ producer: { lingerMs: 60_000 } });
      const outcomes: unknown[] = [];
      for (const value of ['a', 'b', 'c']) {
        app
          .get(KafkaTemplate)
          .send(topic, value)
          .addCallback(
            (result) => outcomes.push(result.offset),
            (error) => outcomes.push(error),
          );
      }
      await app.close();
      expect(outcomes).toEqual([0, 1, 2]);
    });
  });
});
