import { BATCH_HEADER_BYTES, BatchBuilder, ErrorCode } from '@kafka-template/protocol';
import type { BrokerServices } from '../../api/context.js';
import { acknowledgeAll } from '../../api/share/acknowledgements.js';
import { ShareFetchRead } from '../../api/share/share-fetch-read.js';
import { seededRandom, type Random } from '../../io/random.js';
import { GroupWorld } from '../group-world.fixture.js';
import { AcknowledgeType } from './partition/settle.js';

/**
 * Random members of one share group on one partition, by a seed, beside a model that knows every record by itself. What must
 * hold, whatever they do and whenever the broker restarts: no record is with two members inside its lock; none that was
 * accepted or rejected comes back; none is given out more often than the limit, and its count is right; none is lost.
 */
const STEPS = 250;
const LOCK_MS = 1000;
const DELIVERIES_MAX = 3;
const MEMBERS = ['A', 'B', 'C'];
const GROUP = 'g';

function must(condition: boolean, sentence: string): void {
  if (!condition) throw new Error(sentence);
}

/** One record as it should be. */
interface Expected {
  count: number;
  /** What a restart brings back. */
  storedCount: number;
  done: boolean;
  holder: string | null;
  deadlineMs: number;
}

function batchOf(records: number): Buffer {
  const builder = new BatchBuilder({ capacityBytes: BATCH_HEADER_BYTES + records * 64 });
  for (let index = 0; index < records; index++) builder.append(0, null, `v${index}`, null);
  return builder.finish();
}

class Play {
  readonly records: Expected[] = [];
  delivered = 0;
  private constructor(
    readonly world: GroupWorld,
    private readonly random: Random,
  ) {}

  static async start(seed: number): Promise<Play> {
    const world = await GroupWorld.start({
      'group.share.record.lock.duration.ms': String(LOCK_MS),
      'group.share.delivery.count.limit': String(DELIVERIES_MAX),
      'share.coordinator.state.topic.num.partitions': '2',
      'share.coordinator.snapshot.update.records.per.snapshot': '7',
    });
    const play = new Play(world, seededRandom(seed));
    expect(await world.shareStates.prepare()).toBe(ErrorCode.NONE);
    const made = new Promise<void>((resolve, reject) => {
      const failed = (errorCode: number): void => reject(new Error(`refused with ${errorCode}`));
      const command = { stateEpoch: 1, startOffset: 0 };
      world.shareStates.initialize(play.key, command, { stored: resolve, refused: failed, failed });
    });
    await world.settled(made);
    return play;
  }

  get key() {
    const topicId = this.world.controller.image.topic('t')!.id;
    return { groupId: GROUP, topicId, partition: 0 };
  }

  private get nowMs(): number {
    return this.world.clock.monotonic();
  }

  private get broker(): BrokerServices {
    const { controller, partitions, shares } = this.world;
    return { brokerId: 0, controller, partitions, shares } as unknown as BrokerServices;
  }

  private below(count: number): number {
    return this.random.below(count);
  }

  async step(): Promise<void> {
    const member = MEMBERS[this.below(MEMBERS.length)]!;
    const choice = this.below(100);
    if (choice < 15) await this.produce();
    else if (choice < 45) await this.fetch(member, 1 + this.below(6));
    else if (choice < 75) await this.acknowledge(member);
    else if (choice < 82) await this.acknowledgeWhatIsNotMine(member);
    else if (choice < 88) await this.leave(member);
    else if (choice < 97) await this.pass(this.below(LOCK_MS));
    else await this.restart();
  }

  private async produce(): Promise<void> {
    const count = 1 + this.below(6);
    const log = this.world.partitions.get('t', 0)!;
    const appended = new Promise<number>((resolve) => {
      const options = { origin: 'client', acks: -1, timeoutMs: 1000 } as const;
      log.append(batchOf(count), options, ({ errorCode }) => resolve(errorCode));
    });
    must((await this.world.settled(appended)) === ErrorCode.NONE, 'The log refused a batch.');
    for (let index = 0; index < count; index++) {
      this.records.push({ count: 0, storedCount: 0, done: false, holder: null, deadlineMs: Infinity });
    }
  }

  async fetch(member: string, recordsMax: number): Promise<number> {
    const strict = this.below(2) === 0;
    const limits = { groupId: GROUP, memberId: member, maxBytes: 1e6, recordsMax, batchSize: recordsMax, strict };
    const read = new ShareFetchRead(this.broker, { ...limits, isWanted: () => true });
    const { topicId, partition } = this.key;
    await this.world.settled(read.run([{ topicId, partition }]));
    let taken = 0;
    for (const { errorCode, acquired } of read.results) {
      must(errorCode === ErrorCode.NONE, `A fetch failed with ${errorCode}.`);
      for (const { firstOffset, lastOffset, deliveryCount } of acquired) {
        for (let offset = firstOffset; offset <= lastOffset; offset++) this.give(member, offset, deliveryCount);
        taken += lastOffset - firstOffset + 1;
      }
    }
    if (strict) must(taken <= recordsMax, `${taken} records are more than ${recordsMax}.`);
    this.delivered += taken;
    return taken;
  }

  private give(member: string, offset: number, count: number): void {
    const record = this.records[offset]!;
    must(!record.done, `Record ${offset} was done with, and comes back.`);
    must(record.holder === null, `Record ${offset} is with ${record.holder}, and was given to ${member}.`);
    must(count === record.count + 1, `Record ${offset} was given out for the ${count}th time after ${record.count}.`);
    must(count <= DELIVERIES_MAX, `Record ${offset} was given out ${count} times.`);
    Object.assign(record, { count, holder: member, deadlineMs: this.nowMs + LOCK_MS });
  }

  private free(record: Expected): void {
    record.holder = null;
    record.deadlineMs = Infinity;
    record.storedCount = record.count;
    record.done = record.count >= DELIVERIES_MAX;
  }

  private held(member: string): number[] {
    return this.records.flatMap(({ holder }, offset) => (holder === member ? [offset] : []));
  }

  private async say(member: string, offsets: readonly number[], types: readonly number[]): Promise<number> {
    const batches = offsets.map((offset, index) => ({
      firstOffset: offset,
      lastOffset: offset,
      acknowledgeTypes: [types[index]!],
    }));
    const { topicId, partition: partitionIndex } = this.key;
    const topics = [{ topicId, partitions: [{ partitionIndex, acknowledgementBatches: batches }] }];
    const who = { groupId: GROUP, memberId: member, renews: true };
    const [row] = await this.world.settled(acknowledgeAll(this.broker, who, topics));
    return row!.errorCode;
  }

  private async acknowledge(member: string): Promise<void> {
    const offsets = this.held(member).filter(() => this.below(2) === 0);
    if (offsets.length === 0) return;
    const types = offsets.map(() => this.below(5));
    must((await this.say(member, offsets, types)) === ErrorCode.NONE, 'An acknowledgement was refused.');
    offsets.forEach((offset, index) => {
      const record = this.records[offset]!;
      if (types[index] === AcknowledgeType.RENEW) record.deadlineMs = this.nowMs + LOCK_MS;
      else if (types[index] === AcknowledgeType.RELEASE) this.free(record);
      else Object.assign(record, { done: true, holder: null, deadlineMs: Infinity });
    });
  }

  /** One that is not its own among its own: nothing of it may count. */
  private async acknowledgeWhatIsNotMine(member: string): Promise<void> {
    // What lies before the start was settled before: to say so again is no mistake.
    const stored = this.world.shareStates.read(this.key).state;
    const start = this.world.shares.get(this.key)?.state.startOffset ?? stored?.startOffset ?? 0;
    const foreign = this.records.findIndex((record, offset) => offset >= start && record.holder !== member);
    if (foreign === -1) return;
    const offsets = [...this.held(member), foreign].sort((left, right) => left - right);
    const errorCode = await this.say(
      member,
      offsets,
      offsets.map(() => AcknowledgeType.ACCEPT),
    );
    must(errorCode !== ErrorCode.NONE, `${member} acknowledged record ${foreign}, which it does not have.`);
  }

  private async leave(member: string): Promise<void> {
    this.world.shares.release(GROUP, member);
    await this.world.clock.settle();
    for (const offset of this.held(member)) this.free(this.records[offset]!);
  }

  private async pass(byMs: number): Promise<void> {
    await this.world.clock.advance(byMs);
    for (const record of this.records) if (record.deadlineMs <= this.nowMs) this.free(record);
  }

  private async restart(): Promise<void> {
    await this.world.restart();
    for (const record of this.records) {
      if (record.holder !== null)
        Object.assign(record, { count: record.storedCount, holder: null, deadlineMs: Infinity });
    }
  }

  /** In the end everything that is not done with is given out and accepted. */
  async drain(): Promise<void> {
    await this.pass(LOCK_MS + 1);
    await this.pass(LOCK_MS + 1);
    for (let rounds = 0; rounds < 1000; rounds++) {
      if ((await this.fetch('A', 10)) === 0) break;
      const offsets = this.held('A');
      const types = offsets.map(() => AcknowledgeType.ACCEPT);
      must((await this.say('A', offsets, types)) === ErrorCode.NONE, 'The last acknowledgement was refused.');
      for (const offset of offsets) Object.assign(this.records[offset]!, { done: true, holder: null });
    }
    const lost = this.records.findIndex(({ done }) => !done);
    must(lost === -1, `Record ${lost} was never given out again.`);
  }
}

describe('a share group of random members', () => {
  let delivered = 0;

  it.each(Array.from({ length: 12 }, (_, index) => index + 1))('keeps its promises (seed %i)', async (seed) => {
    const play = await Play.start(seed);
    for (let step = 0; step < STEPS; step++) await play.step();
    await play.drain();
    await play.world.stop();
    delivered += play.delivered;
  });

  afterAll(() => {
    // Members that are given nothing prove nothing.
    expect(delivered).toBeGreaterThan(1000);
  });
});
