import { driverError } from '../testing/cluster-fake.js';
import { type AdminFake, DriverFake } from '../testing/driver-fake.js';
import { FakeClock } from '../testing/fake-clock.js';
import { KafkaAdmin } from './kafka-admin.js';
import type { KafkaAdminOptions } from './kafka.options.js';
import { type NewTopic, newTopic } from './new-topic.js';

function create(topics: readonly NewTopic[], options: KafkaAdminOptions = {}) {
  const clock = new FakeClock();
  const driver = new DriverFake(clock);
  const client = driver.createAdmin({});
  const logged: string[] = [];
  const say = (message: string) => void logged.push(message);
  const log = { debug: say, info: say, warn: say, error: say };
  return { clock, driver, client, logged, admin: new KafkaAdmin({ client, topics, options, clock, log }) };
}

/** The broker is away for so many calls. */
function away(client: AdminFake, calls: number): void {
  for (let call = 0; call < calls; call++) client.errors.push(driverError('NETWORK', { retriable: true }));
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('module: KafkaAdmin', () => {
  it('creates what is missing, grows what is too small, leaves the rest alone', async () => {
    const { admin, driver, logged } = create([
      newTopic('new', { partitions: 3 }),
      newTopic('small', { partitions: 4 }),
      newTopic('big', { partitions: 1 }),
      newTopic('as-it-is'),
    ]);
    for (const [name, partitions] of Object.entries({ small: 2, big: 5, 'as-it-is': 2 })) {
      driver.cluster.createTopic(name, partitions);
    }
    await admin.initialize();
    await admin.ready;
    expect(driver.calls).toEqual(['admin.createTopic new 3', 'admin.createPartitions small 4']);
    expect(Object.fromEntries(driver.cluster.topics)).toEqual({ new: 3, small: 4, big: 5, 'as-it-is': 2 });
    expect(logged.join('\n')).toContain('Topic big has 5 partitions and keeps them: 1 would be fewer');
  });

  it('grows a topic that somebody else created meanwhile', async () => {
    const { admin, client, driver } = create([newTopic('t', { partitions: 3 })]);
    const describe = client.describeTopics.bind(client);
    client.describeTopics = async (names) => {
      const found = await describe(names);
      driver.cluster.createTopic('t', 1);
      return found;
    };
    await admin.initialize();
    expect(driver.calls).toEqual(['admin.createTopic t 3', 'admin.createPartitions t 3']);
  });

  it('lets the application start without a broker, and goes on in the background', async () => {
    const { admin, clock, client, driver, logged } = create([newTopic('t')]);
    away(client, 3);
    const started = admin.initialize();
    await settle();
    clock.advance(3000);
    await started;
    expect(logged.join('\n')).toContain(
      'The application starts without its topics (t), which could not be created within 3000 ms',
    );
    await settle();
    clock.advance(10_000);
    await settle();
    clock.advance(10_000);
    await admin.ready;
    expect(driver.cluster.topics.has('t')).toBe(true);
  });

  it.each<[string, () => Error, RegExp]>([
    ['is away', () => driverError('NETWORK', { retriable: true }), /no answer within 50 ms.*failFast/],
    ['refuses', () => driverError('INVALID_REPLICATION_FACTOR'), /scripted INVALID_REPLICATION_FACTOR.*failFast/],
  ])('with failFast fails when the broker %s', async (_name, error, message) => {
    const { admin, clock, client } = create([newTopic('t')], { failFast: true, startTimeoutMs: 50 });
    client.errors.push(error());
    const outcome = expect(admin.initialize()).rejects.toThrow(message);
    await settle();
    clock.advance(50);
    await outcome;
    await admin.close();
  });

  it('says what the broker refused, and lets listeners start', async () => {
    const { admin, client, logged } = create([newTopic('t')]);
    client.errors.push(driverError('INVALID_REPLICATION_FACTOR'));
    await admin.initialize();
    await admin.ready;
    expect(logged.join('\n')).toContain('could not be created; listeners start without them');
  });

  it('creates nothing when autoCreate is off, and ends when it is closed', async () => {
    const off = create([newTopic('t')], { autoCreate: false });
    await off.admin.initialize();
    expect(off.driver.calls).toEqual([]);
    const waiting = create([newTopic('t')]);
    away(waiting.client, 100);
    const started = waiting.admin.initialize();
    await settle();
    await waiting.admin.close();
    await started;
    expect(waiting.clock.timerCount).toBe(0);
  });
});
