/**
 * `node test/soak/client.soak.mjs [--minutes 60] [--seed 1] [--rate 400]`: the client for hours on a broker that is killed.
 *
 * An idempotent producer, two groups (cooperative-sticky, and the protocol of KIP-848) with members that come and go, and
 * an admin, on the bundled broker as a process that is ended by SIGKILL or SIGTERM every 20 to 60 seconds. It fails when
 * anything acknowledged is lost, stored twice or out of order, when memory grows, or when timers or sockets are left.
 * Needs `npm run build`. Prints one line a minute, and at the end one line of JSON.
 */
import { createAdmin, createConsumer, createProducer, KafkaError, seededRandom } from '@kafka-template/client';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startBrokerProcess } from './broker-process.mjs';
import { Ledger, Reading } from './ledger.mjs';

const TOPIC = 'soak';
const PARTITIONS = 4;
const TICK_MS = 20;
const SAMPLE_MS = 60_000;
/** Records on their way, at most; a broker that is away stops the writing, not the process. */
const OPEN_MAX = 5_000;
/** Restarts are this far apart, and a dead broker comes back after up to DOWN_MAX_MS. */
const RESTART_MIN_MS = 20_000;
const RESTART_MAX_MS = 60_000;
const DOWN_MAX_MS = 4_000;
const DRAIN_MS = 60_000;
/** The first samples are taken while caches and code are still being made. */
const WARM_UP_SAMPLES = 3;
/** Memory is flat when its mean in the last quarter is at most this much above that in the first one. */
const GROWTH_MAX_MB = 12;

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string', default: '400' },
  },
});
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const random = seededRandom(Number(flags.seed));
const between = (low, high) => low + Math.floor(random.next() * (high - low));
const ledger = new Ledger(PARTITIONS);
const readings = [new Reading('classic', ledger), new Reading('consumer', ledger)];
const samples = [];
const counts = { restarts: 0, members: 0, refusedCommits: 0, adminCalls: 0, adminFailures: 0 };
let running = true;
let bootstrapServers;

process.on('unhandledRejection', (error) => ledger.fault(`unhandled rejection: ${error?.stack ?? error}`));
process.on('uncaughtException', (error) => ledger.fault(`uncaught exception: ${error.stack}`));
process.exitCode = await main();

async function main() {
  const dataDir = mkdtempSync(join(tmpdir(), 'kafka-template-soak-'));
  let broker = await startBrokerProcess({ port: 0, dataDir });
  bootstrapServers = `127.0.0.1:${broker.port}`;
  await settle();
  const before = resources();

  const options = { bootstrapServers, clientId: 'soak' };
  const admin = createAdmin(options);
  const [created] = await admin.createTopics([{ name: TOPIC, numPartitions: PARTITIONS, replicationFactor: 1 }]);
  if (created.error !== null) throw created.error;
  const producer = createProducer({ ...options, compressionType: 'lz4' });
  const writing = setInterval(() => write(producer), TICK_MS);
  const sampling = setInterval(() => sample(), SAMPLE_MS);
  const reading = readings.map((each) => Promise.all([consume(each), consume(each), consumeByTurns(each)]));
  const looking = look(admin);

  const end = Date.now() + Number(flags.minutes) * 60_000;
  while (Date.now() < end) {
    await wait(Math.min(between(RESTART_MIN_MS, RESTART_MAX_MS), Math.max(0, end - Date.now())));
    await broker.kill(random.next() < 0.75 ? 'SIGKILL' : 'SIGTERM');
    await wait(between(0, DOWN_MAX_MS));
    broker = await startBrokerProcess({ port: broker.port, dataDir });
    counts.restarts++;
  }

  clearInterval(writing);
  await producer.flush();
  const drained = Date.now() + DRAIN_MS;
  while (!readings.every((each) => each.complete) && Date.now() < drained) await wait(100);
  sample();
  clearInterval(sampling);
  running = false;
  await Promise.all([...reading, looking]);
  await producer.close();
  await admin.close();
  await settle();
  const after = resources();
  const code = report(before, after);
  await broker.kill('SIGTERM');
  rmSync(dataDir, { recursive: true, force: true });
  return code;
}

/** A tick's share of the records, spread over the partitions. */
function write(producer) {
  for (let count = (Number(flags.rate) * TICK_MS) / 1_000; count > 0 && ledger.open < OPEN_MAX; count--) {
    const partition = between(0, PARTITIONS);
    const number = ledger.next(partition);
    const value = `${number} ${'x'.repeat(between(1, 200))}`;
    producer.append({ topic: TOPIC, partition, key: `k${number % 100}`, value }, (error, metadata) =>
      ledger.onOutcome(partition, number, error, metadata),
    );
  }
}

/** A member that stays. Returns when `until` says so, or at the end. */
async function consume(reading, until = () => false) {
  const groupId = `soak-${reading.name}`;
  const protocol =
    reading.name === 'consumer'
      ? { groupProtocol: 'consumer' }
      : { partitionAssignmentStrategy: 'cooperative-sticky', heartbeatIntervalMs: 1_000, sessionTimeoutMs: 15_000 };
  const consumer = createConsumer({
    ...{ bootstrapServers, clientId: 'soak', groupId, autoOffsetReset: 'earliest', enableAutoCommit: false },
    ...protocol,
  });
  consumer.subscribe(TOPIC);
  try {
    while (running && !until()) {
      const records = await consumer.poll(500);
      for (const record of records) reading.onRecord(record);
      if (!records.isEmpty) await commit(consumer);
    }
  } catch (error) {
    ledger.fault(`${reading.name}: poll failed: ${error.message}`);
  } finally {
    await consumer.close(10_000);
  }
}

/** What may fail in a rebalance or an outage is delivered again; the rest is a fault. */
async function commit(consumer) {
  try {
    await consumer.commitSync();
  } catch (error) {
    if (!(error instanceof KafkaError) || !(error.retriable || error.code === 'COMMIT_FAILED')) throw error;
    counts.refusedCommits++;
  }
}

/** Members that join for a while and leave, one after the other. */
async function consumeByTurns(reading) {
  while (running) {
    const leaveAt = Date.now() + between(5_000, 40_000);
    counts.members++;
    await consume(reading, () => Date.now() > leaveAt);
  }
}

/** An admin that stays, and one that is new each time. */
async function look(admin) {
  while (running) {
    const fresh = createAdmin({ bootstrapServers, clientId: 'soak', requestTimeoutMs: 5_000 });
    for (const each of [admin, fresh]) {
      counts.adminCalls++;
      try {
        await each.describeTopics([TOPIC]);
        await each.listOffsets([{ topic: TOPIC, partition: 0, timestamp: -1 }]);
        await each.describeGroups(readings.map(({ name }) => `soak-${name}`));
      } catch (error) {
        if (!(error instanceof KafkaError)) ledger.fault(`admin: ${error.stack}`);
        counts.adminFailures++;
      }
    }
    await fresh.close();
    await wait(1_000);
  }
}

function sample() {
  collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const mb = (bytes) => Math.round(bytes / 104_857.6) / 10;
  const one = { ...resources(), rssMb: mb(rss), heapMb: mb(heapUsed), externalMb: mb(external) };
  samples.push(one);
  const read = readings.map(({ total, again }) => `${total} (${again} again)`).join(', ');
  console.log(
    `${samples.length} min: ${counts.restarts} restarts, ${ledger.acknowledged.join('+')} acknowledged, read ${read}, ` +
      `RSS ${one.rssMb} MB, heap ${one.heapMb} MB, ${one.timers} timers, ${one.sockets} sockets, ` +
      `${ledger.faults.length} faults`,
  );
}

/** Timers and sockets that keep the process, or could: what a client that was closed must not leave. */
function resources() {
  const active = process.getActiveResourcesInfo();
  const count = (kind) => active.filter((each) => each === kind).length;
  return { timers: count('Timeout'), sockets: count('TCPSocketWrap') + count('TCPConnectWrap') };
}

/** Sockets are closed in the next turns of the event loop. */
async function settle() {
  await wait(2_000);
}

/** Prints the outcome; returns the exit code. */
function report(before, after) {
  for (const reading of readings) {
    if (!reading.complete) ledger.fault(`${reading.name}: read ${reading.next} of ${ledger.acknowledged}`);
  }
  if (ledger.open > 0) ledger.fault(`${ledger.open} sends have no outcome`);
  for (const kind of ['timers', 'sockets']) {
    if (after[kind] > before[kind]) ledger.fault(`${kind}: ${before[kind]} before, ${after[kind]} after`);
  }
  const steady = samples.slice(Math.min(WARM_UP_SAMPLES, samples.length - 1));
  const quarter = Math.max(1, Math.floor(steady.length / 4));
  const growth = {};
  for (const kind of ['rssMb', 'heapMb']) {
    const mean = (part) => part.reduce((total, each) => total + each[kind], 0) / part.length;
    const [first, last] = [mean(steady.slice(0, quarter)), mean(steady.slice(-quarter))];
    growth[kind] = [Math.round(first * 10) / 10, Math.round(last * 10) / 10];
    if (last - first > GROWTH_MAX_MB) ledger.fault(`${kind} grew from ${growth[kind].join(' to ')}`);
  }
  const read = readings.map(({ name, total, again }) => ({ name, total, again }));
  const acknowledged = ledger.acknowledged.reduce((total, each) => total + each, 0);
  console.log(JSON.stringify({ acknowledged, read, ...counts, before, after, ...growth, faults: ledger.faults }));
  return ledger.faults.length === 0 ? 0 : 1;
}
