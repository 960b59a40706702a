/**
 * Transactions on a real broker: what is committed is read once and as a whole, what is aborted is never read by those
 * who read committed records only, and of two producers with the same transactional id only the later one goes on.
 *
 * Runs on the embedded broker and on Apache Kafka alike.
 */
import {
  type Consumer,
  type IsolationLevel,
  type KafkaError,
  type Producer,
  type ProducerOptions,
  createProducer,
  silentLogger,
} from '@kafka-template/client';
import { uniqueName } from '../support/broker.js';
import { Consuming, pollCount, rejection, valueOf, values } from '../support/consuming.js';
import { until } from '../support/until.js';

let kafka: Consuming;
const producers: Producer[] = [];

beforeAll(async () => {
  kafka = await Consuming.start();
});

afterAll(async () => {
  await Promise.all(producers.map((producer) => producer.close(5_000)));
  await kafka.close();
});

/** A transactional producer, ready. */
async function transactional(options: Partial<ProducerOptions> = {}): Promise<Producer> {
  const { bootstrapServers } = kafka.broker;
  const transactionalId = uniqueName('transactions');
  const producer = createProducer({ bootstrapServers, logger: silentLogger, transactionalId, ...options });
  producers.push(producer);
  await producer.initTransactions();
  return producer;
}

function append(producer: Producer, topic: string, all: readonly string[]): Promise<unknown> {
  return Promise.all(all.map((value) => producer.send({ topic, key: value, value })));
}

/** Everything in a topic up to its end, as somebody of that isolation level sees it, sorted. */
async function read(topic: string, isolationLevel: IsolationLevel = 'read_committed'): Promise<string[]> {
  const consumer = kafka.consumer({ isolationLevel });
  const partitions = (await consumer.partitionsFor(topic)).map(({ partition }) => ({ topic, partition }));
  const ends = await consumer.endOffsets(partitions);
  consumer.assign(partitions);
  consumer.seekToBeginning(partitions);
  const found: string[] = [];
  await until(async () => {
    for (const record of await consumer.poll(100)) found.push(valueOf(record));
    const positions = await Promise.all(partitions.map((each) => consumer.position(each)));
    return ends.every(({ offset }, index) => (positions[index] ?? 0) >= offset);
  }, `${topic} was read to its end`);
  await consumer.close();
  return found.sort();
}

/** What was committed, once nothing is open: a commit is answered before its markers are written. */
async function readSettled(topic: string): Promise<string[]> {
  const consumers = [kafka.consumer({ isolationLevel: 'read_committed' }), kafka.consumer()] as const;
  const partitions = (await consumers[0].partitionsFor(topic)).map(({ partition }) => ({ topic, partition }));
  await until(async () => {
    const [stable, all] = await Promise.all(consumers.map((each) => each.endOffsets(partitions)));
    return JSON.stringify(stable) === JSON.stringify(all);
  }, `nothing is open in ${topic}`);
  await Promise.all(consumers.map((each) => each.close()));
  return read(topic);
}

describe('a transaction', () => {
  it('is read as a whole after its commit, and not before by those who read committed records', async () => {
    const topics = [await kafka.topic(3), await kafka.topic(1)] as const;
    const producer = await transactional();
    producer.beginTransaction();
    for (const topic of topics) await append(producer, topic, values('a', 30));
    for (const topic of topics) {
      expect(await read(topic)).toEqual([]);
      expect(await read(topic, 'read_uncommitted')).toEqual(values('a', 30).sort());
    }
    await producer.commitTransaction();
    for (const topic of topics) expect(await readSettled(topic)).toEqual(values('a', 30).sort());
  });

  it('is not read after its abort; many in turn keep the order of what was committed', async () => {
    const topic = await kafka.topic(1);
    const producer = await transactional();
    const committed: string[] = [];
    for (let round = 0; round < 12; round++) {
      producer.beginTransaction();
      const sent = append(producer, topic, values(`r${round}-`, 5));
      if (round % 3 === 1) {
        await sent;
        await producer.abortTransaction();
      } else {
        await producer.commitTransaction();
        await sent;
        committed.push(...values(`r${round}-`, 5));
      }
    }
    const consumer = kafka.consumer({ isolationLevel: 'read_committed' });
    consumer.assign([{ topic, partition: 0 }]);
    consumer.seekToBeginning();
    expect(await pollCount(consumer, committed.length)).toEqual(committed);
    expect(await read(topic, 'read_uncommitted')).toHaveLength(60);
  });

  it('without records can be committed and aborted, and what was not sent is dropped by an abort', async () => {
    const topic = await kafka.topic(1);
    const producer = await transactional({ lingerMs: 20_000, deliveryTimeoutMs: 60_000 });
    producer.beginTransaction();
    await producer.commitTransaction();
    producer.beginTransaction();
    await producer.abortTransaction();
    producer.beginTransaction();
    const dropped = rejection(producer.send({ topic, value: 'dropped' }));
    await producer.abortTransaction();
    expect(await dropped).toMatchObject({ code: 'TRANSACTION_ABORTED' });
    producer.beginTransaction();
    const kept = producer.send({ topic, value: 'kept' });
    await producer.commitTransaction();
    await kept;
    expect(await read(topic, 'read_uncommitted')).toEqual(['kept']);
  });

  it('with a record that failed can only be aborted; the next one is a good one', async () => {
    const topic = uniqueName('topic');
    const configs = { 'max.message.bytes': '2000' };
    await kafka.admin.createTopics([{ name: topic, numPartitions: 1, replicationFactor: 1, configs }]);
    const producer = await transactional();
    producer.beginTransaction();
    await producer.send({ topic, value: 'before' });
    const failed = rejection(producer.send({ topic, value: 'x'.repeat(5_000) }));
    const commit = await rejection(producer.commitTransaction());
    expect(await failed).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    expect(commit).toMatchObject({ code: 'MESSAGE_TOO_LARGE', abortable: true, fatal: false });
    expect(commit.message).toContain('abortTransaction()');
    await producer.abortTransaction();
    producer.beginTransaction();
    await producer.send({ topic, value: 'after' });
    await producer.commitTransaction();
    expect(await readSettled(topic)).toEqual(['after']);
  });

  it('is aborted by close', async () => {
    const topic = await kafka.topic(1);
    const producer = await transactional();
    producer.beginTransaction();
    await producer.send({ topic, value: 'open' });
    await producer.close();
    // Were it still open, the last stable offset would stay in front of it.
    await kafka.send(topic, ['behind']);
    expect(await readSettled(topic)).toEqual(['behind']);
  });
});

describe('two producers with the same transactional id', () => {
  it('the later one aborts what the earlier one left open and fences it off for good', async () => {
    const topic = await kafka.topic(1);
    const transactionalId = uniqueName('fenced');
    const first = await transactional({ transactionalId });
    first.beginTransaction();
    await first.send({ topic, value: 'of the first' });
    const second = await transactional({ transactionalId });
    expect(await rejection(first.commitTransaction())).toMatchObject({ code: 'PRODUCER_FENCED', fatal: true });
    expect(await rejection(first.abortTransaction())).toMatchObject({ code: 'PRODUCER_FENCED' });
    expect(() => first.beginTransaction()).toThrow(expect.objectContaining({ code: 'PRODUCER_FENCED' }) as Error);
    expect(await rejection(first.send({ topic, value: 'late' }))).toMatchObject({ code: 'PRODUCER_FENCED' });
    second.beginTransaction();
    await second.send({ topic, value: 'of the second' });
    await second.commitTransaction();
    expect(await readSettled(topic)).toEqual(['of the second']);
  });

  it('the earlier one also finds out by sending', async () => {
    const topic = await kafka.topic(1);
    const transactionalId = uniqueName('fenced');
    const first = await transactional({ transactionalId });
    first.beginTransaction();
    await first.send({ topic, value: 'a' });
    const second = await transactional({ transactionalId });
    second.beginTransaction();
    await second.send({ topic, value: 'b' });
    await rejection(first.send({ topic, value: 'c' }));
    expect(await rejection(first.commitTransaction())).toMatchObject({ code: 'PRODUCER_FENCED', fatal: true });
    await second.commitTransaction();
    expect(await readSettled(topic)).toEqual(['b']);
  });
});

it('a transaction that outlives its timeout is aborted by the broker, and its producer fenced off', async () => {
  const topic = await kafka.topic(1);
  const producer = await transactional({ transactionTimeoutMs: 1_000 });
  producer.beginTransaction();
  await producer.send({ topic, value: 'forgotten' });
  await kafka.send(topic, ['behind']);
  const consumer = kafka.consumer({ isolationLevel: 'read_committed' });
  await until(async () => {
    const [end] = await consumer.endOffsets([{ topic, partition: 0 }]);
    return (end?.offset ?? 0) >= 3;
  }, 'the broker has aborted the transaction');
  expect(await readSettled(topic)).toEqual(['behind']);
  // Version 2 brokers say that there is no transaction to commit, version 1 brokers that the epoch is over.
  const late = await rejection(producer.commitTransaction());
  expect(['PRODUCER_FENCED', 'INVALID_TXN_STATE']).toContain(late.code);
  expect(late.fatal).toBe(true);
  expect(() => producer.beginTransaction()).toThrow(late);
});

describe('offsets in transactions', () => {
  const EARLIEST = { autoOffsetReset: 'earliest', enableAutoCommit: false, isolationLevel: 'read_committed' } as const;

  async function committedOffset(consumer: Consumer, topic: string): Promise<number | null> {
    const [committed] = await consumer.committed([{ topic, partition: 0 }]);
    return committed?.offset ?? null;
  }

  it('are committed and dropped with the transaction, with their metadata', async () => {
    const topic = await kafka.topic(1);
    const groupId = uniqueName('group');
    await kafka.send(topic, values('v', 10));
    const consumer = kafka.consumer({ groupId, ...EARLIEST });
    consumer.subscribe(topic);
    await pollCount(consumer, 10);
    const producer = await transactional();
    producer.beginTransaction();
    await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 3 }], consumer.groupMetadata());
    await producer.abortTransaction();
    expect(await committedOffset(consumer, topic)).toBeNull();
    producer.beginTransaction();
    void producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 4 }], consumer.groupMetadata());
    void producer.sendOffsetsToTransaction(
      [{ topic, partition: 0, offset: 5, metadata: 'half' }],
      consumer.groupMetadata(),
    );
    await producer.commitTransaction();
    const [committed] = await consumer.committed([{ topic, partition: 0 }]);
    expect(committed).toMatchObject({ offset: 5, metadata: 'half' });
  });

  it('of a member that is none any more are refused, and the transaction can only be aborted', async () => {
    const [topic, output] = [await kafka.topic(1), await kafka.topic(1)];
    const groupId = uniqueName('group');
    await kafka.send(topic, values('v', 3));
    const consumer = kafka.consumer({ groupId, ...EARLIEST });
    consumer.subscribe(topic);
    await pollCount(consumer, 3);
    const metadata = consumer.groupMetadata();
    await consumer.unsubscribe();
    const producer = await transactional();
    producer.beginTransaction();
    await producer.send({ topic: output, value: 'zombie' });
    const offsets = [{ topic, partition: 0, offset: 3 }];
    const refused = await rejection(producer.sendOffsetsToTransaction(offsets, metadata));
    expect(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION']).toContain(refused.code);
    expect(refused.abortable).toBe(true);
    expect(await rejection(producer.commitTransaction())).toMatchObject({ code: refused.code, abortable: true });
    await producer.abortTransaction();
    expect(await readSettled(output)).toEqual([]);
    expect(await committedOffset(consumer, topic)).toBeNull();
  });

  it('carry records from topic to topic exactly once, though workers stop in the middle and are replaced', async () => {
    const [input, output] = [await kafka.topic(3), await kafka.topic(3)];
    const total = 3_000;
    await kafka.sendRecords(
      values('v', total).map((value, index) => ({ topic: input, partition: index % 3, key: value, value })),
    );
    const groupId = uniqueName('group');
    const transactionalId = uniqueName('worker');
    let done = 0;
    for (let worker = 0; done < total; worker++) done += await work(worker);
    const found = await readSettled(output);
    expect(found).toHaveLength(total);
    expect(new Set(found).size).toBe(total);
    expect(await read(output, 'read_uncommitted')).not.toHaveLength(total);

    /** Carries some thousand records over; all but the last worker are gone in the middle of a transaction. */
    async function work(worker: number): Promise<number> {
      const producer = await transactional({ transactionalId });
      const consumer = kafka.consumer({ groupId, ...EARLIEST, maxPollRecords: 100 });
      consumer.subscribe(input);
      let carried = 0;
      for (let round = 0; done + carried < total;) {
        const records = await consumer.poll(100);
        if (records.isEmpty) continue;
        producer.beginTransaction();
        for (const record of records) producer.append({ topic: output, key: record.key, value: record.value });
        if (round++ === 7 && worker < 3) {
          // As if it were killed: records are in the log, nothing is ended, and the next worker takes over.
          await producer.flush();
          await consumer.close();
          return carried;
        }
        const offsets = records.partitions().map((partition) => {
          const last = records.records(partition).at(-1);
          return { ...partition, offset: (last?.offset ?? -1) + 1 };
        });
        await producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
        await producer.commitTransaction();
        carried += records.count;
      }
      await consumer.close();
      return carried;
    }
  });
});

it('calls in the wrong state are refused by name and change nothing', async () => {
  const topic = await kafka.topic(1);
  const producer = await transactional();
  const outside: KafkaError = await rejection(producer.send({ topic, value: 'outside' }));
  expect(outside).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(outside.message).toContain('READY');
  expect((await rejection(producer.commitTransaction())).message).toContain('READY');
  expect((await rejection(producer.initTransactions())).message).toContain('READY');
  producer.beginTransaction();
  expect(() => producer.beginTransaction()).toThrow('IN_TRANSACTION');
  await producer.send({ topic, value: 'inside' });
  await producer.commitTransaction();
  expect(await readSettled(topic)).toEqual(['inside']);
  expect((await rejection(kafka.producer.commitTransaction())).message).toContain('transactionalId');
});
