/**
 * Groups of the consumer protocol (KIP-848): joining, sharing, giving partitions up, leaving, patterns, static members.
 *
 * Runs on the embedded broker and on Apache Kafka alike. A rebalance takes as long as heartbeats are apart: 5 seconds
 * unless the broker is set up otherwise. A broker whose features say that it does not serve the protocol (Apache Kafka
 * 3.9, unless it is switched on) has to be refused in words.
 */
import {
  type Consumer,
  type ConsumerOptions,
  type RebalanceListener,
  type TopicPartition,
} from '@kafka-template/client';
import { uniqueName } from '../support/broker.js';
import { Consuming, pollAll, pollAssigned, pollCount, pollUntil, rejection, values } from '../support/consuming.js';
import { until } from '../support/until.js';

const kafka = await Consuming.start();
const served = (await kafka.featureLevel('group.version')) > 0;

afterAll(async () => {
  await kafka.close();
});

function member(groupId: string, options: Partial<ConsumerOptions> = {}): Consumer {
  const protocol = { groupProtocol: 'consumer', heartbeatIntervalMs: undefined, autoOffsetReset: 'earliest' } as const;
  return kafka.consumer({ groupId, ...protocol, ...options });
}

/** A listener that writes down what it is told: `+0,1`, `-0,1`, `!0,1` (lost). */
function recordingListener(log: string[]): RebalanceListener {
  const note = (sign: string) => (partitions: TopicPartition[]) =>
    void log.push(sign + partitions.map((each) => each.partition).join());
  return { onPartitionsAssigned: note('+'), onPartitionsRevoked: note('-'), onPartitionsLost: note('!') };
}

/** What a broker that serves the protocol has to do. */
function servedGroups(): void {
  it('join with an id of their own, read everything, commit with their epoch, and are described as what they are', async () => {
    const topic = await kafka.topic(2);
    const groupId = uniqueName('group');
    await kafka.send(topic, values('a', 10), 0);
    await kafka.send(topic, values('b', 10), 1);
    const consumer = member(groupId, { enableAutoCommit: false, groupRemoteAssignor: 'range' });
    consumer.subscribe(topic);
    expect((await pollCount(consumer, 20)).length).toBe(20);
    await consumer.commitSync();
    const { memberId, generationId } = consumer.groupMetadata();
    expect(memberId).toMatch(/^[\w-]{22}$/);
    expect(generationId).toBeGreaterThan(0);
    const [group] = await kafka.admin.describeGroups([groupId]);
    expect(group).toMatchObject({ state: 'Stable', protocol: 'range', error: null });
    expect(group?.members).toMatchObject([{ memberId, assignment: [{ partition: 0 }, { partition: 1 }] }]);
    const [listed] = (await kafka.admin.listGroups()).filter((each) => each.groupId === groupId);
    expect(listed?.type.toLowerCase()).toBe('consumer');
    await consumer.close();
    const committed = await kafka.admin.listConsumerGroupOffsets(groupId);
    expect(committed.map(({ offset }) => offset)).toEqual([10, 10]);
  });

  it('move partitions one by one: what stays is read on, what goes is revoked and committed first', async () => {
    const topic = await kafka.topic(4);
    const groupId = uniqueName('group');
    for (const partition of [0, 1, 2, 3]) await kafka.send(topic, values(`p${partition}-`, 50), partition);
    const logs: [string[], string[]] = [[], []];
    const first = member(groupId, { maxPollRecords: 7 });
    first.subscribe(topic, recordingListener(logs[0]));
    const seen = await pollUntil(first, (received) => first.assignment().length === 4 && received.length >= 60);
    const second = member(groupId);
    second.subscribe(topic, recordingListener(logs[1]));
    const both = await pollAll([first, second], (each) => each.flat().length + seen.length >= 200);
    expect([...seen, ...both.flat()].sort()).toEqual([0, 1, 2, 3].flatMap((p) => values(`p${p}-`, 50)).sort());
    await pollAll([first, second], () => first.assignment().length === 2 && second.assignment().length === 2);
    expect(logs[0][0]).toBe('+0,1,2,3');
    expect(logs[0].some((line) => line.startsWith('-'))).toBe(true);
    expect(logs[0].some((line) => line.startsWith('!'))).toBe(false);
    await second.close();
    await pollAssigned(first, 4);
    await first.close();
    expect(logs[1].at(-1)?.startsWith('-')).toBe(true);
  });
}

/** What it has to do for patterns, for static members, and for members that do not poll. */
function servedMembers(): void {
  it('evaluate patterns at the broker, and find topics that are created later', async () => {
    const prefix = uniqueName('pattern');
    await kafka.topic(1, `${prefix}-a`);
    await kafka.topic(1, `other-${uniqueName('x')}`);
    const consumer = member(uniqueName('group'), { metadataMaxAgeMs: 1_000 });
    consumer.subscribe(new RegExp(`^${prefix.toUpperCase()}-[ab]$`, 'i'));
    await pollAssigned(consumer, 1);
    expect(consumer.assignment()).toEqual([{ topic: `${prefix}-a`, partition: 0 }]);
    await consumer.close();
  });

  it('a static member that comes back has its partitions at once', async () => {
    const topic = await kafka.topic(2);
    const groupId = uniqueName('group');
    const options = { groupInstanceId: 'one', enableAutoCommit: false };
    const first = member(groupId, options);
    first.subscribe(topic);
    await pollAssigned(first, 2);
    await first.close();
    const [described] = await kafka.admin.describeGroups([groupId]);
    expect(described?.members.map((each) => each.groupInstanceId)).toEqual(['one']);
    const again = member(groupId, options);
    again.subscribe(topic);
    await pollAssigned(again, 2);
    await again.close();
  });

  it('a member that does not poll loses its partitions, is told so, and joins again with the next poll', async () => {
    const topic = await kafka.topic(1);
    const log: string[] = [];
    const consumer = member(uniqueName('group'), { maxPollIntervalMs: 1_000, enableAutoCommit: false });
    consumer.subscribe(topic, recordingListener(log));
    await pollAssigned(consumer, 1);
    await until(() => consumer.groupMetadata().generationId === -1, 'the member has left');
    const error = await rejection(consumer.commitSync([{ topic, partition: 0, offset: 0 }]));
    expect(error.code).toBe('COMMIT_FAILED');
    await pollUntil(consumer, () => log.length === 3);
    expect(log).toEqual(['+0', '!0', '+0']);
    await consumer.close();
  });
}

/** What the client says to one that does not. */
function refusedGroups(): void {
  it('fail the first poll with what to do instead; nothing falls back silently', async () => {
    const topic = await kafka.topic(1);
    const consumer = member(uniqueName('group'));
    consumer.subscribe(topic);
    const error = await rejection(pollAssigned(consumer, 1));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_VERSION', retriable: false });
    expect(error.message).toContain('Set "groupProtocol" to "classic", or use Kafka 4.0 or later.');
  });
}

if (served) {
  describe('groups of the consumer protocol', servedGroups);
  describe('members of groups of the consumer protocol', servedMembers);
} else describe('groups of the consumer protocol, on a broker without it', refusedGroups);
