/**
 * Exactly once in spite of everything: two workers of one group consume, transform and produce in transactions, while the
 * broker and the workers are killed in turn with SIGKILL, every few seconds. What readers of committed records find in
 * the end, ours and librdkafka, is the input: each record once and in its order.
 *
 * EXACTLY_ONCE_SECONDS says for how long records come and processes die, for each kind of worker; default 12.
 */
import { createAdmin, createConsumer, createProducer, type Producer, silentLogger } from '@kafka-template/client';
import { until } from '../../support/until.js';
import { kcat } from '../support/kcat.js';
import { startTarget, type Target } from '../support/target.js';
import { type WorkerJob, type WorkerKind, Workers } from './workers.js';

const SECONDS = Number(process.env.EXACTLY_ONCE_SECONDS ?? 12);
const PARTITIONS = 3;
/** The broker and a worker at least, however slow the machine is. */
const KILLS_MIN = 2;
const FEED_EVERY_MS = 50;
const RECORDS_PER_FEED = 20;
/** So long a process lives at least; and something has to be moved while it does. */
const KILL_EVERY_MS = 2_500;
/** What a killed process leaves behind has to time out on a slow machine before the next kill. */
const PROGRESS_MS = 120_000;
const CONFIG = {
  'group.min.session.timeout.ms': '500',
  'group.consumer.min.session.timeout.ms': '1000',
  'group.consumer.session.timeout.ms': '3000',
  'group.consumer.min.heartbeat.interval.ms': '500',
  'group.consumer.heartbeat.interval.ms': '500',
};

/** Sends numbered records to all partitions in turn, at a steady pace, until it is stopped. */
class Feed {
  readonly sent: string[][] = Array.from({ length: PARTITIONS }, () => []);
  readonly failures: string[] = [];
  private readonly timer: NodeJS.Timeout;
  private count = 0;

  constructor(
    private readonly producer: Producer,
    private readonly topic: string,
  ) {
    this.timer = setInterval(() => this.feed(), FEED_EVERY_MS);
  }

  /** Resolves when everything is acknowledged. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.producer.close();
  }

  private feed(): void {
    for (let at = 0; at < RECORDS_PER_FEED; at += 1) {
      const partition = this.count % PARTITIONS;
      const value = `v${String(this.count++).padStart(7, '0')}`;
      this.sent[partition]?.push(value);
      this.producer.append({ topic: this.topic, partition, value }, (error) => {
        if (error) this.failures.push(error.message);
      });
    }
  }
}

const places = (topic: string) => Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));

/** Values by partition, as our consumer reads them up to the end. */
async function read(bootstrapServers: string, topic: string, isolationLevel: 'read_committed' | 'read_uncommitted') {
  const consumer = createConsumer({ bootstrapServers, isolationLevel, logger: silentLogger });
  const ends = await consumer.endOffsets(places(topic));
  consumer.assign(places(topic));
  consumer.seekToBeginning();
  const values: string[][] = places(topic).map(() => []);
  await until(async () => {
    for (const record of await consumer.poll(100)) values[record.partition]?.push(String(record.value));
    const positions = await Promise.all(places(topic).map((place) => consumer.position(place)));
    return positions.every((position, index) => position >= (ends[index]?.offset ?? Infinity));
  }, `${topic} is read to its end`);
  await consumer.close();
  return values;
}

/** The same as librdkafka reads it. */
async function readByKcat(bootstrapServers: string, topic: string): Promise<string[][]> {
  const committed = ['-X', 'isolation.level=read_committed', '-f', '%s\n'];
  const values: string[][] = [];
  for (const { partition } of places(topic)) {
    const from = ['-C', '-q', '-e', '-o', 'beginning', '-t', topic, '-p', String(partition)];
    const text = await kcat(bootstrapServers, [...from, ...committed]);
    values.push(text.toString().split('\n').filter(Boolean));
  }
  return values;
}

/** Waits until a transaction has records in the topic and is not at its end. */
async function untilOpen(bootstrapServers: string, topic: string): Promise<void> {
  await betweenEnds(bootstrapServers, (stable, all) => stable !== all, `a transaction is open in ${topic}`, topic);
}

/** Waits until nothing in the topic is open any more. */
async function untilSettled(bootstrapServers: string, topic: string): Promise<void> {
  await betweenEnds(bootstrapServers, (stable, all) => stable === all, `nothing is open in ${topic}`, topic);
}

/** Compares where readers of committed records end with where the log does. */
async function betweenEnds(
  bootstrapServers: string,
  condition: (stable: string, all: string) => boolean,
  what: string,
  topic: string,
): Promise<void> {
  const levels = ['read_committed', 'read_uncommitted'] as const;
  const readers = levels.map((isolationLevel) =>
    createConsumer({ bootstrapServers, isolationLevel, logger: silentLogger }),
  );
  await until(async () => {
    const [stable, all] = await Promise.all(readers.map((reader) => reader.endOffsets(places(topic))));
    return condition(JSON.stringify(stable), JSON.stringify(all));
  }, what);
  // Nobody waits for it: what comes next is a kill, and has to find things as they are.
  void Promise.all(readers.map((reader) => reader.close()));
}

describe('consume, transform, produce', () => {
  let target: Target;

  beforeAll(async () => {
    target = await startTarget(CONFIG);
  });
  afterAll(() => target?.stop());

  it.each<[WorkerKind, WorkerJob['protocol']]>([
    ['ours', 'classic'],
    ['ours', 'consumer'],
    ['java', 'classic'],
    ['java', 'consumer'],
  ])(
    'by our client or Java moves each record once, whoever is killed: %s in a %s group',
    async (kind, protocol) => {
      const { bootstrapServers } = target;
      const [from, to, group] = ['in', 'out', 'movers'].map((name) => `${name}-${kind}-${protocol}`) as [
        string,
        string,
        string,
      ];
      const admin = createAdmin({ bootstrapServers, logger: silentLogger });
      await admin.createTopics([from, to].map((name) => ({ name, numPartitions: PARTITIONS, replicationFactor: 1 })));
      const feed = new Feed(createProducer({ bootstrapServers, logger: silentLogger }), from);
      const job = { bootstrapServers, from, to, group, protocol };
      const workers = new Workers(kind, job, [`${group}-0`, `${group}-1`]);
      const moved = async (): Promise<number> => {
        const offsets = await admin.listConsumerGroupOffsets(group).catch(() => []);
        return offsets.reduce((sum, { offset }) => sum + (offset ?? 0), 0);
      };
      const progress = (condition: () => Promise<boolean>, what: string) =>
        until(condition, what, PROGRESS_MS).catch((error: Error) => {
          throw new Error(`${error.message} Last words of the workers: ${workers.words}`, { cause: error });
        });
      let kills = 0;
      try {
        for (const startedMs = Date.now(); kills < KILLS_MIN || Date.now() - startedMs < SECONDS * 1000; kills += 1) {
          const [before, sinceMs] = [await moved(), Date.now()];
          await progress(
            async () => Date.now() - sinceMs >= KILL_EVERY_MS && (await moved()) > before,
            `records are moved after ${kills} kills`,
          );
          await untilOpen(bootstrapServers, to);
          if (kills % 2 === 0) await target.crash();
          else workers.killNext((kills - 1) / 2);
        }
        await until(
          () => workers.starts >= 2 + Math.floor(kills / 2),
          'another worker took the place of each that was killed',
        );
        await feed.stop();
        expect(feed.failures).toEqual([]);
        const sent = feed.sent.flat().length;
        await progress(async () => (await moved()) >= sent, `all ${sent} records are moved`);
      } finally {
        await feed.stop();
        await workers.end();
        await admin.close();
      }
      await untilSettled(bootstrapServers, to);
      expect(await read(bootstrapServers, from, 'read_uncommitted')).toEqual(feed.sent);
      const wanted = feed.sent.map((values) => values.map((value) => value.toUpperCase()));
      expect(await read(bootstrapServers, to, 'read_committed')).toEqual(wanted);
      expect(await readByKcat(bootstrapServers, to)).toEqual(wanted);
      const all = (await read(bootstrapServers, to, 'read_uncommitted')).flat().length;
      const records = wanted.flat().length;
      expect(all).toBeGreaterThanOrEqual(records);
      process.stdout.write(
        `${kind}, ${protocol}: ${records} records once, ${kills} kills, ${workers.starts} workers ` +
          `(${workers.gaveUp} gave up), ${all - records} records aborted\n`,
      );
    },
    SECONDS * 1000 + 4 * PROGRESS_MS,
  );
});
