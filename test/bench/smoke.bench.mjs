/**
 * Our client beside kafkajs on one bundled broker: a batch at a time, one send per record, and consuming.
 *
 * Records have a key of 10 and a value of 100 bytes; the topics have 6 partitions; each client runs with its own defaults
 * (ours is idempotent, kafkajs is not). How many records a client sends differs, so that each run takes about as long.
 */
import { createAdmin, createProducer } from '@kafka-template/client';
import { startBroker } from './support/broker.mjs';
import { compare } from './support/measure.mjs';
import { recordAt } from './support/records.mjs';

const PARTITIONS = 6;
const BACKLOG = 500_000;
const RECORDS = {
  ours: { 'one send per record': 1_000_000, batches: 1_000_000, 'consume batch': BACKLOG },
  kafkajs: { 'one send per record': 20_000, batches: 200_000, 'consume batch': BACKLOG },
};
const subjects = [
  { subject: 'kafkajs', module: new URL('workloads/client-kafkajs.mjs', import.meta.url).href },
  { subject: 'ours', module: new URL('workloads/client-ours.mjs', import.meta.url).href },
];

async function prepare(bootstrapServers) {
  const admin = createAdmin({ bootstrapServers });
  const names = ['backlog', ...subjects.map(({ subject }) => `sent-${subject}`)];
  await admin.createTopics(names.map((name) => ({ name, numPartitions: PARTITIONS, replicationFactor: 1 })));
  await admin.close();
  const producer = createProducer({ bootstrapServers });
  for (let index = 0; index < BACKLOG; index++) {
    producer.append({ topic: 'backlog', ...recordAt(index) });
    if (index % 10_000 === 0) await producer.flush();
  }
  await producer.close();
}

export default async function smoke({ runs }) {
  const broker = await startBroker();
  try {
    await prepare(broker.bootstrapServers);
    return await compare({
      runs,
      workloads: ['one send per record', 'batches', 'consume batch'],
      subjects,
      options: (subject, workload, run) => ({
        bootstrapServers: broker.bootstrapServers,
        topic: workload === 'consume batch' ? 'backlog' : `sent-${subject}`,
        group: `${subject}-${run}`,
        records: RECORDS[subject][workload],
      }),
    });
  } finally {
    await broker.stop();
  }
}
