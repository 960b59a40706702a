/**
 * KafkaTemplate and @KafkaListener beside the bare client, @nestjs/microservices on kafkajs, and Spring for Apache Kafka: sending,
 * listening with each way to commit, request and reply, and the start of an application. On Apache Kafka, or with `--on ours` on
 * the bundled broker.
 *
 * Records have a key of 10 and a value of 100 characters; topics have 6 partitions, those of requests one. Each subject has its
 * own defaults, except that Spring has no linger where single records are waited for. Figures are of the steady state: each
 * process warms up first, the JVM with as many records as it is measured with. Needs Java and Maven.
 */
import { createAdmin, createProducer } from '@kafka-template/client';
import { startKafka } from '../interop/kafka/start.mjs';
import { startBroker } from './support/broker.mjs';
import { compare } from './support/measure.mjs';
import { hasJava, installSpring } from './support/spring.mjs';
import { keyAt, valueAt } from './support/template-workloads.mjs';

const PARTITIONS = 6;
const BACKLOG = 1_500_000;
const MODULES = {
  ours: 'template-ours',
  '@kafka-template/client': 'template-bare',
  '@nestjs/microservices': 'template-nest',
  'spring-kafka': 'template-spring',
};
/** Records that are measured, those before them, and how many may be open. */
const load = (records, warmUp, open) => ({ records, warmUp, open });
const everybody = (ours, nest, spring = ours) => ({
  ours,
  '@kafka-template/client': ours,
  ...(nest === undefined ? {} : { '@nestjs/microservices': nest }),
  'spring-kafka': spring,
});
const HALF_THE_BACKLOG = load(BACKLOG / 2, BACKLOG / 2);
const WORKLOADS = {
  'send forget': everybody(load(1_000_000, 200_000, 10_000), load(20_000, 2000, 1000), load(1_000_000, 1_000_000)),
  'send callback': everybody(load(1_000_000, 200_000, 10_000), load(20_000, 2000, 1000), load(1_000_000, 1_000_000)),
  'send sync': everybody(load(3000, 1000), load(2000, 500), load(3000, 3000)),
  'listen record BATCH': everybody(HALF_THE_BACKLOG, load(100_000, 20_000)),
  'listen record MANUAL': everybody(HALF_THE_BACKLOG),
  'listen record RECORD': everybody(load(20_000, 20_000), load(5000, 1000)),
  'listen batch': everybody(HALF_THE_BACKLOG),
  'request reply': everybody(load(10_000, 10_000), load(10_000, 2000)),
  start: everybody({}, {}),
};

const BROKERS = {
  kafka: async () => {
    const { bootstrapServers, stop } = await startKafka({ heap: '1g' });
    return { bootstrapServers, stop };
  },
  ours: startBroker,
};

const named = (...words) => words.join('-').replaceAll(/[^a-z0-9]+/gi, '-');

function topicOf(workload, subject, run) {
  if (workload === 'start') return 'one-record';
  return workload.startsWith('listen') ? 'backlog' : named(workload, subject, run);
}

async function prepare(bootstrapServers, subjects, runs, backlog) {
  const admin = createAdmin({ bootstrapServers });
  const topics = new Map([
    ['backlog', PARTITIONS],
    ['one-record', 1],
  ]);
  for (const { subject } of subjects) {
    for (let run = 0; run < runs; run++) {
      for (const workload of Object.keys(WORKLOADS)) {
        const topic = topicOf(workload, subject, run);
        if (workload === 'request reply') topics.set(topic, 1).set(`${topic}.reply`, 1);
        else if (workload.startsWith('send')) topics.set(topic, PARTITIONS);
      }
    }
  }
  const specs = [...topics].map(([name, numPartitions]) => ({ name, numPartitions, replicationFactor: 1 }));
  for (const { name, error } of await admin.createTopics(specs)) {
    if (error !== null) throw new Error(`topic ${name}: ${error.message}`);
  }
  await admin.close();
  const producer = createProducer({ bootstrapServers });
  for (let index = 0; index < backlog; index++) {
    producer.append({ topic: 'backlog', key: keyAt(index), value: valueAt(index) });
    if (index % 10_000 === 0) await producer.flush();
  }
  await producer.send({ topic: 'one-record', key: keyAt(0), value: valueAt(0) });
  await producer.close();
}

/** The load times `scale`, in whole records. */
const scaled = (count, scale) => (count === undefined ? undefined : Math.max(1, Math.round(count * scale)));

/**
 * `on`: `kafka` (default) or `ours`. `only`: these subjects. `workloads`: their names, all by default. `scale`: a part of the load,
 * to see that everything works.
 */
export default async function template({
  runs,
  on = 'kafka',
  only = Object.keys(MODULES),
  workloads = Object.keys(WORKLOADS),
  scale = 1,
}) {
  let names = Object.keys(MODULES).filter((name) => only.includes(name));
  if (names.includes('spring-kafka') && on === 'ours' && !hasJava()) {
    process.stderr.write('Spring is left out: it needs `java`, `javac` (17 or newer) and `mvn`.\n');
    names = names.filter((name) => name !== 'spring-kafka');
  }
  const classPath = names.includes('spring-kafka') ? installSpring() : undefined;
  const subjects = names.map((subject) => ({
    subject,
    module: new URL(`workloads/${MODULES[subject]}.mjs`, import.meta.url).href,
  }));
  const running = await BROKERS[on]();
  try {
    const { bootstrapServers } = running;
    await prepare(bootstrapServers, subjects, runs, BACKLOG * scale);
    const figures = await compare({
      runs,
      workloads,
      subjects,
      takesPart: (subject, workload) => WORKLOADS[workload][subject] !== undefined,
      options: (subject, workload, run) => {
        const { records, warmUp, open } = WORKLOADS[workload][subject];
        return {
          bootstrapServers,
          classPath,
          topic: topicOf(workload, subject, run),
          group: named(subject, workload, run),
          records: scaled(records, scale),
          warmUp: scaled(warmUp, scale),
          open,
        };
      },
    });
    return figures.map((figure) => ({ ...figure, broker: on }));
  } finally {
    await running.stop();
  }
}
