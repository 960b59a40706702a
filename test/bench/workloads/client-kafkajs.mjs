/** kafkajs 2, with its defaults: acks=all, no idempotence. */
import kafkajs from 'kafkajs';
import { recordAt } from '../support/records.mjs';
import { stopwatch } from '../support/stopwatch.mjs';

const BATCH = 1000;
process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';

const client = (bootstrapServers) =>
  new kafkajs.Kafka({ brokers: [bootstrapServers], logLevel: kafkajs.logLevel.ERROR, retry: { retries: 5 } });

async function connected({ bootstrapServers, topic }) {
  const producer = client(bootstrapServers).producer();
  await producer.connect();
  for (let index = 0; index < 100; index++) await producer.send({ topic, messages: [recordAt(index)] });
  return producer;
}

export default {
  /** One `send` a record, 1,000 of them open at any time. */
  async 'one send per record'({ bootstrapServers, topic, records }) {
    const producer = await connected({ bootstrapServers, topic });
    const elapsed = stopwatch();
    let sent = 0;
    const lane = async () => {
      while (sent < records) await producer.send({ topic, messages: [recordAt(sent++)] });
    };
    await Promise.all(Array.from({ length: BATCH }, lane));
    const time = elapsed();
    await producer.disconnect();
    return { records, ...time };
  },

  /** A batch of 1,000 records, then the next when the whole batch is acknowledged. */
  async batches({ bootstrapServers, topic, records }) {
    const producer = await connected({ bootstrapServers, topic });
    const elapsed = stopwatch();
    for (let sent = 0; sent < records; sent += BATCH) {
      const messages = Array.from({ length: BATCH }, (_, index) => recordAt(sent + index));
      await producer.send({ topic, messages });
    }
    const time = elapsed();
    await producer.disconnect();
    return { records, ...time };
  },

  /** Everything in the topic, batch by batch, by a group that starts from the beginning. */
  async consume({ bootstrapServers, topic, records, group }) {
    const consumer = client(bootstrapServers).consumer({ groupId: group });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    let seen = 0;
    let bytes = 0;
    let elapsed;
    await new Promise((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      void consumer.run({
        eachBatch: ({ batch }) => {
          elapsed ??= stopwatch();
          for (const message of batch.messages) bytes += message.key.length + message.value.length;
          seen += batch.messages.length;
          if (seen >= records) resolve();
          return Promise.resolve();
        },
      });
    });
    const time = elapsed();
    await consumer.disconnect();
    if (bytes < seen * 100) throw new Error(`read ${bytes} bytes in ${seen} records`);
    return { records: seen, ...time };
  },
};
