/**
 * `kill -9` of the broker process while a producer sends with acks=all, again and again: after the restart the same
 * producer goes on, and every acknowledged record is in the log exactly once, in order.
 *
 * Not an e2e-spec: it needs a broker process of its own to kill, and so does not run on somebody else's Kafka.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdmin, createConsumer, createProducer, silentLogger } from '@kafka-template/client';
import { type Run, endRuns, kt } from '../../src/testing/kt.js';
import { until } from '../support/until.js';

const PARTITIONS = 3;
const KILLS = 4;
const RECORDS_BETWEEN_KILLS = 2_000;
/** Records that may be open at any time: enough for several requests in flight. */
const OPEN_MAX = 500;
const TOPIC = 'payments';

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'kafka-template-kill-'));
});

afterEach(async () => {
  await endRuns();
  rmSync(dataDir, { recursive: true, force: true });
});

async function startBroker(port: string): Promise<{ run: Run; port: string }> {
  const run = kt(['broker', '--port', port, '--data-dir', dataDir]);
  let ended = false;
  void run.ended.then(() => (ended = true));
  await until(() => ended || / ready on /.test(run.output.stdout), 'the broker is ready');
  if (ended) throw new Error(`the broker did not start: ${run.output.stderr}`);
  return { run, port: /:(\d+)\n/.exec(run.output.stdout)?.[1] ?? '' };
}

/** What every partition holds, in order. */
async function readAll(bootstrapServers: string): Promise<string[][]> {
  const consumer = createConsumer({ bootstrapServers, logger: silentLogger });
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition }));
  const ends = await consumer.endOffsets(partitions);
  consumer.assign(partitions);
  consumer.seekToBeginning();
  const read: string[][] = partitions.map(() => []);
  const total = ends.reduce((sum, { offset }) => sum + offset, 0);
  await until(async () => {
    for (const record of await consumer.poll(200)) read[record.partition]?.push(String(record.value));
    return read.flat().length >= total;
  }, `${total} records are read`);
  await consumer.close();
  return read;
}

it('nothing acknowledged is lost, doubled or out of order', async () => {
  let broker = await startBroker('0');
  const bootstrapServers = `127.0.0.1:${broker.port}`;
  const admin = createAdmin({ bootstrapServers, logger: silentLogger });
  await admin.createTopics([{ name: TOPIC, numPartitions: PARTITIONS, replicationFactor: 1 }]);
  await admin.close();
  const producer = createProducer({ bootstrapServers, acks: 'all', logger: silentLogger });

  const acknowledged: string[][] = Array.from({ length: PARTITIONS }, () => []);
  const failures: Error[] = [];
  let sent = 0;
  let settled = 0;
  let killed = false;
  for (let kills = 0; kills <= KILLS; kills++) {
    const goal = settled + RECORDS_BETWEEN_KILLS;
    await until(() => {
      while (sent - settled < OPEN_MAX) {
        const value = String(sent++);
        const partition = sent % PARTITIONS;
        producer.append({ topic: TOPIC, partition, value }, (error) => {
          settled++;
          if (error === null) acknowledged[partition]?.push(value);
          else failures.push(error);
        });
      }
      return settled >= goal;
    }, `${goal} records are acknowledged`);
    if (kills === KILLS) break;
    killed = broker.run.child.kill('SIGKILL');
    await broker.run.ended;
    broker = await startBroker(broker.port);
  }
  await producer.close();

  expect(killed).toBe(true);
  expect(failures).toEqual([]);
  expect(settled).toBe(sent);
  expect(await readAll(bootstrapServers)).toEqual(acknowledged);
}, 120_000);
