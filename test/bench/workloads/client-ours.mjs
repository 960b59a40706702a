/** Our client, with its defaults: idempotence on, acks=all. */
import { createConsumer, createProducer } from '@kafka-template/client';
import { clientWorkloads } from '../support/client-workloads.mjs';

export default clientWorkloads({
  async producer({ bootstrapServers }) {
    const producer = createProducer({ bootstrapServers });
    return {
      send: (topic, { key, value }) => producer.send({ topic, key, value }),
      batch: (topic, records) =>
        new Promise((resolve, reject) => {
          let open = records.length;
          const done = (error) => {
            if (error !== null) reject(error);
            else if (--open === 0) resolve();
          };
          for (const { key, value } of records) producer.append({ topic, key, value }, done);
        }),
      close: () => producer.close(),
    };
  },

  async consumer({ bootstrapServers, topic, group, batch, each, failed }) {
    const consumer = createConsumer({ bootstrapServers, groupId: group, autoOffsetReset: 'earliest' });
    consumer.subscribe([topic]);
    let closing = false;
    const loop = (async () => {
      while (!closing) {
        const records = await consumer.poll(1000);
        if (batch !== undefined) batch(records);
        else for (const record of records) await each(record);
      }
    })().catch((error) => {
      if (!closing) failed(error);
    });
    return {
      close: async () => {
        closing = true;
        consumer.wakeup();
        await loop;
        await consumer.close();
      },
    };
  },
});
