/** @platformatic/kafka, idempotent as ours, acks=all; records by the stream's `data` event, or by `for await`. */
import { clientWorkloads } from '../support/client-workloads.mjs';
import { importPeer } from '../support/peers.mjs';

const { Consumer, Producer, ProduceAcks } = await importPeer('@platformatic/kafka');

export default clientWorkloads({
  async producer({ bootstrapServers }) {
    const producer = new Producer({
      clientId: 'bench',
      bootstrapBrokers: [bootstrapServers],
      idempotent: true,
      acks: ProduceAcks.ALL,
    });
    return {
      send: (topic, { key, value }) => producer.send({ messages: [{ topic, key, value }] }),
      batch: (topic, records) => producer.send({ messages: records.map(({ key, value }) => ({ topic, key, value })) }),
      close: () => producer.close(),
    };
  },

  async consumer({ bootstrapServers, topic, group, batch, each, failed }) {
    const consumer = new Consumer({ clientId: 'bench', groupId: group, bootstrapBrokers: [bootstrapServers] });
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest', fallbackMode: 'earliest' });
    stream.on('error', failed);
    if (batch !== undefined) stream.on('data', (record) => batch([record]));
    else
      void (async () => {
        for await (const record of stream) await each(record);
      })().catch(failed);
    return { close: () => consumer.close(true) };
  },
});
