/**
 * A hundred consumers in one group, and a broker that does nothing for five seconds, which is longer than their sessions:
 * nobody is taken for dead, because the broker's own silence is not held against them.
 *
 * Not an e2e-spec: it stops a broker process of its own, and the event loop of this one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBroker } from '@kafka-template/broker';
import { type Consumer, createAdmin, createConsumer, createProducer, silentLogger } from '@kafka-template/client';
import { endRuns, kt } from '../../src/testing/kt.js';
import { until } from '../support/until.js';

const MEMBERS = 100;
const TOPIC = 'work';
const GROUP = 'many';
const BUSY_MS = 5_000;
const SESSION_MS = 4_000;
const CONFIG = { 'group.min.session.timeout.ms': '500' };
/** Joining a hundred on a machine that does other work as well. */
const DEADLINE_MS = 120_000;

const consumers: Consumer[] = [];
let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'kafka-template-busy-'));
});

afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.close(1_000)));
  await endRuns();
  rmSync(dataDir, { recursive: true, force: true });
});

/** A process that is stopped and goes on, as one that waits for a processor. */
async function processOfItsOwn() {
  const overrides = Object.entries(CONFIG).flatMap(([name, value]) => ['--override', `${name}=${value}`]);
  const run = kt(['broker', '--port', '0', '--data-dir', dataDir, ...overrides]);
  await until(() => / ready on /.test(run.output.stdout), 'the broker is ready');
  const busy = async (): Promise<void> => {
    run.child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
    run.child.kill('SIGCONT');
  };
  return {
    bootstrapServers: `127.0.0.1:${/:(\d+)\n/.exec(run.output.stdout)?.[1]}`,
    busy,
    close: async () => undefined,
  };
}

/** A broker on the event loop of the consumers: they are silent as well. */
async function inProcess() {
  const broker = await createBroker({ config: CONFIG });
  const busy = async (): Promise<void> => {
    for (const endMs = Date.now() + BUSY_MS; Date.now() < endMs;) continue;
  };
  return { bootstrapServers: broker.bootstrapServers, busy, close: () => broker.close() };
}

/** Polls all members until the condition holds; counts what they get. */
async function pollUntil(condition: () => boolean, counts: Map<Consumer, number>, what: string): Promise<void> {
  await until(
    async () => {
      const polled = await Promise.all(consumers.map((consumer) => consumer.poll(50)));
      polled.forEach((records, at) => {
        const consumer = consumers[at];
        if (consumer) counts.set(consumer, (counts.get(consumer) ?? 0) + records.count);
      });
      return condition();
    },
    what,
    DEADLINE_MS,
  );
}

it.each([
  ['a process of its own', processOfItsOwn],
  ['the process of the consumers', inProcess],
])(
  'a hundred members stay while the broker, in %s, is busy for longer than a session',
  async (_where, start) => {
    const { bootstrapServers, busy, close } = await start();
    const admin = createAdmin({ bootstrapServers, logger: silentLogger });
    await admin.createTopics([{ name: TOPIC, numPartitions: MEMBERS, replicationFactor: 1 }]);
    for (let member = 0; member < MEMBERS; member += 1) {
      const session = { sessionTimeoutMs: SESSION_MS, heartbeatIntervalMs: 500, fetchMaxWaitMs: 200 };
      const options = { bootstrapServers, groupId: GROUP, autoOffsetReset: 'earliest', logger: silentLogger } as const;
      const consumer = createConsumer({ ...options, ...session, enableAutoCommit: false });
      consumer.subscribe(TOPIC);
      consumers.push(consumer);
    }
    const counts = new Map<Consumer, number>();
    await pollUntil(() => consumers.every((each) => each.assignment().length === 1), counts, 'everybody has one');
    const identities = (): string[] =>
      consumers.map((each) => `${each.groupMetadata().memberId} ${each.groupMetadata().generationId}`);
    const before = identities();
    await busy();
    const producer = createProducer({ bootstrapServers, logger: silentLogger });
    for (let partition = 0; partition < MEMBERS; partition += 1)
      producer.append({ topic: TOPIC, partition, value: 'v' });
    await producer.close();
    await pollUntil(() => consumers.every((each) => (counts.get(each) ?? 0) > 0), counts, 'everybody has read');
    // Beyond the end of the sessions as they were when the broker went silent.
    const afterMs = Date.now() + SESSION_MS;
    await pollUntil(() => Date.now() > afterMs, counts, 'sessions would be over');
    expect(identities()).toEqual(before);
    expect([...counts.values()]).toEqual(consumers.map(() => 1));
    const [group] = await admin.describeGroups([GROUP]);
    expect([group?.state, group?.members.length]).toEqual(['Stable', MEMBERS]);
    await admin.close();
    await Promise.all(consumers.splice(0).map((consumer) => consumer.close(5_000)));
    await close();
  },
  3 * DEADLINE_MS,
);
