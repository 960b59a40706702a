/**
 * Our client beside kafkajs, kafka-ts, @platformatic/kafka (Node 22 or newer) and Kafka's performance tools, on Apache Kafka
 * and on the bundled broker: throughput of sending and consuming, latencies, start, memory.
 *
 * Records have a key of 10 and a value of 100 bytes; topics have 6 partitions (the round trip has one); each client has its
 * own defaults, except that those that can be idempotent, as ours is, are. How many records a client sends differs, so that
 * each run takes about as long. Needs Java and Maven for Apache Kafka.
 */
import { createAdmin, createProducer } from '@kafka-template/client';
import { startKafka } from '../interop/kafka/start.mjs';
import { startBroker } from './support/broker.mjs';
import { compare } from './support/measure.mjs';
import { installPeers } from './support/peers.mjs';
import { recordAt } from './support/records.mjs';

const PARTITIONS = 6;
const BACKLOG = 500_000;
const OLDEST_NODE_OF_PLATFORMATIC = 22;
const WORKLOADS = {
  'one send per record': { ours: 1_000_000, kafkajs: 20_000, 'kafka-ts': 200_000, '@platformatic/kafka': 30_000 },
  batches: {
    ours: 2_000_000,
    kafkajs: 200_000,
    'kafka-ts': 500_000,
    '@platformatic/kafka': 500_000,
    'kafka-clients': 2_000_000,
  },
  'consume batch': {
    ours: BACKLOG,
    kafkajs: BACKLOG,
    'kafka-ts': BACKLOG,
    '@platformatic/kafka': BACKLOG,
    'kafka-clients': BACKLOG,
  },
  'consume each': { ours: BACKLOG, kafkajs: BACKLOG, 'kafka-ts': BACKLOG, '@platformatic/kafka': BACKLOG },
  'awaited send': { ours: 3_000, kafkajs: 3_000, 'kafka-ts': 3_000, '@platformatic/kafka': 3_000 },
  'produce to consumed': { ours: 2_000, kafkajs: 2_000, 'kafka-ts': 2_000, '@platformatic/kafka': 2_000 },
  start: { ours: 1, kafkajs: 1, 'kafka-ts': 1, '@platformatic/kafka': 1 },
  '10,000 open sends': { ours: 500_000, kafkajs: 20_000, 'kafka-ts': 200_000, '@platformatic/kafka': 30_000 },
};
const MODULES = {
  ours: 'client-ours',
  kafkajs: 'client-kafkajs',
  'kafka-ts': 'client-kafka-ts',
  '@platformatic/kafka': 'client-platformatic',
  'kafka-clients': 'client-java',
};

const BROKERS = {
  kafka: async () => {
    const { bootstrapServers, classPath, stop } = await startKafka({ heap: '1g' });
    return { bootstrapServers, classPath, stop };
  },
  ours: startBroker,
};

/** Which clients run on this Node and broker. */
function subjectsFor({ classPath }) {
  const node = Number(process.versions.node.split('.')[0]);
  return Object.entries(MODULES)
    .filter(([subject]) => subject !== '@platformatic/kafka' || node >= OLDEST_NODE_OF_PLATFORMATIC)
    .filter(([subject]) => subject !== 'kafka-clients' || classPath !== undefined)
    .map(([subject, file]) => ({ subject, module: new URL(`workloads/${file}.mjs`, import.meta.url).href }));
}

const topicOf = (workload, subject, run) =>
  workload.startsWith('consume') ? 'backlog' : `${workload} ${subject} ${run}`.replaceAll(/[^a-z0-9]+/gi, '-');

async function prepare(bootstrapServers, subjects, runs) {
  const admin = createAdmin({ bootstrapServers });
  const names = new Map([['backlog', PARTITIONS]]);
  for (const workload of Object.keys(WORKLOADS)) {
    for (const { subject } of subjects) {
      for (let run = 0; run < runs; run++) {
        names.set(topicOf(workload, subject, run), workload === 'produce to consumed' ? 1 : PARTITIONS);
      }
    }
  }
  names.set('backlog', PARTITIONS);
  const topics = [...names].map(([name, numPartitions]) => ({ name, numPartitions, replicationFactor: 1 }));
  for (const { name, error } of await admin.createTopics(topics)) {
    if (error !== null) throw new Error(`topic ${name}: ${error.message}`);
  }
  await admin.close();
  const producer = createProducer({ bootstrapServers });
  for (let index = 0; index < BACKLOG; index++) {
    producer.append({ topic: 'backlog', ...recordAt(index) });
    if (index % 10_000 === 0) await producer.flush();
  }
  await producer.close();
}

async function benchOn(broker, runs) {
  const running = await BROKERS[broker]();
  try {
    const subjects = subjectsFor(running);
    await prepare(running.bootstrapServers, subjects, runs);
    const figures = await compare({
      runs,
      workloads: Object.keys(WORKLOADS),
      subjects,
      takesPart: (subject, workload) => WORKLOADS[workload][subject] !== undefined,
      options: (subject, workload, run) => ({
        bootstrapServers: running.bootstrapServers,
        classPath: running.classPath,
        topic: topicOf(workload, subject, run),
        group: `${subject}-${workload}-${run}`.replaceAll(/[^a-z0-9]+/gi, '-'),
        records: WORKLOADS[workload][subject],
      }),
    });
    return figures.map((figure) => ({ ...figure, broker }));
  } finally {
    await running.stop();
  }
}

/** `on`: `kafka`, `ours`, or both when absent. */
export default async function client({ runs, on }) {
  const brokers = on === undefined ? Object.keys(BROKERS) : [on];
  installPeers();
  const figures = [];
  for (const broker of brokers) figures.push(...(await benchOn(broker, runs)));
  return figures;
}
