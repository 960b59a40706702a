/**
 * @KafkaListener on a real broker: ack modes, commit styles, groups, rebalances, restarts, bad records.
 */
import { Injectable } from '@nestjs/common';
import {
  AckMode,
  Acknowledgment,
  type CommitStyle,
  type ContainerEvent,
  ConsumerRecord,
  KafkaAdmin,
  KafkaHeader,
  KafkaKey,
  KafkaListener,
  KafkaListenerEndpointRegistry,
  type KafkaListenerOptions,
  KafkaTemplate,
  Payload,
  newTopic,
} from '@kafka-template/nestjs';
import type { TestingModule } from '@nestjs/testing';
import { uniqueName } from '../support/broker.js';
import { NestApps, TEMPLATE_DRIVERS } from '../support/nest-apps.js';
import { until } from '../support/until.js';

interface Seen {
  readonly value: unknown;
  readonly partition: number;
}

/** A listener class that notes what it gets; `work` may fail or acknowledge. */
function listener(
  options: KafkaListenerOptions,
  seen: Seen[],
  work: (record: ConsumerRecord) => unknown = () => undefined,
) {
  @Injectable()
  class Listener {
    @KafkaListener(options)
    async onRecord(record: ConsumerRecord) {
      await work(record);
      seen.push({ value: record.value, partition: record.partition });
    }
  }
  return Listener;
}

/** The same with an Acknowledgment. */
function manualListener(
  options: KafkaListenerOptions,
  seen: Seen[],
  work: (ack: Acknowledgment, record: ConsumerRecord) => unknown,
) {
  @Injectable()
  class Listener {
    @KafkaListener(options)
    async onRecord(record: ConsumerRecord, ack: Acknowledgment) {
      seen.push({ value: record.value, partition: record.partition });
      await work(ack, record);
    }
  }
  return Listener;
}

async function sendAll(app: TestingModule, topic: string, values: readonly string[], partition: number | null = null) {
  const template = app.get(KafkaTemplate);
  await Promise.all(values.map((value) => template.send(topic, partition, null, value)));
}

/** Offset a group has committed for partition 0 of a topic. */
async function committed(app: TestingModule, groupId: string, topic: string): Promise<number | undefined> {
  const offsets = await app.get(KafkaAdmin).client.listConsumerGroupOffsets(groupId);
  return offsets.find((offset) => offset.topic === topic && offset.partition === 0)?.offset;
}

function values(seen: readonly Seen[]): unknown[] {
  return seen.map((one) => one.value);
}

describe.each(TEMPLATE_DRIVERS)('template: listening, on $name', ({ driver }) => {
  let apps: NestApps;
  const consumer = { autoOffsetReset: 'earliest' } as const;

  beforeAll(async () => {
    apps = await NestApps.start(driver);
  });
  afterAll(() => apps.close());

  describe('ack modes', () => {
    it.each([AckMode.RECORD, AckMode.BATCH, AckMode.COUNT, AckMode.COUNT_TIME])(
      '%s commits what was handled',
      async (ackMode) => {
        const topic = uniqueName('ack');
        const groupId = uniqueName('group');
        const seen: Seen[] = [];
        const providers = [listener({ topics: topic, groupId, ackMode, pollTimeoutMs: 200 }, seen)];
        const app = await apps.app({ topics: [newTopic(topic)], consumer, providers });
        await sendAll(app, topic, ['a', 'b', 'c']);
        await until(() => seen.length === 3, 'three records were received');
        await until(async () => (await committed(app, groupId, topic)) === 3, 'all three were committed');
        expect(values(seen)).toEqual(['a', 'b', 'c']);
      },
    );

    it('TIME commits when its time has come', async () => {
      const topic = uniqueName('ack');
      const groupId = uniqueName('group');
      const seen: Seen[] = [];
      const options = { topics: topic, groupId, ackMode: AckMode.TIME, ackTimeMs: 300, pollTimeoutMs: 100 };
      const app = await apps.app({ topics: [newTopic(topic)], consumer, providers: [listener(options, seen)] });
      await sendAll(app, topic, ['a']);
      await until(async () => (await committed(app, groupId, topic)) === 1, 'the record was committed');
    });

    it('MANUAL commits what was acknowledged and nothing else', async () => {
      const topic = uniqueName('ack');
      const groupId = uniqueName('group');
      const seen: Seen[] = [];
      const work = (ack: Acknowledgment, record: ConsumerRecord) => {
        if (record.value !== 'c') ack.acknowledge();
      };
      const providers = [manualListener({ topics: topic, groupId, ackMode: AckMode.MANUAL }, seen, work)];
      const app = await apps.app({ topics: [newTopic(topic)], consumer, providers });
      await sendAll(app, topic, ['a', 'b', 'c']);
      await until(() => seen.length === 3, 'three records were received');
      await app.close();
      const reader = await apps.app();
      expect(await committed(reader, groupId, topic)).toBe(2);
    });

    it('MANUAL_IMMEDIATE has committed when acknowledge() resolves', async () => {
      const topic = uniqueName('ack');
      const groupId = uniqueName('group');
      const after: (number | undefined)[] = [];
      const work = async (ack: Acknowledgment) => {
        await ack.acknowledge();
        after.push(await committed(app, groupId, topic));
      };
      const providers = [manualListener({ topics: topic, groupId, ackMode: AckMode.MANUAL_IMMEDIATE }, [], work)];
      const app = await apps.app({ topics: [newTopic(topic)], consumer, providers });
      await sendAll(app, topic, ['a', 'b']);
      await until(() => after.length === 2, 'both were acknowledged');
      expect(after).toEqual([1, 2]);
    });

    it('nack delivers the record again, later ones after it', async () => {
      const topic = uniqueName('nack');
      const seen: Seen[] = [];
      const work = (ack: Acknowledgment) => (seen.length === 2 ? ack.nack(50) : ack.acknowledge());
      const options = { topics: topic, groupId: uniqueName('group'), ackMode: AckMode.MANUAL };
      const app = await apps.app({
        topics: [newTopic(topic)],
        consumer,
        providers: [manualListener(options, seen, work)],
      });
      await sendAll(app, topic, ['a', 'b', 'c']);
      await until(() => seen.length === 4, 'the records were delivered again');
      expect(values(seen)).toEqual(['a', 'b', 'b', 'c']);
    });

    it('automatic: the client commits by itself, and at the end', async () => {
      const topic = uniqueName('auto');
      const groupId = uniqueName('group');
      const seen: Seen[] = [];
      const properties = { enableAutoCommit: true, autoCommitIntervalMs: 100 };
      const options = { topics: topic, groupId, pollTimeoutMs: 50, properties };
      const app = await apps.app({ topics: [newTopic(topic)], consumer, providers: [listener(options, seen)] });
      await sendAll(app, topic, ['a', 'b']);
      await until(async () => (await committed(app, groupId, topic)) === 2, 'the interval had passed');
    });
  });

  it.each<CommitStyle>(['sync', 'async', 'combined'])(
    'commit style %s: the callback hears of commits, none is lost at the end',
    async (commitStyle) => {
      const topic = uniqueName('style');
      const groupId = uniqueName('group');
      const seen: Seen[] = [];
      const outcomes: (number | Error)[] = [];
      const options: KafkaListenerOptions = {
        topics: topic,
        groupId,
        commitStyle,
        commitCallback: (error, offsets) => outcomes.push(error ?? offsets[0]?.offset ?? -1),
      };
      const app = await apps.app({ topics: [newTopic(topic)], consumer, providers: [listener(options, seen)] });
      await sendAll(app, topic, ['a', 'b', 'c']);
      await until(() => seen.length === 3, 'three records were received');
      await app.close();
      expect(outcomes.at(-1)).toBe(3);
      expect(await committed(await apps.app(), groupId, topic)).toBe(3);
    },
  );

  describe('groups', () => {
    it('the same group is a queue, another group gets everything', async () => {
      const topic = uniqueName('groups');
      const groupId = uniqueName('queue');
      const seen: Seen[][] = [[], [], []];
      const topics = [newTopic(topic, { partitions: 2 })];
      const properties = { heartbeatIntervalMs: 200 };
      const first = await apps.app({
        topics,
        consumer,
        providers: [listener({ topics: topic, groupId, properties }, seen[0]!)],
      });
      const second = await apps.app({
        consumer,
        providers: [listener({ topics: topic, groupId, properties }, seen[1]!)],
      });
      const third = await apps.app({
        consumer,
        providers: [listener({ topics: topic, groupId: uniqueName('other') }, seen[2]!)],
      });
      const shares = () =>
        [first, second].map((app) => app.get(KafkaListenerEndpointRegistry).all[0]!.assignment.length);
      await until(() => shares().join() === '1,1', 'each has one partition');
      for (const partition of [0, 1]) await sendAll(third, topic, [`p${partition}`], partition);
      await until(() => seen[0]!.length + seen[1]!.length === 2 && seen[2]!.length === 2, 'all were received');
      expect(values(seen[0]!).concat(values(seen[1]!)).sort()).toEqual(['p0', 'p1']);
      expect(values(seen[2]!).sort()).toEqual(['p0', 'p1']);
    });

    it('without a group everybody gets everything, from the beginning, and nothing is committed', async () => {
      const topic = uniqueName('nogroup');
      const seen: Seen[][] = [[], []];
      const sender = await apps.app({ topics: [newTopic(topic, { partitions: 2 })] });
      for (const partition of [0, 1]) await sendAll(sender, topic, [`p${partition}`], partition);
      const start = (list: Seen[]) =>
        apps.app({ consumer, providers: [listener({ topics: topic, groupId: null }, list)] });
      if (driver?.capabilities.assign === false) {
        await expect(start([])).rejects.toThrow(
          /without a group.*driver 'kafkajs' cannot do; the default driver 'native' can/,
        );
        return;
      }
      for (const list of seen) await start(list);
      await until(() => seen.every((list) => list.length === 2), 'both have everything');
    });

    it('a rebalance neither loses nor repeats: what was handled is committed before partitions move', async () => {
      const topic = uniqueName('rebalance');
      const groupId = uniqueName('group');
      const seen: Seen[] = [];
      const options = {
        topics: topic,
        groupId,
        ackMode: AckMode.TIME,
        ackTimeMs: 60_000,
        properties: { maxPollRecords: 5, heartbeatIntervalMs: 200 },
      };
      const topics = [newTopic(topic, { partitions: 4 })];
      const first = await apps.app({ topics, consumer, providers: [listener(options, seen)] });
      const numbers = Array.from({ length: 200 }, (_, index) => String(index));
      const sending = Promise.all(
        numbers.map((value, index) => first.get(KafkaTemplate).send(topic, index % 4, null, value)),
      );
      const second = await apps.app({ consumer, providers: [listener(options, seen)] });
      await sending;
      await until(() => seen.length >= 200, 'everything was received');
      await second.close();
      await first.close();
      expect(
        values(seen)
          .map(Number)
          .sort((a, b) => a - b),
      ).toEqual(numbers.map(Number));
    });

    it('concurrency: several consumers in one application share the partitions', async () => {
      const topic = uniqueName('concurrency');
      const seen: Seen[] = [];
      const options = { topics: topic, groupId: uniqueName('group'), concurrency: 3 };
      const app = await apps.app({
        topics: [newTopic(topic, { partitions: 3 })],
        consumer,
        providers: [listener(options, seen)],
      });
      const [container] = app.get(KafkaListenerEndpointRegistry).all;
      await until(() => container!.containers.every((one) => one.assignment.length === 1), 'each has one partition');
      for (const partition of [0, 1, 2]) await sendAll(app, topic, [String(partition)], partition);
      await until(() => seen.length === 3, 'all were received');
    });

    it('a restart goes on where the group stopped', async () => {
      const topic = uniqueName('restart');
      const groupId = uniqueName('group');
      const seen: Seen[] = [];
      const start = () =>
        apps.app({ topics: [newTopic(topic)], consumer, providers: [listener({ topics: topic, groupId }, seen)] });
      const first = await start();
      await sendAll(first, topic, ['a', 'b']);
      await until(() => seen.length === 2, 'two were received');
      await sendAll(first, topic, ['c']);
      await first.close();
      const second = await start();
      await sendAll(second, topic, ['d']);
      await until(() => seen.length >= 4, 'the rest was received');
      expect(values(seen)).toEqual(['a', 'b', 'c', 'd']);
    });

    it('a group that begins at the end does not lose what comes before its first commit', async () => {
      const topic = uniqueName('latest');
      const groupId = uniqueName('group');
      const seen: Seen[] = [];
      const sender = await apps.app({ topics: [newTopic(topic)] });
      await sendAll(sender, topic, ['old']);
      const properties = { autoOffsetReset: 'latest' } as const;
      const refuse = () => {
        throw new Error('not now');
      };
      const options: KafkaListenerOptions = { topics: topic, groupId, properties, stopImmediate: true };
      const errorHandler = {
        handleOne: () => ({ action: 'stop' as const }),
        handleBatch: () => ({ action: 'stop' as const }),
      };
      const first = await apps.app({ providers: [listener({ ...options, errorHandler }, seen, refuse)] });
      await sendAll(sender, topic, ['new']);
      await until(
        () => !first.get(KafkaListenerEndpointRegistry).all[0]!.status().isInExpectedState,
        'the listener had failed',
      );
      await first.close();
      await apps.app({ providers: [listener(options, seen)] });
      await until(() => seen.length > 0, 'the record was received');
      expect(values(seen)).toEqual(['new']);
    });
  });

  describe('records', () => {
    it('payload, key and headers arrive as they were sent, by their types', async () => {
      const topic = uniqueName('types');
      const seen: unknown[] = [];
      @Injectable()
      class Listener {
        @KafkaListener({ topics: topic, groupId: 'types' })
        onRecord(@Payload() order: { id: number }, @KafkaKey() key: string, @KafkaHeader('trace') trace: string) {
          seen.push(order, key, trace);
        }
      }
      const app = await apps.app({ topics: [newTopic(topic)], consumer, providers: [Listener] });
      await app.get(KafkaTemplate).send({ topic, key: 'k', value: { id: 7 }, headers: { trace: 't' } });
      await until(() => seen.length === 3, 'the record was received');
      expect(seen).toEqual([{ id: 7 }, 'k', 't']);
    });

    it('malformed JSON is reported with its place, skipped and committed; the next record is handled', async () => {
      const topic = uniqueName('malformed');
      const groupId = uniqueName('group');
      const seen: unknown[] = [];
      const events: ContainerEvent[] = [];
      @Injectable()
      class Listener {
        @KafkaListener({ topics: topic, groupId })
        onRecord(order: { id: number }) {
          seen.push(order);
        }
      }
      const app = await apps.app({ topics: [newTopic(topic)], consumer, providers: [Listener] });
      app.get(KafkaListenerEndpointRegistry).onEvent((event) => void events.push(event));
      await sendAll(app, topic, ['{"id":', '{"id":1}']);
      await until(() => seen.length === 1, 'the good record was received');
      expect(seen).toEqual([{ id: 1 }]);
      const failure = events.find((event) => event.type === 'record-failed');
      expect(failure).toMatchObject({
        error: {
          code: 'DESERIALIZATION',
          message: expect.stringContaining(`topic ${topic}, partition 0, offset 0`) as string,
        },
      });
      await until(async () => (await committed(app, groupId, topic)) === 2, 'both were committed');
    });

    it('a failing record is delivered ten times, then skipped', async () => {
      const topic = uniqueName('poison');
      const groupId = uniqueName('group');
      const seen: Seen[] = [];
      let failures = 0;
      const work = (record: ConsumerRecord) => {
        if (record.value !== 'bad') return;
        failures++;
        throw new Error('boom');
      };
      const app = await apps.app({
        topics: [newTopic(topic)],
        consumer,
        providers: [listener({ topics: topic, groupId }, seen, work)],
      });
      await sendAll(app, topic, ['a', 'bad', 'b']);
      await until(() => seen.length === 2, 'the good ones were received');
      expect([failures, values(seen)]).toEqual([10, ['a', 'b']]);
      await until(async () => (await committed(app, groupId, topic)) === 3, 'all were committed');
    });
  });

  describe('missing topics', () => {
    it('are waited for, with a warning', async () => {
      const topic = uniqueName('missing');
      const seen: Seen[] = [];
      const options = { topics: topic, groupId: uniqueName('group') };
      const properties = { metadataMaxAgeMs: 200, allowAutoCreateTopics: false };
      const app = await apps.unready({
        consumer: { ...consumer, ...properties },
        providers: [listener(options, seen)],
      });
      await app.get(KafkaAdmin).createOrModifyTopics(newTopic(topic));
      await sendAll(app, topic, ['a']);
      await until(() => seen.length === 1, 'the record was received');
    });

    it('keep the application from starting with missingTopicsFatal', async () => {
      const topic = uniqueName('missing');
      const providers = [listener({ topics: topic, groupId: uniqueName('group'), missingTopicsFatal: true }, [])];
      await expect(apps.unready({ providers })).rejects.toThrow(
        `Topic(s) [${topic}] is/are not present and missingTopicsFatal is true`,
      );
    });
  });
});
