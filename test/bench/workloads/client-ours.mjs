/** Our client, with its defaults: idempotence on, acks=all. */
import { createConsumer, createProducer } from '@kafka-template/client';
import { recordAt } from '../support/records.mjs';
import { stopwatch } from '../support/stopwatch.mjs';

const BATCH = 1000;

async function connected({ bootstrapServers, topic }) {
  const producer = createProducer({ bootstrapServers });
  for (let index = 0; index < 100; index++) await producer.send({ topic, ...recordAt(index) });
  return producer;
}

export default {
  /** One `send` a record, each with its promise, 1,000 of them open at any time. */
  async 'one send per record'({ bootstrapServers, topic, records }) {
    const producer = await connected({ bootstrapServers, topic });
    const elapsed = stopwatch();
    let sent = 0;
    const lane = async () => {
      while (sent < records) {
        const { key, value } = recordAt(sent++);
        await producer.send({ topic, key, value });
      }
    };
    await Promise.all(Array.from({ length: BATCH }, lane));
    const time = elapsed();
    await producer.close();
    return { records, ...time };
  },

  /** A batch of 1,000 records, then the next when the whole batch is acknowledged. */
  async batches({ bootstrapServers, topic, records }) {
    const producer = await connected({ bootstrapServers, topic });
    const elapsed = stopwatch();
    for (let sent = 0; sent < records; sent += BATCH) {
      await new Promise((resolve, reject) => {
        let open = BATCH;
        const done = (error) => {
          if (error !== null) reject(error);
          else if (--open === 0) resolve();
        };
        for (let index = 0; index < BATCH; index++) {
          const { key, value } = recordAt(sent + index);
          producer.append({ topic, key, value }, done);
        }
      });
    }
    const time = elapsed();
    await producer.close();
    return { records, ...time };
  },

  /** Everything in the topic, by a group that starts from the beginning; key and value of each record are touched. */
  async consume({ bootstrapServers, topic, records, group }) {
    const consumer = createConsumer({ bootstrapServers, groupId: group, autoOffsetReset: 'earliest' });
    consumer.subscribe([topic]);
    let seen = 0;
    let bytes = 0;
    let elapsed;
    while (seen < records) {
      const polled = await consumer.poll(1000);
      elapsed ??= polled.count > 0 ? stopwatch() : undefined;
      for (const record of polled) bytes += record.key.length + record.value.length;
      seen += polled.count;
    }
    const time = elapsed();
    await consumer.close();
    if (bytes < seen * 100) throw new Error(`read ${bytes} bytes in ${seen} records`);
    return { records: seen, ...time };
  },
};
