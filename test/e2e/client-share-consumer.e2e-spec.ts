/**
 * Share groups (KIP-932) with our client: implicit and explicit acknowledgement, release, reject, renewal, sharing one
 * partition, giving back at close, and what a group is told when it does wrong.
 *
 * Runs on the embedded broker and on Apache Kafka alike. A member of a new group may have to wait for its second heartbeat
 * before it is given partitions: 5 seconds on Apache Kafka. A broker that does not serve share groups (Apache Kafka 3.9) has
 * to be refused in words.
 */
import {
  createShareConsumer,
  silentLogger,
  type ShareCommitOutcome,
  type ShareConsumer,
  type ShareConsumerOptions,
  type ShareRecord,
} from '@kafka-template/client';
import { uniqueName } from '../support/broker.js';
import { Consuming, rejection, values } from '../support/consuming.js';

const kafka = await Consuming.start();
const served = (await kafka.featureLevel('share.version')) > 0;
const open: ShareConsumer[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((consumer) => consumer.close()));
});
afterAll(async () => {
  await kafka.close();
});

function member(groupId: string, options: Partial<ShareConsumerOptions> = {}): ShareConsumer {
  const { bootstrapServers } = kafka.broker;
  const consumer = createShareConsumer({ bootstrapServers, groupId, logger: silentLogger, ...options });
  open.push(consumer);
  return consumer;
}

/** A group that begins at the beginning. */
async function group(): Promise<string> {
  const name = uniqueName('share');
  const changes = [{ name: 'share.auto.offset.reset', value: 'earliest' }];
  const [outcome] = await kafka.admin.alterConfigs([{ type: 'group', name, changes }]);
  if (outcome?.error != null) throw outcome.error;
  return name;
}

/** Polls until there are so many records; what each is worth is said by `each`. */
async function take(
  consumer: ShareConsumer,
  count: number,
  each: (record: ShareRecord) => void = () => undefined,
): Promise<ShareRecord[]> {
  const records: ShareRecord[] = [];
  const deadline = Date.now() + 60_000;
  while (records.length < count) {
    if (Date.now() > deadline) throw new Error(`${records.length} of ${count} records came`);
    for (const record of await consumer.poll(1000)) {
      each(record);
      records.push(record);
    }
  }
  return records;
}

const textOf = (record: ShareRecord): string => record.value?.toString() ?? '';
const codes = (outcomes: readonly ShareCommitOutcome[]): (string | null)[] =>
  outcomes.map(({ error }) => error?.code ?? null);

/** Every record to one member, once. */
function deliveries(): void {
  it('give every record once, and never again what was accepted by the next poll', async () => {
    const [topic, groupId] = [await kafka.topic(2), await group()];
    await kafka.send(topic, values('a', 20), 0);
    await kafka.send(topic, values('b', 20), 1);
    const consumer = member(groupId);
    consumer.subscribe(topic);
    const records = await take(consumer, 40);
    expect(new Set(records.map(textOf)).size).toBe(40);
    expect(records.every(({ deliveryCount }) => deliveryCount === 1)).toBe(true);
    expect(codes(await consumer.commitSync())).toEqual(expect.arrayContaining([null]));
    expect(consumer.acquisitionLockTimeoutMs()).toBeGreaterThanOrEqual(1000);
    await consumer.close();

    await kafka.send(topic, ['last'], 0);
    const next = member(groupId);
    next.subscribe(topic);
    expect((await take(next, 1)).map(textOf)).toEqual(['last']);
  });

  it('share one partition among members, each record with one of them', async () => {
    const [topic, groupId] = [await kafka.topic(1), await group()];
    const options = { maxPollRecords: 5, shareAcquireMode: 'record_limit' } as const;
    const members = [member(groupId, options), member(groupId, options)];
    for (const each of members) each.subscribe(topic);
    await kafka.send(topic, values('v', 100), 0);
    const taken: string[] = [];
    const deadline = Date.now() + 60_000;
    while (taken.length < 100 && Date.now() < deadline) {
      const polled = await Promise.all(members.map((each) => each.poll(500)));
      for (const records of polled) {
        expect(records.count).toBeLessThanOrEqual(5);
        for (const record of records) taken.push(textOf(record));
      }
    }
    expect(taken.sort()).toEqual(values('v', 100).sort());
  });
}

/** Records with which something is the matter. */
function acknowledgements(): void {
  it('do with each record what is said of it, and tell how that went', async () => {
    const [topic, groupId] = [await kafka.topic(1), await group()];
    await kafka.send(topic, ['good', 'again', 'bad', 'slow'], 0);
    const consumer = member(groupId, { shareAcknowledgementMode: 'explicit' });
    const told: ShareCommitOutcome[] = [];
    consumer.setAcknowledgementCommitCallback((outcomes) => told.push(...outcomes));
    consumer.subscribe(topic);
    const first = await take(consumer, 4);
    const unsettled = await rejection(consumer.poll(0));
    expect(unsettled.code).toBe('INVALID_ARGUMENT');
    const [good, again, bad, slow] = first as [ShareRecord, ShareRecord, ShareRecord, ShareRecord];
    consumer.acknowledge(good);
    consumer.acknowledge(again, 'release');
    consumer.acknowledge(bad, 'reject');
    consumer.acknowledge(slow, 'renew');
    expect(await consumer.commitSync()).toEqual([{ topic, partition: 0, offsets: [0, 1, 2, 3], error: null }]);
    expect(() => consumer.acknowledge(good)).toThrow('is not in hand');

    const [second] = await take(consumer, 1);
    expect([textOf(second!), second!.deliveryCount, second!.offset]).toEqual(['again', 2, 1]);
    consumer.acknowledge(second!);
    // The renewed one is still here.
    consumer.acknowledge(slow);
    expect(codes(await consumer.commitSync())).toEqual([null]);
    expect((await consumer.poll(1000)).isEmpty).toBe(true);
    expect(told.every(({ error }) => error === null)).toBe(true);
    expect(told.flatMap(({ offsets }) => offsets)).toEqual([0, 1, 2, 3, 1, 3]);
  });

  it('give a record to nobody any more after the last delivery that is allowed', async () => {
    const [topic, groupId] = [await kafka.topic(1), await group()];
    await kafka.send(topic, ['poison'], 0);
    const consumer = member(groupId, { shareAcknowledgementMode: 'explicit' });
    consumer.subscribe(topic);
    const counts: number[] = [];
    for (let delivery = 0; delivery < 5; delivery += 1) {
      const release = (record: ShareRecord): void => consumer.acknowledge(record, 'release');
      for (const { deliveryCount } of await take(consumer, 1, release)) counts.push(deliveryCount);
    }
    expect(counts).toEqual([1, 2, 3, 4, 5]);
    await kafka.send(topic, ['after'], 0);
    expect((await take(consumer, 1, (record) => consumer.acknowledge(record))).map(textOf)).toEqual(['after']);
  });
}

/** Beginning, moving and end. */
function lives(): void {
  it('give back at close what was not acknowledged', async () => {
    const [topic, groupId] = [await kafka.topic(1), await group()];
    await kafka.send(topic, ['one', 'two'], 0);
    const first = member(groupId, { shareAcknowledgementMode: 'explicit' });
    first.subscribe(topic);
    const [one] = await take(first, 2);
    first.acknowledge(one!);
    await first.close();
    const second = member(groupId);
    second.subscribe(topic);
    expect((await take(second, 1)).map((record) => [textOf(record), record.deliveryCount])).toEqual([['two', 2]]);
  });

  it('are described, moved, forgotten and deleted by an admin', async () => {
    const [topic, groupId] = [await kafka.topic(1), await group()];
    const { admin } = kafka;
    await kafka.send(topic, values('v', 10), 0);
    const consumer = member(groupId);
    consumer.subscribe(topic);
    await take(consumer, 10);
    await consumer.commitSync();
    const [described] = await admin.describeShareGroups([groupId]);
    expect(described).toMatchObject({ state: 'Stable', assignor: 'simple', error: null });
    expect(described?.members).toMatchObject([{ subscribedTopics: [topic], assignment: [{ topic, partition: 0 }] }]);
    // Apache Kafka stores the start with the next change only; what is left to do is right at once.
    const offsets = { topic, partition: 0, lag: 0, error: null };
    expect(await admin.listShareGroupOffsets(groupId)).toMatchObject([offsets]);
    const busy = await rejection(admin.alterShareGroupOffsets(groupId, [{ topic, partition: 0, offset: 4 }]));
    expect(busy.code).toBe('NON_EMPTY_GROUP');
    await consumer.close();

    expect(await admin.alterShareGroupOffsets(groupId, [{ topic, partition: 0, offset: 4 }])).toEqual([
      { topic, partition: 0, error: null },
    ]);
    expect(await admin.listShareGroupOffsets(groupId)).toMatchObject([{ startOffset: 4, lag: 6 }]);
    const again = member(groupId);
    again.subscribe(topic);
    expect((await take(again, 6)).map(({ offset }) => offset)).toEqual([4, 5, 6, 7, 8, 9]);
    await again.commitSync();
    await again.close();

    expect(await admin.deleteShareGroupOffsets(groupId, [topic])).toEqual([{ topic, error: null }]);
    expect(await admin.listShareGroupOffsets(groupId)).toEqual([]);
    const [listed] = (await admin.listGroups({ types: ['share'] })).filter((each) => each.groupId === groupId);
    expect(listed).toMatchObject({ state: 'Empty', protocolType: 'share' });
    expect(await admin.deleteGroups([groupId])).toEqual([{ groupId, error: null }]);
    const [gone] = await admin.describeShareGroups([groupId]);
    expect(gone?.error?.code).toBe('GROUP_ID_NOT_FOUND');
  });
}

/** What is asked the wrong way. */
function refusals(): void {
  it('are woken, and refuse what is wrong', async () => {
    const [topic, groupId] = [await kafka.topic(1), await group()];
    const consumer = member(groupId);
    expect((await rejection(consumer.poll(0))).code).toBe('INVALID_ARGUMENT');
    consumer.subscribe(topic);
    expect(() => consumer.acknowledge({ topic, partition: 0, offset: 0 })).toThrow('"explicit"');
    const polling = rejection(consumer.poll(60_000));
    consumer.wakeup();
    expect((await polling).code).toBe('WAKEUP');
    await consumer.close();
    expect((await rejection(consumer.poll(0))).code).toBe('CLOSED');
    expect(() => createShareConsumer({ bootstrapServers: 'localhost:1', groupId, autoCommit: true } as never)).toThrow(
      'Unknown option "autoCommit" of the share consumer',
    );
  });
}

function unservedGroups(): void {
  it('are refused in words', async () => {
    const consumer = member(uniqueName('share'));
    consumer.subscribe(await kafka.topic(1));
    const refused = await rejection(consumer.poll(30_000));
    expect(refused.message).toMatch(/share group/i);
  });
}

function servedGroups(): void {
  deliveries();
  acknowledgements();
  lives();
  refusals();
}

describe('share groups', served ? servedGroups : unservedGroups);
