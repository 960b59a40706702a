/**
 * A classic group whose members are of different makes shares one topic: kafkajs, Apache Kafka's Java client, and ours.
 *
 * Whoever is first leads and assigns for the others; each of the three is first once. While the group stands still, each
 * record is processed once, by the member that owns its partition; while it changes, none is lost.
 */
import { createAdmin, createProducer, silentLogger, type Admin, type Producer } from '@kafka-template/client';
import { startTarget, type Target } from '../support/target.js';
import { until } from '../../support/until.js';
import { MEMBERS, type Member, type MemberPlace } from './members.js';

type Make = keyof typeof MEMBERS;

const PARTITIONS = 6;
const PORTION = 600;
const SETTLE_MS = 60_000;
const TEST_MS = 240_000;

const ORDERS: { order: [Make, Make, Make] }[] = [
  { order: ['kafkajs', 'java', 'ours'] },
  { order: ['java', 'ours', 'kafkajs'] },
  { order: ['ours', 'kafkajs', 'java'] },
];

describe('a group of kafkajs, Java and our client', () => {
  let target: Target;
  let admin: Admin;
  let producer: Producer;
  const present = new Map<Make, Member>();
  /** Everybody that was in the group, to the end of the test. */
  const all: Member[] = [];
  let sent = 0;

  beforeAll(async () => {
    target = await startTarget();
    const options = { bootstrapServers: target.bootstrapServers, logger: silentLogger };
    admin = createAdmin(options);
    producer = createProducer(options);
  });
  afterEach(async () => {
    await Promise.allSettled([...present.values()].map((member) => member.leave()));
    present.clear();
    all.length = 0;
    sent = 0;
  });
  afterAll(async () => {
    await producer?.close();
    await admin?.close();
    await target?.stop();
  });

  const enter = async (make: Make, place: MemberPlace): Promise<void> => {
    const member = await MEMBERS[make](place);
    present.set(make, member);
    all.push(member);
  };
  const leave = async (make: Make): Promise<void> => {
    await present.get(make)?.leave();
    present.delete(make);
  };
  const produce = async (topic: string): Promise<void> => {
    for (const end = sent + PORTION; sent < end; sent += 1) {
      producer.append({ topic, partition: sent % PARTITIONS, value: String(sent) });
    }
    await producer.flush();
  };

  /** Every partition has one owner, and shares are as even as they can be and in one piece: that is `range`. */
  const isShared = (): boolean => {
    const shares = [...present.values()].map((member) => member.owned());
    const inOnePiece = shares.every((share) => share.every((partition, at) => partition === (share[0] ?? 0) + at));
    const even = shares.every((share) => share.length === PARTITIONS / present.size);
    return inOnePiece && even && new Set(shares.flat()).size === PARTITIONS;
  };
  const processed = (): string[] => all.flatMap((member) => member.processed.map(({ value }) => value));
  const untilAllIs = async (condition: () => boolean, what: string): Promise<void> => {
    const failures = (): string[] => [...present.values()].flatMap((member) => member.failure() ?? []);
    try {
      await until(() => failures().length > 0 || condition(), what, SETTLE_MS);
    } catch (error) {
      const owned = [...present].map(([make, member]) => `${make} owns ${member.owned().join()}`);
      throw new Error(`${owned.join('; ')}; ${new Set(processed()).size} of ${sent} processed`, { cause: error });
    }
    expect(failures()).toEqual([]);
  };
  const untilShared = (): Promise<void> => untilAllIs(isShared, `${present.size} members share the topic`);
  const untilNoneIsLost = (): Promise<void> =>
    untilAllIs(() => new Set(processed()).size === sent, `all ${sent} records are processed`);

  /** The group stands still: one portion more is processed once, each record by the owner of its partition. */
  const expectOnce = async (topic: string): Promise<void> => {
    await untilShared();
    await untilNoneIsLost();
    const before = new Map([...present.values()].map((member) => [member, member.processed.length]));
    const owned = new Map([...present.values()].map((member) => [member, member.owned()]));
    await produce(topic);
    await untilNoneIsLost();
    const added = [...before].map(([member, from]) => member.processed.slice(from));
    expect(added.flat()).toHaveLength(PORTION);
    for (const [member, from] of before) {
      const places = new Set(member.processed.slice(from).map(({ partition }) => partition));
      expect([...places].sort()).toEqual(owned.get(member));
    }
  };

  it.each(ORDERS)(
    '$order shares a topic without gap or double while $order.0 leads, leaves and comes back',
    async ({ order }) => {
      const [first, second, third] = order;
      const topic = `mixed-${first}`;
      const place = { bootstrapServers: target.bootstrapServers, group: topic, topic };
      await admin.createTopics([{ name: topic, numPartitions: PARTITIONS, replicationFactor: 1 }]);
      await enter(first, place);
      await expectOnce(topic);
      for (const make of [second, third]) {
        await enter(make, place);
        // It joins while records flow.
        await produce(topic);
        await expectOnce(topic);
      }
      const leaving = leave(first);
      await produce(topic);
      await leaving;
      await expectOnce(topic);
      await enter(first, place);
      await produce(topic);
      await expectOnce(topic);
      // What the members have done is committed: nothing comes again to whoever is next.
      for (const make of order) await leave(make);
      const offsets = await admin.listConsumerGroupOffsets(topic);
      expect(offsets.map(({ offset }) => offset)).toEqual(Array.from({ length: PARTITIONS }, () => sent / PARTITIONS));
    },
    TEST_MS,
  );
});
