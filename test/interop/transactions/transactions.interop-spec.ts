/**
 * Transactions of foreign clients: kafkajs (version 1), Apache Kafka's Java client (version 2), kcat, and Kafka's own
 * kafka-transactions tool. What is committed is read once and in full, what is aborted is never read.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBroker } from '@kafka-template/broker';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { until } from '../../support/until.js';
import { kcat } from '../support/kcat.js';
import { startTarget, type Target } from '../support/target.js';
import { dumpTransactionLog, kafkaTransactions, transfer } from './java.js';

const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 30 };
const RECORDS = 1_000;

describe('transactions', () => {
  let target: Target;
  let kafka: Kafka;
  const open: { disconnect(): Promise<void> }[] = [];

  beforeAll(async () => {
    target = await startTarget();
    kafka = new Kafka({ brokers: [target.bootstrapServers], retry: RETRY, logLevel: logLevel.NOTHING });
  });
  afterEach(async () => {
    await Promise.allSettled(open.splice(0).map((client) => client.disconnect()));
  });
  afterAll(() => target?.stop());

  async function createTopics(...topics: readonly string[]): Promise<void> {
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({
      waitForLeaders: true,
      topics: topics.map((topic) => ({ topic, numPartitions: 3, replicationFactor: 1 })),
    });
    await admin.disconnect();
  }

  async function producerOf(transactionalId?: string): Promise<Producer> {
    const options = transactionalId === undefined ? {} : { transactionalId, maxInFlightRequests: 1, idempotent: true };
    const producer = kafka.producer({ retry: RETRY, ...options });
    await producer.connect();
    open.push(producer);
    return producer;
  }

  async function fill(topic: string): Promise<string[]> {
    const values = Array.from({ length: RECORDS }, (_, index) => `v${index}`);
    const producer = await producerOf();
    await producer.send({ topic, messages: values.map((value, index) => ({ key: `k${index % 20}`, value })) });
    return values;
  }

  /** Values of a topic as kcat (librdkafka) reads it up to its end, sorted. */
  async function read(topic: string, isolation = 'read_committed'): Promise<string[]> {
    const parameters = ['-C', '-q', '-e', '-o', 'beginning', '-t', topic, '-X', `isolation.level=${isolation}`];
    const output = await kcat(target.bootstrapServers, parameters);
    return output.toString().split('\n').filter(Boolean).sort();
  }

  it('kafkajs: moves records between topics exactly once, in spite of aborted transactions', async () => {
    await createTopics('js-in', 'js-out');
    const values = await fill('js-in');
    const producer = await producerOf('js-mover');
    const consumer = kafka.consumer({ groupId: 'js-group', retry: RETRY, readUncommitted: false });
    open.push(consumer);
    await consumer.connect();
    await consumer.subscribe({ topic: 'js-in', fromBeginning: true });
    let moved = 0;
    let batches = 0;
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: 1,
      eachBatch: async ({ batch, resolveOffset }) => {
        const move = async (end: 'commit' | 'abort'): Promise<void> => {
          const transaction = await producer.transaction();
          const messages = batch.messages.map(({ key, value }) => ({ key, value: String(value).toUpperCase() }));
          await transaction.send({ topic: 'js-out', messages });
          const partitions = [{ partition: batch.partition, offset: String(Number(batch.lastOffset()) + 1) }];
          await transaction.sendOffsets({ consumerGroupId: 'js-group', topics: [{ topic: 'js-in', partitions }] });
          await transaction[end]();
        };
        if (batches++ % 2 === 0) await move('abort');
        await move('commit');
        resolveOffset(batch.lastOffset());
        moved += batch.messages.length;
      },
    });
    await until(() => moved === RECORDS, 'all records are moved');
    await consumer.disconnect();
    expect(await read('js-out')).toEqual(values.map((value) => value.toUpperCase()).sort());
    expect((await read('js-out', 'read_uncommitted')).length).toBeGreaterThan(RECORDS);
    const admin = kafka.admin();
    open.push(admin);
    await admin.connect();
    const [offsets] = await admin.fetchOffsets({ groupId: 'js-group', topics: ['js-in'] });
    expect(offsets?.partitions.reduce((sum, { offset }) => sum + Number(offset), 0)).toBe(RECORDS);
  });

  it('Java: moves records between topics exactly once, with sendOffsetsToTransaction', async () => {
    await createTopics('java-in', 'java-out');
    const values = await fill('java-in');
    const parameters = ['java-in', 'java-out', 'java-group', 'java-mover', String(RECORDS)];
    expect(await transfer('move', target.bootstrapServers, ...parameters)).toEqual([
      `moved ${RECORDS}`,
      'aborted true',
    ]);
    expect(await read('java-out')).toEqual(values.map((value) => value.toUpperCase()).sort());
    expect((await read('java-out', 'read_uncommitted')).length).toBeGreaterThan(RECORDS);
    // Version 2 raises the epoch at every end: the client has seen in ApiVersions that it may use it.
    const id = ['--transactional-id', 'java-mover'];
    const [header, row] = await kafkaTransactions(target.bootstrapServers, 'describe', ...id);
    expect(Number(row?.[header?.indexOf('ProducerEpoch') ?? -1])).toBeGreaterThan(1);
  });

  it('Java: fences the producer that had the id before', async () => {
    await createTopics('java-zombies');
    const lines = await transfer('zombie', target.bootstrapServers, 'java-zombies', 'java-zombie');
    expect(lines).toEqual([expect.stringMatching(/^first (ProducerFenced|InvalidProducerEpoch)Exception$/)]);
    expect(await read('java-zombies')).toEqual(['alive']);
    expect(await read('java-zombies', 'read_uncommitted')).toEqual(['alive', 'zombie']);
  });

  it('kcat: produces in a transaction', async () => {
    await createTopics('kcat-out');
    const parameters = ['-P', '-t', 'kcat-out', '-X', 'transactional.id=kcat-producer'];
    await kcat(target.bootstrapServers, parameters, 'one\ntwo\n');
    expect(await read('kcat-out')).toEqual(['one', 'two']);
  });

  it('kafka-transactions: lists, describes and aborts a transaction that nobody ends', async () => {
    await createTopics('hanging');
    expect(await transfer('open', target.bootstrapServers, 'hanging', 'hanging-id')).toEqual(['open']);
    expect(await read('hanging')).toEqual([]);
    const listed = await kafkaTransactions(target.bootstrapServers, 'list');
    expect(listed.find(([id]) => id === 'hanging-id')?.at(-1)).toBe('Ongoing');
    const [, described] = await kafkaTransactions(
      target.bootstrapServers,
      'describe',
      '--transactional-id',
      'hanging-id',
    );
    expect(described).toEqual(expect.arrayContaining(['hanging-id', 'Ongoing', expect.stringMatching(/^hanging-\d$/)]));
    const partition = /^hanging-(\d)$/.exec(described?.find((cell) => /^hanging-\d$/.test(cell)) ?? '')?.[1] ?? '';
    const place = ['--topic', 'hanging', '--partition', partition];
    const [, producer] = await kafkaTransactions(target.bootstrapServers, 'describe-producers', ...place);
    expect(producer?.at(-1)).toBe('0');
    await kafkaTransactions(target.bootstrapServers, 'abort', ...place, '--start-offset', '0');
    await until(async () => {
      const [, row] = await kafkaTransactions(target.bootstrapServers, 'describe-producers', ...place);
      return row?.at(-1) === 'None';
    }, 'the transaction is aborted in its partition');
    expect(await read('hanging')).toEqual([]);
    expect(await read('hanging', 'read_uncommitted')).toEqual(['hanging']);
  });

  it('survives the crash of the broker in the middle of transactions', async () => {
    await createTopics('crashing');
    let producer = await producerOf('crash-id');
    const committed: string[] = [];
    const unknown: string[] = [];
    for (let index = 0; index < 20; index++) {
      const value = `c${String(index).padStart(3, '0')}`;
      try {
        const transaction = await producer.transaction();
        await transaction.send({ topic: 'crashing', messages: [{ value }] });
        if (index === 7 || index === 13) await target.crash();
        await transaction.commit();
        committed.push(value);
      } catch {
        // Nobody can tell whether a commit without an answer counts. What is sure is that the next producer ends it.
        unknown.push(value);
        await producer.disconnect();
        producer = await producerOf('crash-id');
      }
    }
    expect(committed.length).toBeGreaterThanOrEqual(18);
    await until(async () => (await read('crashing')).length >= committed.length, 'everything committed is readable');
    const values = await read('crashing');
    expect(values.filter((value) => !unknown.includes(value))).toEqual(committed);
    expect(new Set(values).size).toBe(values.length);
  });

  it('keeps them in a log that the dump tool of Apache Kafka reads', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'transaction-log-'));
    const config = { 'transaction.state.log.num.partitions': 1 };
    const broker = await createBroker({ dataDir, config });
    const client = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING });
    try {
      const producer = client.producer({ transactionalId: 'dumped', idempotent: true, maxInFlightRequests: 1 });
      await producer.connect();
      for (const end of ['commit', 'abort'] as const) {
        const transaction = await producer.transaction();
        await transaction.send({ topic: 'dumped', messages: [{ value: end }] });
        await transaction[end]();
      }
      // The third begins only after the second is complete.
      const transaction = await producer.transaction();
      await transaction.send({ topic: 'dumped', messages: [{ value: 'open' }] });
      await producer.disconnect();
    } finally {
      await broker.close();
    }
    const lines = await dumpTransactionLog([join(dataDir, '__transaction_state-0', '00000000000000000000.log')]);
    rmSync(dataDir, { recursive: true, force: true });
    expect(lines.filter((line) => line.includes('isvalid: false'))).toEqual([]);
    const states = lines.map((line) => /"transactionalId":"dumped".*"transactionStatus":(\d)/.exec(line)?.[1]);
    // Empty, Ongoing, PrepareCommit, CompleteCommit, Ongoing, PrepareAbort, CompleteAbort, Ongoing.
    expect(states.filter((state) => state !== undefined).join('')).toBe('01241351');
  });
});
