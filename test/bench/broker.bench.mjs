/**
 * Our broker beside Apache Kafka: the same load by Kafka's own tools and by a program on franz-go, the same disk, taking turns.
 *
 * The metrics are those of the broker: records per second as the tool saw them, and CPU time and peak memory of the broker's
 * process. Both run with their defaults; Kafka gets a heap of 1 GB and is warmed before anything counts. How many records a
 * workload has does not depend on the broker. Needs Linux (`/proc`), Java, Maven and Go.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdmin } from '@kafka-template/client';
import { installKafka, startKafka } from '../interop/kafka/start.mjs';
import { startBroker } from './support/broker.mjs';
import { figuresOf, runOnce as runInProcess } from './support/measure.mjs';
import franz, { buildLoad } from './workloads/broker-franz-go.mjs';
import java from './workloads/broker-java.mjs';

const tools = { ...java, ...franz };
const IN_PROCESS = new URL('workloads/broker-in-process.mjs', import.meta.url).href;

const LARGE_BATCHES = ['batch.size=65536', 'linger.ms=5'];
const ALL = ['acks=all'];
const BACKLOG = { partitions: 6, records: 2_000_000, recordBytes: 100, properties: [...ALL, ...LARGE_BATCHES] };
/** What is read often enough to be measured, and is little enough to be in memory still. */
const RECENT = { partitions: 6, records: 120_000, recordBytes: 100 };
const produced = (name, partitions, records, recordBytes, properties) => [
  name,
  { tool: 'produce', partitions, records, recordBytes, properties },
];
const franzLoad = (tool, records, recordBytes) => ({ tool, partitions: 6, records, recordBytes });
const WORKLOADS = new Map([
  produced('100 B, 6 partitions, acks=all', 6, 1_500_000, 100, [...ALL, ...LARGE_BATCHES]),
  produced('100 B, client defaults', 6, 1_500_000, 100, []),
  produced('100 B, 1 partition, acks=1', 1, 1_500_000, 100, ['acks=1']),
  produced('1 KiB, 6 partitions, acks=all', 6, 300_000, 1024, [...ALL, ...LARGE_BATCHES]),
  produced('100 B, lz4', 6, 1_500_000, 100, [...ALL, ...LARGE_BATCHES, 'compression.type=lz4']),
  produced('one record per request', 6, 40_000, 100, ['batch.size=1', 'linger.ms=0']),
  ['consume', { tool: 'consume', ...BACKLOG, reads: 'backlog' }],
  ['end to end', { tool: 'endToEnd', partitions: 1, records: 2000, recordBytes: 100 }],
  ['franz-go, 100 B, acks=all', franzLoad('franzProduce', 2_000_000, 100)],
  ['franz-go, 1 KiB, acks=all', franzLoad('franzProduce', 400_000, 1024)],
  ['franz-go, one record per request', { ...franzLoad('franzSingles', 150_000, 100), connections: 16, inFlight: 5 }],
  ['franz-go, consume from disk', { ...franzLoad('franzConsume', BACKLOG.records, 100), passes: 2, reads: 'backlog' }],
  ['franz-go, consume the newest', { tool: 'franzConsume', ...RECENT, passes: 30, reads: 'recent' }],
  ['franz-go, end to end at 2,000/s', { ...franzLoad('franzLatency', 8000, 100), partitions: 1, perSecond: 2000 }],
]);
const WARM_UP = { tool: 'produce', ...BACKLOG, records: 1_000_000 };
const SINGLES = { ...WORKLOADS.get('franz-go, one record per request'), records: 50_000 };

const STARTERS = {
  kafka: (dataDir) => startKafka({ dataDir, heap: '1g' }),
  ours: (dataDir) => startBroker({ dataDir }),
};

/** A started broker with what the workloads need to know, and a folder that goes with it. */
async function startSubject(subject) {
  const dataDir = mkdtempSync(join(tmpdir(), `bench-${subject}-`));
  try {
    const running = await STARTERS[subject](dataDir);
    const admin = createAdmin({ bootstrapServers: running.bootstrapServers });
    const stop = async () => {
      await admin.close();
      await running.stop();
      rmSync(dataDir, { recursive: true, force: true });
    };
    return { subject, dataDir, running, admin, stop, topics: 0 };
  } catch (error) {
    rmSync(dataDir, { recursive: true, force: true });
    throw error;
  }
}

async function createTopic({ admin }, name, numPartitions) {
  const [{ error }] = await admin.createTopics([{ name, numPartitions, replicationFactor: 1 }]);
  if (error !== null) throw new Error(`topic ${name}: ${error.message}`);
}

/** Runs one workload once, on a topic of its own unless it reads one that is there; its own is deleted afterwards. */
async function runOnce(subject, classPath, { tool, reads, ...load }) {
  const { running, admin } = subject;
  const own = `run-${subject.topics++}`;
  const topic = reads ?? own;
  if (topic === own) await createTopic(subject, topic, load.partitions);
  const { bootstrapServers, pid } = running;
  const extra = tool in java ? { classPath, group: own } : {};
  const result = tools[tool]({ bootstrapServers, pid, topic, ...extra, ...load });
  if (topic === own) await admin.deleteTopics([topic]);
  return result;
}

/** From the start of the process to the moment a client can connect, on a directory that was used before. */
async function startOnce(subject) {
  const dataDir = join(subject.dataDir, 'again');
  const once = async () => {
    const began = performance.now();
    const running = await STARTERS[subject.subject](dataDir);
    const startMs = performance.now() - began;
    await running.stop();
    return { startMs };
  };
  subject.hasStarted ??= await once();
  return once();
}

/** The same inside a process that has loaded the library. */
function startInProcess({ dataDir }) {
  return runInProcess(IN_PROCESS, 'start', { dataDir: join(dataDir, 'in-process') });
}

/** `on`: only this broker. */
export default async function broker({ runs, on }) {
  const classPath = installKafka();
  buildLoad();
  const subjects = [];
  try {
    for (const name of Object.keys(STARTERS)) {
      if (on === undefined || on === name) subjects.push(await startSubject(name));
    }
    for (const subject of subjects) {
      process.stderr.write(`warming ${subject.subject}\n`);
      await createTopic(subject, 'backlog', BACKLOG.partitions);
      tools.produce({ ...subject.running, classPath, topic: 'backlog', ...BACKLOG });
      await runOnce(subject, classPath, WARM_UP);
      await runOnce(subject, classPath, SINGLES);
      await createTopic(subject, 'recent', RECENT.partitions);
      const { bootstrapServers, pid } = subject.running;
      tools.franzProduce({ bootstrapServers, pid, topic: 'recent', ...RECENT });
    }
    const figures = [];
    for (const [workload, load] of WORKLOADS) {
      figures.push(...(await takeTurns(subjects, workload, runs, (subject) => runOnce(subject, classPath, load))));
    }
    figures.push(...(await takeTurns(subjects, 'start', runs, startOnce)));
    const ours = subjects.filter(({ subject }) => subject === 'ours');
    figures.push(...(await takeTurns(ours, 'start in process', runs, startInProcess)));
    return figures;
  } finally {
    for (const subject of subjects) await subject.stop();
  }
}

async function takeTurns(subjects, workload, runs, once) {
  const results = new Map(subjects.map(({ subject }) => [subject, []]));
  for (let run = 0; run < runs; run++) {
    for (const subject of subjects) {
      process.stderr.write(`${workload}: ${subject.subject}, run ${run + 1} of ${runs}\n`);
      results.get(subject.subject).push(await once(subject));
    }
  }
  return [...results].flatMap(([subject, measured]) => figuresOf(subject, workload, measured));
}
