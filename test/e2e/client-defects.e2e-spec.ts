/**
 * What applications have met in other Kafka clients for Node, line by line, and that this one does not have it.
 *
 * Every test is named after the defect. They run on the embedded broker and on Apache Kafka alike. What each client can do
 * is in the README of the library; the rules that follow from these defects, and reading with `read_committed`, are in
 * client-rules.e2e-spec.ts.
 */
import {
  type Consumer,
  type ConsumerOptions,
  createConsumer,
  createProducer,
  type Producer,
  type ProducerOptions,
  silentLogger,
} from '@kafka-template/client';
import { decodeResponse, encodeResponse, ErrorCode, Fetch } from '@kafka-template/protocol';
import { uniqueName } from '../support/broker.js';
import { Consuming, pollAll, pollAssigned, pollCount, pollUntil, rejection, values } from '../support/consuming.js';
import { until } from '../support/until.js';
import { Wire } from './client-defects-support.js';

let kafka: Consuming;
const closing: (Producer | Consumer)[] = [];

beforeAll(async () => {
  kafka = await Consuming.start();
});

afterEach(async () => {
  await Promise.allSettled(closing.splice(0).map((client) => client.close(10_000)));
});

afterAll(async () => {
  await kafka.close();
});

/** Quick to try again: losses are part of it. */
const QUICK = { retryBackoffMs: 5, retryBackoffMaxMs: 30, reconnectBackoffMs: 1, reconnectBackoffMaxMs: 30 };

function producerOf(options: Partial<ProducerOptions> = {}, wire = new Wire()): Producer {
  const { bootstrapServers } = kafka.broker;
  const producer = createProducer({ bootstrapServers, logger: silentLogger, ...QUICK, ...options }, wire.io);
  closing.push(producer);
  return producer;
}

function consumerOf(options: Partial<ConsumerOptions> = {}, wire = new Wire()): Consumer {
  const { bootstrapServers } = kafka.broker;
  const consumer = createConsumer(
    {
      ...{ bootstrapServers, logger: silentLogger, autoOffsetReset: 'earliest', fetchMaxWaitMs: 100 },
      ...(options.groupProtocol === 'consumer' ? {} : { heartbeatIntervalMs: 100 }),
      ...QUICK,
      ...options,
    },
    wire.io,
  );
  closing.push(consumer);
  return consumer;
}

/** Everything in partition 0, which has to be that many records. */
function readAll(topic: string, count: number): Promise<string[]> {
  const consumer = consumerOf();
  consumer.assign([{ topic, partition: 0 }]);
  return pollCount(consumer, count);
}

describe('a producer does not', () => {
  it('lose an acknowledged record when an answer is lost while another send waits', async () => {
    const topic = await kafka.topic();
    const wire = new Wire();
    const producer = producerOf({}, wire);
    await producer.send({ topic, value: 'before' });
    let losses = 0;
    const waiting: Promise<{ offset: number }>[] = [];
    wire.onAnswer = (_answer, { api }) => {
      if (api.name !== 'Produce' || losses === 3) return null;
      losses += 1;
      // The broker has stored it; another send comes while the answer is being lost.
      waiting.push(producer.send({ topic, value: `b${losses}` }));
      return 'lost';
    };
    const a = await producer.send({ topic, value: 'a' });
    const b = await Promise.all(waiting);
    expect(losses).toBe(3);
    const stored = await readAll(topic, 5);
    expect([a, ...b].map(({ offset }) => stored[offset])).toEqual(['a', 'b1', 'b2', 'b3']);
    await kafka.send(topic, ['after']);
    expect(await readAll(topic, 6)).toEqual(['before', 'a', 'b1', 'b2', 'b3', 'after']);
  });

  it('run into lock time-outs with thousands of concurrent sends to many topics', async () => {
    const topics = await Promise.all([1, 2, 3, 4].map(() => kafka.topic()));
    const producer = producerOf();
    const all = values('v', 5_000);
    const sent = await Promise.all(
      all.map((value, at) => producer.send({ topic: topics[at % topics.length] ?? '', value })),
    );
    expect(sent.map(({ offset }) => offset)).toEqual(all.map((_, at) => Math.floor(at / topics.length)));
  });

  it('wait for a poll of 50 ms before an awaited send is acknowledged', async () => {
    const topic = await kafka.topic();
    const producer = producerOf();
    await producer.send({ topic, value: 'first' });
    const began = performance.now();
    for (const value of values('v', 200)) await producer.send({ topic, value });
    expect((performance.now() - began) / 200).toBeLessThan(50);
  });

  it('run a timer loop on an idle connection, nor keep a timer after close', async () => {
    const topic = await kafka.topic();
    const wires = Array.from({ length: 5 }, () => new Wire());
    const producers = wires.map((wire) => producerOf({}, wire));
    for (const producer of producers) await producer.send({ topic, value: 'x' });
    const soon = (): number[] => wires.flatMap(({ timers }) => [...timers.values()].filter((delay) => delay < 1_000));
    await until(() => soon().length === 0, 'no timer of an idle producer is due within a second');
    const defers = wires.map((wire) => wire.defers);
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(soon()).toEqual([]);
    expect(wires.map((wire) => wire.defers)).toEqual(defers);
    await Promise.all(producers.map((producer) => producer.close()));
    expect(wires.map(({ timers }) => timers.size)).toEqual([0, 0, 0, 0, 0]);
  });
});

describe('a very large batch does not', () => {
  const RECORDS = 200_000;

  it(`overflow the stack by push(...): ${RECORDS} records in one batch`, async () => {
    const name = uniqueName('large');
    const configs = { 'max.message.bytes': String(16 * 1024 * 1024) };
    const [made] = await kafka.admin.createTopics([{ name, numPartitions: 1, replicationFactor: 1, configs }]);
    expect(made?.error).toBeNull();
    const large = 16 * 1024 * 1024;
    const producer = producerOf({ batchSize: large / 2, maxRequestSize: large });
    await producer.send({ topic: name, value: 'first' });
    let acknowledged = 0;
    for (let at = 0; at < RECORDS; at += 1) {
      producer.append({ topic: name, value: 'v' }, (error) => {
        if (error === null) acknowledged += 1;
      });
    }
    await producer.flush();
    expect(acknowledged).toBe(RECORDS);
    expect(producer.metrics().batchTotal).toBe(2);
    const consumer = consumerOf({ maxPollRecords: RECORDS, maxPartitionFetchBytes: large });
    consumer.assign([{ topic: name, partition: 0 }]);
    consumer.seek({ topic: name, partition: 0 }, 1);
    const offsets: number[] = [];
    await until(async () => {
      for (const { offset } of await consumer.poll(1_000)) offsets.push(offset);
      return offsets.length >= RECORDS;
    }, 'the batch was read');
    expect(offsets.length).toBe(RECORDS);
    expect(offsets.every((offset, at) => offset === at + 1)).toBe(true);
  });
});

describe('a consumer does not', () => {
  it('commit -1, nor anything else, when its offset is out of range', async () => {
    const topic = await kafka.topic();
    const groupId = uniqueName('group');
    await kafka.send(topic, values('v', 3));
    const consumer = consumerOf({ groupId, enableAutoCommit: false });
    consumer.assign([{ topic, partition: 0 }]);
    await consumer.commitSync([{ topic, partition: 0, offset: 1_000 }]);
    expect(await pollCount(consumer, 3)).toEqual(values('v', 3));
    expect((await kafka.admin.listConsumerGroupOffsets(groupId))[0]?.offset).toBe(1_000);
  });

  it.each([TypeError, RangeError, ReferenceError, Error])(
    'stop for good when the application throws: %p',
    async (Thrown) => {
      const topic = await kafka.topic();
      await kafka.send(topic, values('v', 2));
      const consumer = consumerOf({ groupId: uniqueName('group') });
      let listened = 0;
      consumer.subscribe(topic, {
        onPartitionsAssigned: () => {
          listened += 1;
          throw new Thrown('of a listener');
        },
      });
      await rejection(pollUntil(consumer, () => false));
      expect(listened).toBe(1);
      const handled: string[] = [];
      const handle = async (): Promise<void> => {
        for await (const record of consumer) {
          handled.push(String(record.value));
          throw new Thrown('of a handler');
        }
      };
      for (const _ of [1, 2]) await expect(handle()).rejects.toThrow('of a handler');
      expect(handled).toEqual(['v0', 'v1']);
      await kafka.send(topic, ['v2']);
      expect(await pollCount(consumer, 1)).toEqual(['v2']);
    },
  );

  it('stop to send heartbeats to the only broker while a handler is slow, nor rebalance in a loop', async () => {
    const topic = await kafka.topic();
    await kafka.send(topic, ['v']);
    const wire = new Wire();
    const consumer = consumerOf({ groupId: uniqueName('group'), enableAutoCommit: false }, wire);
    consumer.subscribe(topic);
    await pollCount(consumer, 1);
    const before = consumer.metrics().heartbeatTotal;
    await until(() => consumer.metrics().heartbeatTotal >= before + 5, 'five heartbeats went out without a poll');
    await consumer.commitSync();
    await consumer.poll(100);
    expect([wire.requests('SyncGroup').length, consumer.metrics().rebalanceTotal]).toEqual([1, 1]);
  });

  it('leave topics of other members unassigned when it leads', async () => {
    const topics = [await kafka.topic(2), await kafka.topic(2)];
    const groupId = uniqueName('group');
    const members = topics.map((topic) => {
      const consumer = consumerOf({ groupId });
      consumer.subscribe(topic);
      return consumer;
    });
    for (const topic of topics) for (const at of [0, 1]) await kafka.send(topic, values(`${topic}-`, 25, 25 * at), at);
    const received = await pollAll(members, (all) => all.every((each) => each.length >= 50));
    expect(received.map((each) => [...each].sort())).toEqual(topics.map((topic) => values(`${topic}-`, 50).sort()));
  });

  it('read records whose CRC is wrong as if they were right', async () => {
    const topic = await kafka.topic();
    await kafka.send(topic, ['undamaged']);
    const wire = new Wire();
    let damaged = false;
    wire.onAnswer = (answer, { api }) => {
      const at = api.name === 'Fetch' && !damaged ? answer.lastIndexOf('undamaged') : -1;
      if (at < 0) return null;
      damaged = true;
      answer[at] = 0;
      return null;
    };
    const consumer = consumerOf({}, wire);
    consumer.assign([{ topic, partition: 0 }]);
    expect((await rejection(pollUntil(consumer, () => false))).code).toBe('CORRUPT_MESSAGE');
    expect(damaged).toBe(true);
    consumer.seek({ topic, partition: 0 }, 0);
    expect(await pollCount(consumer, 1)).toEqual(['undamaged']);
  });

  it('make the group rejoin when a leader changes (NOT_LEADER_OR_FOLLOWER)', async () => {
    const topic = await kafka.topic();
    await kafka.send(topic, ['one']);
    const wire = new Wire();
    const consumer = consumerOf({ groupId: uniqueName('group') }, wire);
    consumer.subscribe(topic);
    await pollCount(consumer, 1);
    const [joins, syncs] = [wire.requests('JoinGroup').length, wire.requests('SyncGroup').length];
    let refusals = 0;
    wire.onAnswer = (answer, { api, version, correlationId }) => {
      if (api.name !== 'Fetch' || refusals === 3) return null;
      const body = decodeResponse(Fetch, version, answer);
      const partitions = body.responses.flatMap((each) => each.partitions);
      if (!partitions.some(({ records }) => (records?.length ?? 0) > 0)) return null;
      refusals += 1;
      for (const partition of partitions) {
        Object.assign(partition, { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, records: null });
      }
      return encodeResponse(Fetch, version, correlationId, body);
    };
    await kafka.send(topic, ['two']);
    expect(await pollCount(consumer, 1)).toEqual(['two']);
    expect(refusals).toBe(3);
    expect([wire.requests('JoinGroup').length, wire.requests('SyncGroup').length]).toEqual([joins, syncs]);
  });

  it('see committed offsets of a cache that others have outdated', async () => {
    const topic = await kafka.topic();
    const groupId = uniqueName('group');
    const [one, two] = [consumerOf({ groupId }), consumerOf({ groupId })];
    const place = { topic, partition: 0 };
    for (const consumer of [one, two]) consumer.assign([place]);
    for (const offset of [5, 7, 6]) {
      await one.commitSync([{ ...place, offset }]);
      expect((await two.committed([place]))[0]?.offset).toBe(offset);
    }
  });

  it('rejoin inside a commit after the partitions were lost, nor commit under a new generation', async () => {
    const topic = await kafka.topic();
    const groupId = uniqueName('group');
    await kafka.send(topic, ['v']);
    const wire = new Wire();
    const consumer = consumerOf({ groupId, enableAutoCommit: false, maxPollIntervalMs: 1_000 }, wire);
    consumer.subscribe(topic);
    await pollCount(consumer, 1);
    await until(() => wire.requests('LeaveGroup').length > 0, 'it has left, because it did not poll');
    const joins = wire.requests('JoinGroup').length;
    expect((await rejection(consumer.commitSync([{ topic, partition: 0, offset: 1 }]))).code).toBe('COMMIT_FAILED');
    expect(wire.requests('JoinGroup').length).toBe(joins);
    expect(await kafka.admin.listConsumerGroupOffsets(groupId)).toEqual([]);
    expect(await pollCount(consumer, 1)).toEqual(['v']);
  });

  it('commit automatically what is not processed yet', async () => {
    const topic = await kafka.topic();
    await kafka.send(topic, values('v', 3));
    const wire = new Wire();
    const consumer = consumerOf({ groupId: uniqueName('group'), autoCommitIntervalMs: 50 }, wire);
    consumer.subscribe(topic);
    await pollCount(consumer, 3);
    const [commits, before] = [wire.requests('OffsetCommit').length, consumer.metrics().heartbeatTotal];
    await until(() => consumer.metrics().heartbeatTotal >= before + 3, 'six intervals went by without a poll');
    expect(wire.requests('OffsetCommit').length).toBe(commits);
    await pollUntil(consumer, () => wire.requests('OffsetCommit').length > commits);
  });

  it('stop silently: it says with every poll why it cannot go on', async () => {
    const topic = await kafka.topic();
    const consumer = consumerOf({ groupId: uniqueName('group'), autoOffsetReset: 'none' });
    consumer.subscribe(topic);
    for (const _ of [1, 2, 3]) {
      expect((await rejection(pollUntil(consumer, () => false))).code).toBe('NO_OFFSET_FOR_PARTITION');
    }
  });

  it('go on or get stuck after close, while a poll waits', async () => {
    const topic = await kafka.topic();
    const consumer = consumerOf({ groupId: uniqueName('group') });
    consumer.subscribe(topic);
    await pollAssigned(consumer);
    const waiting = consumer.poll(60_000).then(
      () => 'ended',
      (error: { code: string }) => error.code,
    );
    await consumer.close();
    expect(['ended', 'CLOSED', 'WAKEUP']).toContain(await waiting);
    expect((await rejection(consumer.poll(0))).code).toBe('CLOSED');
  });

  it('forget to resume a partition that was paused in the rebalance callback, before it had an offset', async () => {
    const topic = await kafka.topic();
    await kafka.send(topic, ['v']);
    const consumer = consumerOf({ groupId: uniqueName('group') });
    consumer.subscribe(topic, { onPartitionsAssigned: (partitions) => consumer.pause(partitions) });
    await pollAssigned(consumer);
    expect((await consumer.poll(200)).isEmpty).toBe(true);
    consumer.resume(consumer.assignment());
    expect(await pollCount(consumer, 1)).toEqual(['v']);
  });

  it('block the event loop in commitSync, nor lose the metadata of a commit of chosen offsets', async () => {
    const topic = await kafka.topic();
    const consumer = consumerOf({ groupId: uniqueName('group') });
    consumer.assign([{ topic, partition: 0 }]);
    let turns = 0;
    const immediate = setImmediate(() => (turns += 1));
    await consumer.commitSync([{ topic, partition: 0, offset: 2, metadata: 'why' }]);
    clearImmediate(immediate);
    expect(turns).toBe(1);
    expect((await consumer.committed([{ topic, partition: 0 }]))[0]).toMatchObject({ offset: 2, metadata: 'why' });
  });
});

describe('stale buffered records after a rebalance', () => {
  const PARTITIONS = [0, 1, 2, 3];
  const EACH = 1_000;

  async function expectOnce(options: Partial<ConsumerOptions>): Promise<void> {
    const topic = await kafka.topic(PARTITIONS.length);
    const groupId = uniqueName('group');
    for (const at of PARTITIONS) await kafka.send(topic, values('v', EACH, at * EACH), at);
    const all = { ...options, groupId, maxPollRecords: 5, autoCommitIntervalMs: 600_000 };
    const members = [consumerOf(all), consumerOf(all)] as const;
    members[0].subscribe(topic);
    // It holds far more than it has handed out when the other one comes. Until that one has partitions, its polls wait
    // their time, and so the first one cannot be done before.
    const first = await pollCount(members[0], 20);
    members[1].subscribe(topic);
    const count = (received: readonly string[][]): number => received.reduce((sum, each) => sum + each.length, 0);
    const rest = await pollAll(members, (received) => count(received) >= PARTITIONS.length * EACH - first.length);
    expect(rest[1]?.length).toBeGreaterThan(0);
    expect([...first, ...rest.flat()].sort()).toEqual(values('v', PARTITIONS.length * EACH).sort());
  }

  it.each(['range', 'cooperative-sticky'] as const)('are not processed twice: %s', (partitionAssignmentStrategy) =>
    expectOnce({ partitionAssignmentStrategy }),
  );

  it('are not processed twice: the consumer protocol, or a broker without it is refused', async () => {
    const outcome = expectOnce({ groupProtocol: 'consumer' });
    if ((await kafka.featureLevel('group.version')) > 0) await outcome;
    else await expect(outcome).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' });
  });
});

describe('bytes', () => {
  const BYTES = Buffer.from([0, 255, 128, 254, 0, 0xc3]);

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'binary keys, values and headers are not decoded to text, with compression %s',
    async (compressionType) => {
      const topic = await kafka.topic();
      const headers = [{ key: 'h', value: BYTES }];
      await producerOf({ compressionType }).send({ topic, key: BYTES, value: BYTES, headers });
      const consumer = consumerOf();
      consumer.assign([{ topic, partition: 0 }]);
      for await (const record of consumer) {
        expect([record.key, record.value, record.headers]).toEqual([BYTES, BYTES, headers]);
        break;
      }
    },
  );
});
