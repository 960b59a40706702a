/**
 * Members of one classic group by three implementations: kafkajs, Apache Kafka's Java client, and ours.
 *
 * All offer `range` and nothing else, so that whoever leads assigns for the others. kafkajs has no such strategy: it is
 * given one here. Each tells what it owns and what it has processed, and leaves in order.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { AssignerProtocol, Kafka, logLevel, type Assigner, type PartitionAssigner } from 'kafkajs';
import { createConsumer, KafkaError, silentLogger } from '@kafka-template/client';
import { installKafka } from '../kafka/start.mjs';
import { until } from '../../support/until.js';

const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_INTERVAL_MS = 300;
const POLL_MS = 50;
const OUTPUT_CHARS_MAX = 16_384;
/** Long enough for a JVM that ends on a busy machine. */
const LEAVE_DEADLINE_MS = 40_000;

/** Where a member belongs. */
export interface MemberPlace {
  readonly bootstrapServers: string;
  readonly group: string;
  readonly topic: string;
}

/** A record as a member has processed it. */
export interface Processed {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

/** See the file comment. */
export interface Member {
  /** In order of processing. */
  readonly processed: readonly Processed[];
  /** The partitions it owns, as it last said, in order. */
  owned(): readonly number[];
  /** Why it does not work any more, or null. */
  failure(): string | null;
  leave(): Promise<void>;
}

/** The implementations, by name. */
export const MEMBERS: Readonly<Record<'kafkajs' | 'java' | 'ours', (place: MemberPlace) => Promise<Member>>> = {
  kafkajs: kafkajsMember,
  java: javaMember,
  ours: ourMember,
};

async function kafkajsMember({ bootstrapServers, group, topic }: MemberPlace): Promise<Member> {
  const kafka = new Kafka({ clientId: 'mixed', brokers: [bootstrapServers], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({
    groupId: group,
    partitionAssigners: [rangeAssigner],
    sessionTimeout: SESSION_TIMEOUT_MS,
    rebalanceTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_INTERVAL_MS,
    maxWaitTimeInMs: 100,
  });
  const processed: Processed[] = [];
  let owned: number[] = [];
  let failure: string | null = null;
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    owned = [...(payload.memberAssignment[topic] ?? [])].sort();
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    failure = payload.error.message;
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) =>
      void processed.push({ partition, offset: Number(message.offset), value: String(message.value) }),
  });
  return {
    processed,
    owned: () => owned,
    failure: () => failure,
    leave: async () => {
      owned = [];
      await consumer.disconnect();
    },
  };
}

/** Kafka's `range` for kafkajs, as far as members of one topic need it. */
const rangeAssigner: PartitionAssigner = ({ cluster }): Assigner => ({
  name: 'range',
  version: 0,
  protocol: ({ topics }) => ({
    name: 'range',
    metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
  }),
  assign: async ({ members, topics }) => {
    const ids = members.map(({ memberId }) => memberId).sort();
    const shares = ids.map((): Record<string, number[]> => ({}));
    for (const topic of topics) {
      const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
      partitions.sort((a, b) => a - b);
      const [least, more] = [Math.floor(partitions.length / ids.length), partitions.length % ids.length];
      let at = 0;
      for (const [index, share] of shares.entries()) {
        const end = at + least + (index < more ? 1 : 0);
        share[topic] = partitions.slice(at, end);
        at = end;
      }
    }
    return ids.map((memberId, index) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({
        version: 0,
        assignment: shares[index] ?? {},
        userData: Buffer.alloc(0),
      }),
    }));
  },
});

async function javaMember({ bootstrapServers, group, topic }: MemberPlace): Promise<Member> {
  const program = join(import.meta.dirname, 'RangeMember.java');
  const child = spawn('java', ['-Xmx256m', '-cp', installKafka(), program, bootstrapServers, group, topic]);
  const processed: Processed[] = [];
  let owned: number[] = [];
  let closed = false;
  let rest = '';
  let errors = '';
  const take = (line: string): void => {
    const [fact, ...words] = line.split(' ');
    if (fact === 'closed') closed = true;
    if (fact === 'assigned') owned = (words[0] ?? '').split(',').flatMap((word) => (word === '' ? [] : [Number(word)]));
    const [partition, offset, value = ''] = words;
    if (fact === 'got') processed.push({ partition: Number(partition), offset: Number(offset), value });
  };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(take);
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors = (errors + chunk).slice(-OUTPUT_CHARS_MAX);
  });
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    processed,
    owned: () => owned,
    failure: () => (hasEnded() && !closed ? `The Java member ended:\n${errors}` : null),
    leave: async () => {
      owned = [];
      child.stdin.end();
      const force = setTimeout(() => child.kill('SIGKILL'), LEAVE_DEADLINE_MS);
      await until(hasEnded, 'the Java member has left', 2 * LEAVE_DEADLINE_MS);
      clearTimeout(force);
      if (!closed) throw new Error(`The Java member did not leave in order:\n${errors}`);
    },
  };
}

async function ourMember({ bootstrapServers, group, topic }: MemberPlace): Promise<Member> {
  const consumer = createConsumer({
    bootstrapServers,
    groupId: group,
    autoOffsetReset: 'earliest',
    enableAutoCommit: false,
    partitionAssignmentStrategy: ['range'],
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    logger: silentLogger,
  });
  const processed: Processed[] = [];
  let failure: string | null = null;
  let leaving = false;
  consumer.subscribe(topic);
  const working = (async () => {
    while (!leaving) {
      const records = await consumer.poll(POLL_MS);
      for (const { partition, offset, value } of records) processed.push({ partition, offset, value: String(value) });
      try {
        await consumer.commitSync();
      } catch (error) {
        // The group rebalances: the next poll joins, and what is not committed then comes again.
        if (!(error instanceof KafkaError && (error.retriable || error.code === 'COMMIT_FAILED'))) throw error;
      }
    }
  })().catch((error: unknown) => {
    failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
  });
  return {
    processed,
    owned: () =>
      consumer
        .assignment()
        .map(({ partition }) => partition)
        .sort(),
    failure: () => failure,
    leave: async () => {
      leaving = true;
      await working;
      await consumer.close();
    },
  };
}
