/** kafka-ts, with its defaults: idempotent, acks=all, keys and values as strings. */
import { clientWorkloads } from '../support/client-workloads.mjs';
import { importPeer } from '../support/peers.mjs';

const { createKafkaClient, setLogger } = await importPeer('kafka-ts');
const quiet = () => undefined;
setLogger({ debug: quiet, info: quiet, warn: console.error, error: console.error });

/** It takes strings; turned once, as an application would have them. */
const strings = new WeakMap();
function message(topic, record) {
  let text = strings.get(record);
  if (text === undefined) strings.set(record, (text = { key: record.key.toString(), value: record.value.toString() }));
  return { topic, key: text.key, value: text.value };
}

function client(bootstrapServers) {
  const [host, port] = bootstrapServers.split(':');
  return createKafkaClient({ clientId: 'bench', bootstrapServers: [{ host, port: Number(port) }] });
}

export default clientWorkloads({
  async producer({ bootstrapServers }) {
    const producer = client(bootstrapServers).createProducer({});
    return {
      send: (topic, record) => producer.send([message(topic, record)]),
      batch: (topic, records) => producer.send(records.map((record) => message(topic, record))),
      close: () => producer.close(),
    };
  },

  async consumer({ bootstrapServers, topic, group, batch, each }) {
    const consumer = await client(bootstrapServers).startConsumer({
      groupId: group,
      topics: [topic],
      fromTimestamp: -2n,
      onBatch: async (messages) => {
        if (batch !== undefined) batch(messages);
        else for (const record of messages) await each(record);
      },
    });
    return { close: () => consumer.close() };
  },
});
