/**
 * Our client on three nodes of Apache Kafka, of which one after the other is killed: the leader of a partition, the
 * coordinator of the group, the coordinator of a transaction. Nothing acknowledged is lost, nothing is there twice.
 *
 * Every topic has three replicas of which two have to be in sync. Needs Java; runs on Apache Kafka whatever `--on` says.
 */
import {
  type Admin,
  createAdmin,
  createConsumer,
  createProducer,
  type GroupProtocol,
  KafkaError,
  type Producer,
  silentLogger,
} from '@kafka-template/client';
import { javaStringHash } from '@kafka-template/protocol';
import { until } from '../../support/until.js';
import { type KafkaCluster, startKafkaCluster } from '../kafka/cluster.mjs';

const PARTITIONS = 3;
const WAVE = 60;
/** Acknowledged by each partition after a node was killed, before it is started again. */
const AFTER_KILL = 120;
const TEST_MS = 240_000;

let cluster: KafkaCluster;
let admin: Admin;

beforeAll(async () => {
  cluster = await startKafkaCluster();
  admin = createAdmin({ bootstrapServers: cluster.bootstrapServers, logger: silentLogger });
}, TEST_MS);

afterAll(async () => {
  await admin?.close();
  await cluster?.stop();
});

async function createTopic(name: string): Promise<void> {
  const [outcome] = await admin.createTopics([{ name, numPartitions: PARTITIONS, replicationFactor: 3 }]);
  if (outcome?.error != null) throw outcome.error;
  await untilWhole(name);
}

/** All replicas of the topic are in sync: any one node may go. */
async function untilWhole(name: string): Promise<void> {
  const isWhole = async (): Promise<boolean> => {
    const [topic] = await admin.describeTopics([name]);
    return (
      topic?.partitions.length === PARTITIONS &&
      topic.partitions.every(({ inSyncReplicas }) => inSyncReplicas.length === 3)
    );
  };
  await until(() => isWhole().catch(() => false), `all replicas of ${name} are in sync`);
}

/** The node that leads a partition. */
async function leaderOf(topic: string, partition: number): Promise<number> {
  let leader = -1;
  await until(async () => {
    const [described] = await admin.describeTopics([topic]);
    leader = described?.partitions.find((each) => each.partition === partition)?.leader ?? -1;
    return leader > 0;
  }, `${topic}-${partition} has a leader`);
  return leader;
}

/** The node that keeps a group or a transactional id: the leader of its partition of the internal topic. */
async function coordinatorOf(internalTopic: string, name: string): Promise<number> {
  const [described] = await admin.describeTopics([internalTopic]);
  return leaderOf(internalTopic, (javaStringHash(name) & 0x7fffffff) % (described?.partitions.length ?? 1));
}

/** Writes numbers to every partition as fast as they are acknowledged, until it is stopped. */
class Writing {
  /** Acknowledged without a gap, by partition. */
  readonly acknowledged = new Array<number>(PARTITIONS).fill(0);
  readonly faults: string[] = [];
  private readonly working: Promise<void>;
  private stopping = false;

  constructor(producer: Producer, topic: string) {
    this.working = this.write(producer, topic);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.working;
  }

  private async write(producer: Producer, topic: string): Promise<void> {
    for (let number = 0; !this.stopping; number += WAVE) {
      const sent = Array.from({ length: PARTITIONS * WAVE }, (_, at) => this.send(producer, topic, number, at));
      await Promise.all(sent);
    }
  }

  private async send(producer: Producer, topic: string, from: number, at: number): Promise<void> {
    const [partition, number] = [at % PARTITIONS, from + Math.floor(at / PARTITIONS)];
    try {
      const { offset } = await producer.send({ topic, partition, value: String(number) });
      // Nobody else writes: the number of a record is its offset, or something is lost, doubled or out of order.
      if (offset !== number) this.faults.push(`${partition}: ${number} is at ${offset}`);
      this.acknowledged[partition] = number + 1;
    } catch (error) {
      this.faults.push(`${partition}: ${number} failed: ${String(error)}`);
    }
  }
}

/** One member of a group; several share one account of what was delivered. */
async function read(account: Account, options: { topic: string; groupId: string; groupProtocol: GroupProtocol }) {
  const { topic, groupId, groupProtocol } = options;
  const consumer = createConsumer({
    ...{ bootstrapServers: cluster.bootstrapServers, logger: silentLogger, groupId, groupProtocol },
    ...{ autoOffsetReset: 'earliest', enableAutoCommit: false },
    ...(groupProtocol === 'classic'
      ? { partitionAssignmentStrategy: 'cooperative-sticky', sessionTimeoutMs: 10_000, heartbeatIntervalMs: 500 }
      : {}),
  });
  consumer.subscribe(topic);
  while (!account.done) {
    const records = await consumer.poll(100);
    for (const { partition, offset, value } of records) account.take(partition, offset, String(value));
    if (records.isEmpty) continue;
    try {
      await consumer.commitSync();
      account.commits += 1;
    } catch (error) {
      if (!(error instanceof KafkaError) || !(error.retriable || error.code === 'COMMIT_FAILED')) throw error;
    }
  }
  await consumer.close();
}

class Account {
  readonly next = new Array<number>(PARTITIONS).fill(0);
  readonly faults: string[] = [];
  commits = 0;
  done = false;

  take(partition: number, offset: number, value: string): void {
    const next = this.next[partition] ?? 0;
    if (offset > next) this.faults.push(`${partition}: ${offset} came after ${next - 1}`);
    if (value !== String(offset)) this.faults.push(`${partition}: ${offset} holds ${value}`);
    this.next[partition] = Math.max(next, offset + 1);
  }
}

describe('three nodes of Apache Kafka', () => {
  it.each<[GroupProtocol]>([['classic'], ['consumer']])(
    'lose a leader and then the coordinator of a group of the %s protocol by kill -9: nothing is lost or doubled, and the group goes on',
    async (groupProtocol) => {
      const topic = `records-${groupProtocol}`;
      const groupId = `readers-${groupProtocol}`;
      await createTopic(topic);
      const { bootstrapServers } = cluster;
      const producer = createProducer({ bootstrapServers, logger: silentLogger, requestTimeoutMs: 10_000 });
      const writing = new Writing(producer, topic);
      const account = new Account();
      const reading = [1, 2].map(() => read(account, { topic, groupId, groupProtocol }));
      const moves = async (what: string): Promise<void> => {
        const from = [...writing.acknowledged];
        const isOn = (numbers: readonly number[]): boolean =>
          numbers.every((number, at) => number >= (from[at] ?? 0) + AFTER_KILL);
        await until(() => isOn(writing.acknowledged), `writing goes on ${what}`);
        const commits = account.commits;
        await until(() => isOn(account.next) && account.commits > commits, `reading goes on ${what}`);
      };
      await moves('at first');
      for (const [what, find] of [
        ['the leader of a partition', () => leaderOf(topic, 0)],
        ['the coordinator of the group', () => coordinatorOf('__consumer_offsets', groupId)],
      ] as const) {
        const node = await find();
        await cluster.kill(node);
        await moves(`without ${what}`);
        await cluster.start(node);
        await untilWhole(topic);
      }
      await writing.stop();
      await producer.close();
      await until(
        () => account.next.every((next, at) => next === writing.acknowledged[at]),
        'everything acknowledged was read',
      );
      account.done = true;
      await Promise.all(reading);
      expect([writing.faults, account.faults]).toEqual([[], []]);
      const committed = await admin.listConsumerGroupOffsets(groupId);
      const ends = committed.sort((one, other) => one.partition - other.partition).map(({ offset }) => offset);
      expect(ends).toEqual(writing.acknowledged);
    },
    TEST_MS,
  );

  it(
    'lose a leader and the coordinator of transactions: what was committed is there once, what was aborted never',
    async () => {
      const [topic, transactionalId] = ['transacted', 'three-nodes'];
      await createTopic(topic);
      const producer = createProducer({
        ...{ bootstrapServers: cluster.bootstrapServers, logger: silentLogger, transactionalId },
        requestTimeoutMs: 10_000,
      });
      await producer.initTransactions();
      const committed: string[] = [];
      let [round, done] = [0, false];
      const working = (async () => {
        for (; !done; round++) {
          producer.beginTransaction();
          const values = Array.from({ length: 9 }, (_, at) => `${round}-${at}`);
          try {
            await Promise.all(values.map((value, at) => producer.send({ topic, partition: at % PARTITIONS, value })));
            if (round % 4 === 3) await producer.abortTransaction();
            else {
              await producer.commitTransaction();
              committed.push(...values);
            }
          } catch (error) {
            if (!(error instanceof KafkaError) || !error.abortable) throw error;
            await producer.abortTransaction();
          }
        }
      })();
      for (const find of [() => leaderOf(topic, 1), () => coordinatorOf('__transaction_state', transactionalId)]) {
        const node = await find();
        await cluster.kill(node);
        const from = round;
        await until(() => round >= from + 20, 'transactions go on');
        await cluster.start(node);
        await untilWhole(topic);
      }
      done = true;
      await working;
      await producer.close();
      expect(await readCommitted(topic)).toEqual(committed.sort());
    },
    TEST_MS,
  );
});

/** All that was committed, once nothing is open. */
async function readCommitted(topic: string): Promise<string[]> {
  const options = {
    bootstrapServers: cluster.bootstrapServers,
    logger: silentLogger,
    autoOffsetReset: 'earliest',
  } as const;
  const [stable, all] = [createConsumer({ ...options, isolationLevel: 'read_committed' }), createConsumer(options)];
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));
  const found: string[] = [];
  try {
    const ends = await all.endOffsets(partitions);
    stable.assign(partitions);
    const position = (at: number): Promise<number> => stable.position({ topic, partition: at });
    await until(async () => {
      for (const { value } of await stable.poll(100)) found.push(String(value));
      const positions = await Promise.all(partitions.map((_, at) => position(at)));
      return positions.every((at, index) => at >= (ends[index]?.offset ?? 0));
    }, 'everything committed was read');
  } finally {
    await Promise.all([stable.close(), all.close()]);
  }
  return found.sort();
}
