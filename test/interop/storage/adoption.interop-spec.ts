/**
 * A data directory that Apache Kafka has written, taken over by our broker: every codec, transactions, a compacted topic,
 * groups. Written by kcat and kafkajs, read by kcat; nothing in it changes by that.
 */
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { createBroker, type Broker } from '../../../libs/broker/src/index.js';
import { startKafka } from '../kafka/start.mjs';
import { kcat } from '../support/kcat.js';

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const LINES_PER_CODEC = 40;
const KEYS = 30;
const READ_TIMEOUT_MS = 20_000;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'adoption-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const kafkaOn = (bootstrapServers: string): Kafka =>
  new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING });

const valuesOf = (codec: string): string[] =>
  Array.from({ length: LINES_PER_CODEC }, (_, index) => `${codec} ${index} ${'.'.repeat(200)}`);

/** What is in the topics, by what a reader of committed records sees. */
interface Written {
  readonly values: string[];
  /** Newest value of each key; null for a tombstone. */
  readonly newest: Map<string, string | null>;
}

async function write(bootstrapServers: string): Promise<Written> {
  const kafka = kafkaOn(bootstrapServers);
  const admin = kafka.admin();
  await admin.connect();
  const compacted = Object.entries({
    'cleanup.policy': 'compact',
    'segment.bytes': '1048576',
    'min.cleanable.dirty.ratio': '0.01',
  });
  await admin.createTopics({
    topics: [
      { topic: 't', numPartitions: 1 },
      { topic: 'c', numPartitions: 1, configEntries: compacted.map(([name, value]) => ({ name, value })) },
    ],
  });
  const values: string[] = [];
  for (const codec of CODECS) {
    const how = codec === 'none' ? [] : ['-z', codec];
    await kcat(bootstrapServers, ['-P', '-t', 't', '-p', '0', ...how], valuesOf(codec).join('\n'));
    values.push(...valuesOf(codec));
  }
  const transactional = kafka.producer({ idempotent: true, transactionalId: 'tx', maxInFlightRequests: 1 });
  await transactional.connect();
  for (const [value, outcome] of [
    ['aborted', 'abort'],
    ['committed', 'commit'],
  ] as const) {
    const transaction = await transactional.transaction();
    await transaction.send({ topic: 't', messages: [{ value }] });
    await transaction[outcome]();
    if (outcome === 'commit') values.push(value);
  }
  await transactional.disconnect();
  const newest = await writeKeyed(kafka);
  await admin.setOffsets({ groupId: 'set', topic: 't', partitions: [{ partition: 0, offset: '7' }] });
  await admin.disconnect();
  return { values, newest };
}

async function writeKeyed(kafka: Kafka): Promise<Map<string, string | null>> {
  const newest = new Map<string, string | null>();
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (let round = 0; round < 40; round++) {
    const messages = Array.from({ length: 80 }, (_, index) => {
      const key = `k${(round * 7 + index) % KEYS}`;
      const value = (round + index) % 40 === 39 ? null : `v${round}.${index}`.padEnd(1000, '.');
      newest.set(key, value);
      return { key, value };
    });
    await producer.send({ topic: 'c', messages });
  }
  await producer.disconnect();
  return newest;
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const deadline = Date.now() + READ_TIMEOUT_MS; !isSo();) {
    if (Date.now() > deadline) throw new Error(`Not within ${READ_TIMEOUT_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** `offset key value` of every record that is committed, as librdkafka reads it. */
async function read(bootstrapServers: string, topic: string): Promise<string[]> {
  const how = ['-o', 'beginning', '-e', '-q', '-X', 'isolation.level=read_committed', '-Z', '-f', '%o\t%k\t%s\n'];
  const output = await kcat(bootstrapServers, ['-C', '-t', topic, '-p', '0', ...how]);
  return output.toString().split('\n').slice(0, -1);
}

/** Every log of a topic, byte by byte. */
function bytesOf(dataDir: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const directory of readdirSync(dataDir).filter((name) => /^(t|c|__cluster_metadata)-0$/.test(name))) {
    for (const name of readdirSync(join(dataDir, directory)).filter((file) => file.endsWith('.log'))) {
      files.set(`${directory}/${name}`, readFileSync(join(dataDir, directory, name)).toString('latin1'));
    }
  }
  return files;
}

async function check(broker: Broker, { values, newest }: Written): Promise<void> {
  const { bootstrapServers } = broker;
  const plain = await read(bootstrapServers, 't');
  expect(plain.map((line) => line.split('\t')[2])).toEqual(values);
  const admin = kafkaOn(bootstrapServers).admin();
  await admin.connect();
  const [c] = await admin.fetchTopicOffsets('c');
  const groups = await admin.fetchOffsets({ groupId: 'set', topics: ['t'] });
  expect(groups[0]?.partitions).toMatchObject([{ partition: 0, offset: '7' }]);
  expect((await admin.listGroups()).groups.map(({ groupId }) => groupId)).toContain('set');
  await admin.disconnect();
  // Kafka has compacted: fewer than were written, and in the end what was newest.
  const found = new Map<string, string | null>();
  const lines = await read(bootstrapServers, 'c');
  expect(lines.length).toBeLessThan(Number(c?.offset));
  for (const line of lines) {
    const [, key = '', value = ''] = line.split('\t');
    found.set(key, value === 'NULL' ? null : value);
  }
  expect(found).toEqual(newest);
}

it.each([
  ['4.3', 'stop'],
  ['3.9', 'stop'],
  ['3.9', 'kill'],
] as const)('serves what Apache Kafka %s has left (%s), and changes nothing', async (line, end) => {
  const dataDir = join(root, 'kafka');
  const node = await startKafka({ dataDir, line, config: { 'log.cleaner.backoff.ms': '100' } });
  let written: Written;
  try {
    written = await write(node.bootstrapServers);
    await until('Kafka compacts', () =>
      /^c 0 [1-9]/m.test(readFileSync(join(dataDir, 'log', 'cleaner-offset-checkpoint'), 'utf8')),
    );
  } finally {
    if (end === 'kill') await node.kill();
    else await node.stop({ keepData: true });
  }
  const copy = join(root, 'copy');
  cpSync(join(dataDir, 'log'), copy, { recursive: true });
  const before = bytesOf(copy);
  const brokerId = Number(/^node\.id=(\d+)$/m.exec(readFileSync(join(copy, 'meta.properties'), 'utf8'))?.[1]);
  const broker = await createBroker({ dataDir: copy, brokerId, adopt: true });
  try {
    await check(broker, written);
  } finally {
    await broker.close();
  }
  const after = bytesOf(copy);
  expect([...after.keys()].filter((name) => after.get(name) !== before.get(name))).toEqual([]);
  expect(after.size).toBe(before.size);
});
