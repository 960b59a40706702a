/** The client without the template, doing the same by hand: strings in and out, the same commits. */
import { createConsumer, createProducer } from '@kafka-template/client';
import { templateWorkloads } from '../support/template-workloads.mjs';

const CORRELATION = 'kafka_correlationId';

/** Polls until closed; `handle(records, consumer)` is awaited. */
function consuming(consumer, handle) {
  let closing = false;
  const loop = (async () => {
    while (!closing) {
      const records = await consumer.poll(1000);
      await handle(records, consumer);
    }
  })().catch((error) => {
    if (!closing) throw error;
  });
  return async () => {
    closing = true;
    consumer.wakeup();
    await loop;
    await consumer.close();
  };
}

/** What is done with the records of a poll, by mode. */
const HANDLERS = {
  BATCH:
    ({ take, look }) =>
    async (records, consumer) => {
      for (const record of records) {
        take(record.value.toString());
        look();
      }
      if (records.count > 0) await consumer.commitSync();
    },
  RECORD:
    ({ take, look }) =>
    async (records, consumer) => {
      for (const record of records) {
        take(record.value.toString());
        await consumer.commitSync([{ topic: record.topic, partition: record.partition, offset: record.offset + 1 }]);
        look();
      }
    },
  batch:
    ({ take, look }) =>
    async (records, consumer) => {
      for (const record of records) take(record.value.toString());
      if (records.count === 0) return;
      look();
      await consumer.commitSync();
    },
};
// To acknowledge each record and commit with the poll is, without containers, to commit with the poll.
HANDLERS.MANUAL = HANDLERS.BATCH;

export default templateWorkloads({
  async sender({ bootstrapServers }) {
    const producer = createProducer({ bootstrapServers });
    return {
      forget: (topic, key, value) => producer.append({ topic, key, value }),
      callback: (topic, key, value, { done }) => producer.append({ topic, key, value }, done),
      sync: (topic, key, value) => producer.send({ topic, key, value }),
      close: () => producer.close(),
    };
  },

  async listener({ bootstrapServers, topic, group, mode, take, look }) {
    const options = { groupId: group, autoOffsetReset: 'earliest', enableAutoCommit: false };
    const consumer = createConsumer({ bootstrapServers, ...options });
    consumer.subscribe([topic]);
    return { close: consuming(consumer, HANDLERS[mode]({ take, look })) };
  },

  async requests({ bootstrapServers, topic, group }) {
    const replyTopic = `${topic}.reply`;
    const producer = createProducer({ bootstrapServers });
    const replying = createConsumer({ bootstrapServers, groupId: group, enableAutoCommit: false });
    const receiving = createConsumer({ bootstrapServers, enableAutoCommit: false });
    let joined;
    const ready = new Promise((resolve) => (joined = resolve));
    replying.subscribe([topic], { onPartitionsAssigned: () => joined() });
    receiving.assign([{ topic: replyTopic, partition: 0 }]);
    await receiving.position({ topic: replyTopic, partition: 0 });
    const waiting = new Map();
    const closeReplying = consuming(replying, async (records) => {
      for (const { value, headers } of records)
        producer.append({ topic: replyTopic, value: value.toString(), headers });
      if (records.count > 0) await replying.commitSync();
    });
    const closeReceiving = consuming(receiving, (records) => {
      for (const { value, headers } of records) {
        const id = headers.find(({ key }) => key === CORRELATION).value.toString();
        waiting.get(id)(value.toString());
        waiting.delete(id);
      }
    });
    await ready;
    await replying.position({ topic, partition: 0 });
    let requests = 0;
    return {
      request: (value) =>
        new Promise((resolve) => {
          const id = String(requests++);
          waiting.set(id, resolve);
          producer.append({ topic, value, headers: [{ key: CORRELATION, value: id }] });
        }),
      close: async () => {
        await Promise.all([closeReplying(), closeReceiving()]);
        await producer.close();
      },
    };
  },
});
