/**
 * A process that moves records from one topic to another in transactions: consume, transform, produce, with kafkajs.
 *
 * It gives up at the first error, as somebody who does not know whether a commit without an answer counts: whoever
 * supervises it starts the next one, which fences it and goes on from the committed offsets.
 * Arguments: bootstrap servers, from, to, group, transactional id.
 */
import { Kafka, logLevel } from 'kafkajs';

const [bootstrapServers = '', from = '', to = '', groupId = '', transactionalId = ''] = process.argv.slice(2);
/** Small, so that there are many transactions. */
const BYTES_PER_BATCH = 700;

const retry = { initialRetryTime: 50, maxRetryTime: 500, retries: 5 };
const kafka = new Kafka({ brokers: [bootstrapServers], retry, logLevel: logLevel.NOTHING });
const producer = kafka.producer({ transactionalId, maxInFlightRequests: 1, idempotent: true });
const consumer = kafka.consumer({
  groupId,
  sessionTimeout: 1_000,
  heartbeatInterval: 200,
  rebalanceTimeout: 2_000,
  maxBytesPerPartition: BYTES_PER_BATCH,
  readUncommitted: false,
  retry: { ...retry, restartOnFailure: async () => false },
});

function giveUp(reason: unknown): void {
  console.error(reason);
  process.exit(1);
}

consumer.on(consumer.events.CRASH, ({ payload }) => giveUp(payload.error));

try {
  // First: it ends what the last process has left open, so that the committed offsets are settled.
  await producer.connect();
  await consumer.connect();
  await consumer.subscribe({ topic: from, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
      try {
        const transaction = await producer.transaction();
        const messages = batch.messages.map(({ key, value }) => ({ key, value: `moved ${String(value)}` }));
        await transaction.send({ topic: to, messages });
        const offset = String(Number(batch.lastOffset()) + 1);
        const topics = [{ topic: from, partitions: [{ partition: batch.partition, offset }] }];
        await transaction.sendOffsets({ consumerGroupId: groupId, topics });
        await transaction.commit();
        resolveOffset(batch.lastOffset());
        await heartbeat();
      } catch (error) {
        giveUp(error);
      }
    },
  });
} catch (error) {
  giveUp(error);
}
