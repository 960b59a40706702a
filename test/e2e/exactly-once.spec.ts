/**
 * Exactly once: a worker consumes, transforms and produces in transactions while the broker and the worker are killed in
 * turns with `kill -9`. In the end a reader of committed records finds each record of the input once, in order.
 *
 * Not an e2e-spec: it needs a broker process of its own to kill. KAFKA_TEMPLATE_KILLS says how often to kill; default 6.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdmin, createConsumer, createProducer, silentLogger } from '@kafka-template/client';
import { type Run, endRuns, kt } from '../../src/testing/kt.js';
import { until } from '../support/until.js';

const ROOT = join(import.meta.dirname, '../..');
const KILLS = Number(process.env.KAFKA_TEMPLATE_KILLS ?? 6);
const PARTITIONS = 3;
const RECORDS_PER_KILL = 150;
const RECORDS = RECORDS_PER_KILL * (KILLS + 1);
const FROM = 'orders';
const TO = 'bills';
const GROUP = 'movers';
const DEADLINE_MS = 60_000 + 30_000 * KILLS;

let dataDir: string;
let worker: { child: ChildProcess; starts: number; isWanted: boolean; errors: string } | null = null;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'kafka-template-once-'));
});

afterEach(async () => {
  if (worker) worker.isWanted = false;
  worker?.child.kill('SIGKILL');
  await endRuns();
  rmSync(dataDir, { recursive: true, force: true });
});

async function startBroker(port: string): Promise<{ run: Run; port: string }> {
  const quick = ['--override', 'group.min.session.timeout.ms=500'];
  const run = kt(['broker', '--port', port, '--data-dir', dataDir, ...quick]);
  let ended = false;
  void run.ended.then(() => (ended = true));
  await until(() => ended || / ready on /.test(run.output.stdout), 'the broker is ready');
  if (ended) throw new Error(`the broker did not start: ${run.output.stderr}`);
  return { run, port: /:(\d+)\n/.exec(run.output.stdout)?.[1] ?? '' };
}

/** A worker, and the next one whenever it ends, until it is not wanted any more. */
function superviseWorker(bootstrapServers: string): void {
  const program = ['--import', './test/support/typescript.mjs', 'test/support/moving-worker.ts'];
  const parameters = [...program, bootstrapServers, FROM, TO, GROUP, 'mover'];
  const start = (): ChildProcess => {
    const child = spawn(process.execPath, parameters, { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (worker) worker.errors = (worker.errors + text).slice(-4096);
    });
    child.once('exit', () => {
      if (!worker?.isWanted) return;
      worker.starts += 1;
      worker.child = start();
    });
    return child;
  };
  worker = { child: start(), starts: 1, isWanted: true, errors: '' };
}

/** Values by partition. */
async function read(
  bootstrapServers: string,
  topic: string,
  isolationLevel: 'read_committed' | 'read_uncommitted',
): Promise<string[][]> {
  const consumer = createConsumer({ bootstrapServers, isolationLevel, logger: silentLogger });
  const places = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));
  const ends = await consumer.endOffsets(places);
  consumer.assign(places);
  consumer.seekToBeginning();
  const values: string[][] = places.map(() => []);
  await until(async () => {
    for (const record of await consumer.poll(100)) values[record.partition]?.push(String(record.value));
    const positions = await Promise.all(places.map((place) => consumer.position(place)));
    return positions.every((position, index) => position >= (ends[index]?.offset ?? Infinity));
  }, `${topic} is read to its end`);
  await consumer.close();
  return values;
}

it(
  'moves each record once, whoever is killed',
  async () => {
    let broker = await startBroker('0');
    const bootstrapServers = `127.0.0.1:${broker.port}`;
    const admin = createAdmin({ bootstrapServers, logger: silentLogger });
    await admin.createTopics([FROM, TO].map((name) => ({ name, numPartitions: PARTITIONS, replicationFactor: 1 })));
    const producer = createProducer({ bootstrapServers, logger: silentLogger });
    for (let index = 0; index < RECORDS; index++) {
      const partition = index % PARTITIONS;
      producer.append({ topic: FROM, partition, key: `k${partition}`, value: String(index).padStart(6, '0') });
    }
    await producer.close();
    superviseWorker(bootstrapServers);

    const moved = async (): Promise<number> => {
      const offsets = await admin.listConsumerGroupOffsets(GROUP).catch(() => []);
      return offsets.reduce((sum, { offset }) => sum + (offset ?? 0), 0);
    };
    const progress = (goal: number) =>
      until(async () => (await moved()) >= goal, `${goal} records are moved`, DEADLINE_MS).catch((error: Error) => {
        throw new Error(`${error.message} Last words of the workers: ${worker?.errors}`, { cause: error });
      });
    for (let kill = 1; kill <= KILLS; kill++) {
      await progress(kill * RECORDS_PER_KILL);
      if (kill % 2 === 0) worker?.child.kill('SIGKILL');
      else {
        broker.run.child.kill('SIGKILL');
        await broker.run.ended;
        broker = await startBroker(broker.port);
      }
    }
    await progress(RECORDS);
    await admin.close();

    const committed = (await read(bootstrapServers, TO, 'read_committed')).flat();
    expect(committed.length).toBe(RECORDS);
    // Every partition of the input has one key of its own, which the output keeps in order.
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const numbers = Array.from({ length: RECORDS / PARTITIONS }, (_, row) => row * PARTITIONS + partition);
      const ofPartition = committed.filter((value) => Number(value.slice('moved '.length)) % PARTITIONS === partition);
      expect(ofPartition).toEqual(numbers.map((number) => `moved ${String(number).padStart(6, '0')}`));
    }
    expect(worker?.starts).toBeGreaterThan(KILLS / 2);
    const everything = (await read(bootstrapServers, TO, 'read_uncommitted')).flat();
    expect(everything.length).toBeGreaterThanOrEqual(committed.length);
  },
  DEADLINE_MS,
);
