/**
 * `kill -9` under foreign idempotent writers, again and again: what was acknowledged is there, once, in order, densely.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createAdmin } from '@kafka-template/client';
import { startBrokerProcess, type BrokerProcess } from '../support/broker-process.js';
import { kcat } from '../support/kcat.js';
import { startJavaWriter, startKcatWriter, type Writer } from './writers.js';

/** DURABILITY_KILLS=50 for the long run. */
const KILLS = Number(process.env['DURABILITY_KILLS'] ?? 20);
/** Acknowledged to the Java writer before the next kill. */
const ACKNOWLEDGED_PER_LIFE = 50;
const LIFE_DEADLINE_MS = 60_000;
const TEST_DEADLINE_MS = 900_000;
const LOOK_AGAIN_MS = 5;
const PRODUCER_PROPERTIES = {
  'enable.idempotence': 'true',
  acks: 'all',
  retries: '2147483647',
  // What waits behind many short lives of the broker waits long: nothing may expire before the test does.
  'delivery.timeout.ms': String(TEST_DEADLINE_MS),
  'max.block.ms': String(TEST_DEADLINE_MS),
  'reconnect.backoff.max.ms': '100',
};

let root: string;
const writers: Writer[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kills-'));
});
afterEach(() => {
  for (const writer of writers.splice(0)) writer.kill();
  rmSync(root, { recursive: true, force: true });
});

async function until(what: string, isSo: () => boolean, log: () => string): Promise<void> {
  for (const deadline = Date.now() + LIFE_DEADLINE_MS; !isSo(); await wait(LOOK_AGAIN_MS)) {
    if (Date.now() > deadline) throw new Error(`Waited ${LIFE_DEADLINE_MS} ms in vain for ${what}.\n${log()}`);
  }
}

async function createTopics(bootstrapServers: string, ...names: string[]): Promise<void> {
  const admin = createAdmin({ bootstrapServers });
  try {
    const results = await admin.createTopics(names.map((name) => ({ name, numPartitions: 1, replicationFactor: 1 })));
    for (const { error } of results) if (error !== null) throw error;
  } finally {
    await admin.close();
  }
}

/** `offset value` of every record, as librdkafka reads it. */
async function read(bootstrapServers: string, topic: string): Promise<string[]> {
  const output = await kcat(bootstrapServers, ['-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%o %s\n']);
  return output.toString().split('\n').slice(0, -1);
}

/** The first place at which what was read is not `n n`, or null. Comparing the lists would print all of both. */
function firstFault(records: readonly string[]): string | null {
  const at = records.findIndex((record, index) => record !== `${index} ${index}`);
  return at < 0 ? null : `record ${at}: ${records.slice(Math.max(0, at - 2), at + 3).join(', ')}`;
}

it(
  `loses nothing, doubles nothing, and keeps the order over ${KILLS} kills`,
  async () => {
    const dataDir = join(root, 'data');
    const properties = join(root, 'producer.properties');
    const text = Object.entries(PRODUCER_PROPERTIES).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(properties, text.join(''));
    const log = (topic: string): number => statSync(join(dataDir, `${topic}-0`, `${'0'.repeat(20)}.log`)).size;

    let broker: BrokerProcess = await startBrokerProcess({ dataDir });
    const { port, bootstrapServers } = broker;
    await createTopics(bootstrapServers, 'java', 'kcat');
    const java = startJavaWriter(bootstrapServers, 'java', properties);
    writers.push(java);
    const numbered = startKcatWriter(bootstrapServers, 'kcat', TEST_DEADLINE_MS);
    writers.push(numbered);

    for (let kill = 0; kill < KILLS; kill++) {
      const enough = java.acknowledged.length + ACKNOWLEDGED_PER_LIFE;
      const before = log('kcat');
      await until(
        `both writers in life ${kill}`,
        () => java.acknowledged.length >= enough && log('kcat') > before,
        broker.log,
      );
      await broker.kill();
      broker = await startBrokerProcess({ dataDir, port });
    }

    const sentByKcat = await numbered.finish();
    const sentByJava = await java.finish();
    expect(java.failures).toEqual([]);
    const misplaced = java.acknowledged.find(({ value, offset }, index) => offset !== index || value !== String(index));
    expect(misplaced).toBeUndefined();
    for (const [topic, sent] of [
      ['java', sentByJava],
      ['kcat', sentByKcat],
    ] as const) {
      const records = await read(bootstrapServers, topic);
      expect(firstFault(records)).toBeNull();
      expect(records).toHaveLength(sent);
    }
    expect(sentByJava).toBeGreaterThanOrEqual(KILLS * ACKNOWLEDGED_PER_LIFE);
    expect(sentByKcat).toBeGreaterThan(KILLS);
    await broker.stop();
  },
  TEST_DEADLINE_MS,
);
