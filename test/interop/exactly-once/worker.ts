/**
 * A process that moves records from one topic to another exactly once with our client, until it is killed.
 *
 * It does what a careful application does: an error that asks for an abort gets one, and reading goes on from what was
 * committed; any other error ends the process, and whoever supervises it starts the next.
 * Arguments: bootstrap servers, from, to, group, transactional id, group protocol.
 */
import {
  type Consumer,
  type ConsumerRecords,
  createConsumer,
  createProducer,
  KafkaError,
  silentLogger,
} from '@kafka-template/client';

const [bootstrapServers = '', from = '', to = '', groupId = '', transactionalId = '', protocol] = process.argv.slice(2);
const POLL_MS = 200;
const MEMBER =
  protocol === 'consumer'
    ? ({ groupProtocol: 'consumer' } as const)
    : ({ sessionTimeoutMs: 3_000, heartbeatIntervalMs: 500, maxPollIntervalMs: 10_000 } as const);

const producer = createProducer({ bootstrapServers, transactionalId, logger: silentLogger });
const consumer = createConsumer({
  bootstrapServers,
  groupId,
  ...MEMBER,
  autoOffsetReset: 'earliest',
  enableAutoCommit: false,
  isolationLevel: 'read_committed',
  maxPollRecords: 50,
  logger: silentLogger,
});

async function move(records: ConsumerRecords): Promise<void> {
  producer.beginTransaction();
  for (const { partition, key, value } of records) {
    producer.append({ topic: to, partition, key, value: String(value).toUpperCase() });
  }
  const offsets = records.partitions().map((place) => ({
    ...place,
    offset: (records.records(place).at(-1)?.offset ?? -1) + 1,
  }));
  await producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
  await producer.commitTransaction();
}

/** Back to what the group has committed: the records of the aborted transaction come again. */
async function rewind(reader: Consumer): Promise<void> {
  for (const { topic, partition, offset } of await reader.committed(reader.assignment())) {
    if (offset === null) reader.seekToBeginning([{ topic, partition }]);
    else reader.seek({ topic, partition }, offset);
  }
}

try {
  await producer.initTransactions();
  consumer.subscribe(from);
  for (;;) {
    const records = await consumer.poll(POLL_MS);
    if (records.isEmpty) continue;
    try {
      await move(records);
    } catch (error) {
      if (!(error instanceof KafkaError) || !error.abortable) throw error;
      await producer.abortTransaction();
      await rewind(consumer);
    }
  }
} catch (error) {
  console.error(error);
  process.exit(1);
}
