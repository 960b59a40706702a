/** kafkajs 2, with its defaults: acks=all, no idempotence. */
import kafkajs from 'kafkajs';
import { clientWorkloads } from '../support/client-workloads.mjs';

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';

const client = (bootstrapServers) =>
  new kafkajs.Kafka({ brokers: [bootstrapServers], logLevel: kafkajs.logLevel.ERROR, retry: { retries: 5 } });

export default clientWorkloads({
  async producer({ bootstrapServers }) {
    const producer = client(bootstrapServers).producer();
    await producer.connect();
    return {
      send: (topic, record) => producer.send({ topic, messages: [record] }),
      batch: (topic, messages) => producer.send({ topic, messages }),
      close: () => producer.disconnect(),
    };
  },

  async consumer({ bootstrapServers, topic, group, batch, each, failed }) {
    const consumer = client(bootstrapServers).consumer({ groupId: group });
    consumer.on(consumer.events.CRASH, ({ payload }) => failed(payload.error));
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run(
      batch === undefined
        ? { eachMessage: ({ message }) => each(message) }
        : { eachBatch: async ({ batch: { messages } }) => batch(messages) },
    );
    return { close: () => consumer.disconnect() };
  },
});
