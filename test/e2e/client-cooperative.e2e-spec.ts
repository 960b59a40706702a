/**
 * Groups with the strategies sticky and cooperative-sticky on a real coordinator: members join and leave while records
 * flow; what a member keeps it reads on, and no record is lost or repeated.
 */
import { type Consumer, type KafkaError, type RebalanceListener, type TopicPartition } from '@kafka-template/client';
import { uniqueName } from '../support/broker.js';
import { Consuming, pollAll, pollAssigned, pollUntil, values } from '../support/consuming.js';

let kafka: Consuming;

beforeAll(async () => {
  kafka = await Consuming.start();
});

afterAll(async () => {
  await kafka.close();
});

const PARTITIONS = [0, 1, 2, 3, 4, 5];
const OPTIONS = { autoOffsetReset: 'earliest', enableAutoCommit: false } as const;
const COOPERATIVE = { ...OPTIONS, partitionAssignmentStrategy: 'cooperative-sticky' } as const;

/** Who owns what, as told by the listeners; complains when a partition has two owners. */
class Owners {
  readonly log: string[] = [];
  readonly faults: string[] = [];
  private readonly owners = new Map<number, string>();

  /** A listener that commits what is revoked. */
  listener(name: string, consumer: Consumer): RebalanceListener {
    return {
      onPartitionsAssigned: (partitions) => {
        this.note(name, '+', partitions);
        for (const { partition } of partitions) {
          const owner = this.owners.get(partition);
          if (owner !== undefined) this.faults.push(`${partition} goes to ${name} while ${owner} has it`);
          this.owners.set(partition, name);
        }
      },
      onPartitionsRevoked: async (partitions) => {
        await consumer.commitSync();
        this.note(name, '-', partitions);
        for (const { partition } of partitions) this.owners.delete(partition);
      },
      onPartitionsLost: (partitions) => void this.faults.push(`${name} lost ${partitions.length} partitions`),
    };
  }

  private note(name: string, sign: string, partitions: readonly TopicPartition[]): void {
    if (partitions.length > 0) this.log.push(`${name}${sign}${partitions.map((each) => each.partition).join()}`);
  }
}

/** Sends to all partitions, a hundred records each, as long as it is asked to. */
class Stream {
  readonly sent: string[] = [];
  private round = 0;

  constructor(private readonly topic: string) {}

  async send(): Promise<void> {
    const prefix = `r${this.round++}-`;
    await Promise.all(PARTITIONS.map((partition) => kafka.send(this.topic, this.batch(prefix, partition), partition)));
  }

  private batch(prefix: string, partition: number): string[] {
    const batch = values(`${prefix}p${partition}-`, 100);
    this.sent.push(...batch);
    return batch;
  }
}

function counts(consumers: readonly Consumer[]): string {
  return consumers.map((each) => each.assignment().length).join();
}

function partitionsOf(consumer: Consumer): number[] {
  return consumer.assignment().map((each) => each.partition);
}

describe('cooperative-sticky', () => {
  it('members join and leave: only what has to moves, never to two at once, and no record is lost or repeated', async () => {
    const topic = await kafka.topic(PARTITIONS.length);
    const groupId = uniqueName('group');
    const owners = new Owners();
    const stream = new Stream(topic);
    const join = (name: string): Consumer => {
      const consumer = kafka.consumer({ groupId, ...COOPERATIVE, maxPollRecords: 50 });
      consumer.subscribe(topic, owners.listener(name, consumer));
      return consumer;
    };
    const received: string[] = [];
    const first = join('a');
    received.push(...(await pollUntil(first, () => counts([first]) === '6')));
    await stream.send();

    const second = join('b');
    const shared = await pollAll([first, second], () => counts([first, second]) === '3,3');
    received.push(...shared.flat());
    await stream.send();
    expect(partitionsOf(first)).toEqual([0, 1, 2]);

    const third = join('c');
    const split = await pollAll([first, second, third], () => counts([first, second, third]) === '2,2,2');
    received.push(...split.flat());
    await stream.send();

    const kept = [partitionsOf(second), partitionsOf(third)];
    await first.close();
    const left = await pollAll([second, third], () => counts([second, third]) === '3,3');
    received.push(...left.flat());
    await stream.send();
    const [nowSecond, nowThird] = [partitionsOf(second), partitionsOf(third)];
    expect(nowSecond).toEqual(expect.arrayContaining(kept[0] as number[]));
    expect(nowThird).toEqual(expect.arrayContaining(kept[1] as number[]));

    const rest = await pollAll([second, third], (each) => each.flat().length + received.length >= stream.sent.length);
    received.push(...rest.flat());
    expect(owners.faults).toEqual([]);
    expect([...received].sort()).toEqual([...stream.sent].sort());
    // What is revoked at a join is the newcomer's share and no more; what stays is never told of again.
    expect(owners.log.slice(0, 3)).toEqual(['a+0,1,2,3,4,5', 'a-3,4,5', 'b+3,4,5']);
  });

  it('reads what it keeps in order and without a gap while another member takes its time to join', async () => {
    const topic = await kafka.topic(2);
    const groupId = uniqueName('group');
    const first = kafka.consumer({ groupId, ...COOPERATIVE });
    first.subscribe(topic);
    await pollAssigned(first, 2);
    await kafka.send(topic, values('before', 5), 0);
    const received = await pollUntil(first, (each) => each.length === 5);
    const slow = kafka.consumer({ groupId, ...COOPERATIVE });
    slow.subscribe(topic);
    await pollAll([first, slow], () => counts([first, slow]) === '1,1');
    // `slow` polls no more: its part of the next round is not played until it does.
    const third = kafka.consumer({ groupId, ...COOPERATIVE });
    third.subscribe(topic);
    const joining = third.poll(20_000);
    const { generationId } = first.groupMetadata();
    const isJoining = async (): Promise<boolean> => {
      const code = await first.commitSync().then(
        () => 'NONE',
        (error: KafkaError) => error.code,
      );
      return code === 'REBALANCE_IN_PROGRESS';
    };
    received.push(...(await pollUntil(first, isJoining)));
    await kafka.send(topic, values('during', 500), 0);
    received.push(...(await pollUntil(first, (each) => each.length === 500)));
    expect(first.groupMetadata().generationId).toBe(generationId);
    expect(received).toEqual([...values('before', 5), ...values('during', 500)]);
    await pollAll([first, slow], () => first.groupMetadata().generationId > generationId);
    third.wakeup();
    await joining.catch(() => undefined);
    expect(partitionsOf(first)).toEqual([0]);
  });

  it('shares a group with members that are on their way from range, in two rolls', async () => {
    const topic = await kafka.topic(4);
    const groupId = uniqueName('group');
    const both = { ...OPTIONS, groupId, partitionAssignmentStrategy: ['cooperative-sticky', 'range'] } as const;
    const roll = async (
      old: readonly Consumer[],
      options: Parameters<Consuming['consumer']>[0],
    ): Promise<Consumer[]> => {
      const members = [...old];
      for (const leaving of old) {
        await leaving.close();
        members.splice(members.indexOf(leaving), 1);
        const joining = kafka.consumer(options);
        joining.subscribe(topic);
        members.push(joining);
        await pollAll(members, () => counts(members) === '2,2');
      }
      return members;
    };
    const range = [1, 2].map(() => kafka.consumer({ ...OPTIONS, groupId }));
    for (const consumer of range) consumer.subscribe(topic);
    await pollAll(range, () => counts(range) === '2,2');
    const mixed = await roll(range, both);
    const cooperative = await roll(mixed, { ...COOPERATIVE, groupId });
    await kafka.send(topic, values('x', 10), 3);
    const received = await pollAll(cooperative, (each) => each.flat().length === 10);
    expect(received.flat()).toEqual(values('x', 10));
  });
});

describe('sticky', () => {
  it('gives everything up at a rebalance, and gets back what balance allows', async () => {
    const topic = await kafka.topic(6);
    const groupId = uniqueName('group');
    const options = { ...OPTIONS, groupId, partitionAssignmentStrategy: 'sticky' } as const;
    const [first, second, third] = [1, 2, 3].map(() => kafka.consumer(options)) as [Consumer, Consumer, Consumer];
    first.subscribe(topic);
    second.subscribe(topic);
    await pollAll([first, second], () => counts([first, second]) === '3,3');
    const before = [partitionsOf(first), partitionsOf(second)];
    third.subscribe(topic);
    await pollAll([first, second, third], () => counts([first, second, third]) === '2,2,2');
    expect(before[0]).toEqual(expect.arrayContaining(partitionsOf(first)));
    expect(before[1]).toEqual(expect.arrayContaining(partitionsOf(second)));
    await third.close();
    await pollAll([first, second], () => counts([first, second]) === '3,3');
    expect(new Set([...partitionsOf(first), ...partitionsOf(second)]).size).toBe(6);
  });
});
