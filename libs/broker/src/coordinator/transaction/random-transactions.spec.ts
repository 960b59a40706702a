import {
  batchBaseOffset,
  batchLastOffset,
  batchProducerId,
  ErrorCode,
  isControlBatch,
  isTransactionalBatch,
  RecordReader,
} from '@kafka-template/protocol';
import { seededRandom, type Random } from '../../io/random.js';
import { testBatch } from '../../testing/log-world.js';
import { TIMEOUT_MS, TransactionWorld, PARTITIONS, type Owner } from './transaction-world.fixture.js';

/**
 * Random producers in random transactions, with restarts and crashes in between, by a seed. After every step three readers
 * must agree with the model, which knows what was decided: one that reads everything, one that reads what is committed, and
 * one that reads what is committed from anywhere on, be it in the middle of a transaction.
 */
const PRODUCERS = 3;
const STEPS = 90;

type Fate = 'open' | 'committed' | 'aborted';

interface ModelTransaction {
  readonly name: string;
  fate: Fate;
  /** What was asked for, while nobody knows whether it was decided. */
  ending: Fate | null;
  offset: number | null;
  readonly acknowledged: string[];
}

interface ModelProducer {
  readonly id: string;
  readonly version: 0 | 2;
  owner: Owner;
  transaction: ModelTransaction | null;
  readonly sequences: number[];
}

function must(condition: boolean, sentence: string): void {
  if (!condition) throw new Error(sentence);
}

class Model {
  readonly transactions = new Map<string, ModelTransaction>();
  readonly producers: ModelProducer[] = [];
  readonly plain: string[] = [];
  committedOffset = -1;
  private names = 0;

  constructor(
    readonly world: TransactionWorld,
    private readonly random: Random,
  ) {}

  async start(): Promise<void> {
    for (let index = 0; index < PRODUCERS; index++) {
      const id = `id-${index}`;
      const owner = await this.world.init(id);
      const sequences = Array.from({ length: PARTITIONS }, () => 0);
      this.producers.push({ id, version: index === 0 ? 0 : 2, owner, transaction: null, sequences });
    }
  }

  async step(): Promise<string> {
    const producer = this.producers[this.random.below(PRODUCERS)]!;
    const dice = this.random.below(100);
    if (dice < 45) return this.send(producer);
    if (dice < 55) return this.commitOffset(producer);
    if (dice < 75) return this.end(producer);
    if (dice < 80) return this.takeOver(producer);
    if (dice < 88) return this.sendPlain();
    if (dice < 92) return this.pass();
    if (dice < 95) return this.restart();
    return this.crash(producer);
  }

  private begin(producer: ModelProducer): ModelTransaction {
    if (producer.transaction) return producer.transaction;
    const name = `x${this.names++}`;
    const transaction: ModelTransaction = { name, fate: 'open', ending: null, offset: null, acknowledged: [] };
    this.transactions.set(name, transaction);
    producer.transaction = transaction;
    return transaction;
  }

  private async send(producer: ModelProducer): Promise<string> {
    const partition = this.random.below(PARTITIONS);
    const { world } = this;
    const isNew = producer.transaction === null;
    if (producer.version === 0) {
      const { errorCode } = await world.add(producer.owner, partition);
      if (errorCode !== ErrorCode.NONE) return this.refused(producer, errorCode, isNew);
    }
    const transaction = this.begin(producer);
    const count = 1 + this.random.below(3);
    const sent: Promise<{ value: string; errorCode: number }>[] = [];
    // Several in flight: they must stay in order although the first one may have to wait at the gate.
    for (let index = 0; index < count; index++) {
      const value = `${transaction.name}:${this.names++}`;
      const baseSequence = producer.sequences[partition]! + index;
      const batch = { partition, baseSequence, value, adds: producer.version === 2 };
      sent.push(
        new Promise((resolve) => world.send(producer.owner, batch, ({ errorCode }) => resolve({ value, errorCode }))),
      );
    }
    await world.clock.settle();
    for (const { value, errorCode } of await Promise.all(sent)) {
      if (errorCode !== ErrorCode.NONE) return this.refused(producer, errorCode, isNew);
      producer.sequences[partition]! += 1;
      transaction.acknowledged.push(value);
    }
    return `${producer.id} sends ${count} to ${partition}`;
  }

  private async commitOffset(producer: ModelProducer): Promise<string> {
    const { world } = this;
    const isNew = producer.transaction === null;
    if (producer.version === 0) {
      const { errorCode } = await world.addOffsets(producer.owner, 'g');
      if (errorCode !== ErrorCode.NONE) return this.refused(producer, errorCode, isNew);
    }
    // Two transactions over one offset would be decided by the order of their markers, which the model does not know.
    if (this.producers.some((other) => other !== producer && other.transaction?.offset != null)) return 'waits';
    const transaction = this.begin(producer);
    const offset = this.names++;
    const errorCode = await world.settled<number>((done) =>
      world.commitOffset(producer.owner, 'g', offset, producer.version === 2, done),
    );
    if (errorCode !== ErrorCode.NONE) return this.refused(producer, errorCode, isNew);
    transaction.offset = offset;
    return `${producer.id} commits offset ${offset}`;
  }

  private refused(producer: ModelProducer, errorCode: number, isNew: boolean): Promise<string> | string {
    const fenced: readonly number[] = [ErrorCode.PRODUCER_FENCED, ErrorCode.INVALID_PRODUCER_EPOCH];
    must(fenced.includes(errorCode), `${producer.id} is refused with ${errorCode}`);
    if (isNew && producer.transaction) producer.transaction.fate = 'aborted';
    return this.takeOver(producer);
  }

  private async end(producer: ModelProducer): Promise<string> {
    const { transaction } = producer;
    if (!transaction) return 'nothing to end';
    const committed = this.random.below(2) === 0;
    transaction.ending = committed ? 'committed' : 'aborted';
    const reply = await this.world.end(producer.owner, committed, producer.version);
    if (reply.errorCode !== ErrorCode.NONE) {
      transaction.ending = null;
      return this.refused(producer, reply.errorCode, false);
    }
    this.decided(producer, transaction.ending, reply);
    return `${producer.id} ${committed ? 'commits' : 'aborts'}`;
  }

  private decided(producer: ModelProducer, fate: Fate, owner: { producerId: number; producerEpoch: number }): void {
    const { transaction } = producer;
    if (!transaction) return;
    transaction.fate = fate;
    if (fate === 'committed' && transaction.offset !== null) this.committedOffset = transaction.offset;
    producer.transaction = null;
    if (producer.version === 0) return;
    const { producerId, producerEpoch } = owner;
    producer.owner = { id: producer.id, producerId, producerEpoch };
    producer.sequences.fill(0);
  }

  /** Another incarnation: what the last one had open is aborted. */
  private async takeOver(producer: ModelProducer): Promise<string> {
    producer.owner = await this.world.init(producer.id);
    producer.sequences.fill(0);
    if (producer.transaction) producer.transaction.fate = 'aborted';
    producer.transaction = null;
    return `${producer.id} begins anew`;
  }

  private async sendPlain(): Promise<string> {
    const value = `plain:${this.names++}`;
    const partition = this.world.partition(this.random.below(PARTITIONS));
    const records = testBatch({ records: [{ value, timestamp: this.world.clock.now() }] });
    await this.world.settled((done) =>
      partition.append(records, { origin: 'client', acks: -1, timeoutMs: 1000 }, done),
    );
    this.plain.push(value);
    return 'somebody sends';
  }

  /** Now and then for so long that open transactions are over. */
  private async pass(): Promise<string> {
    const isLong = this.random.below(2) === 0;
    await this.world.clock.advance(isLong ? TIMEOUT_MS + 20_001 : this.random.below(5000));
    if (isLong) for (const { transaction } of this.producers) if (transaction) transaction.fate = 'aborted';
    if (isLong) for (const producer of this.producers) if (producer.transaction) await this.takeOver(producer);
    return isLong ? 'much time passes' : 'time passes';
  }

  private async restart(): Promise<string> {
    await this.world.restart();
    await this.world.clock.settle();
    return 'restart';
  }

  /** The broker is killed while a producer ends its transaction: was it decided or not? */
  private async crash(producer: ModelProducer): Promise<string> {
    const { world } = this;
    const { transaction, owner } = producer;
    const committed = this.random.below(2) === 0;
    let answered = false;
    if (transaction) {
      transaction.ending = committed ? 'committed' : 'aborted';
      world.transactions.end({ ...owner, committed, clientVersion: producer.version }, ({ errorCode }) => {
        answered = errorCode === ErrorCode.NONE;
      });
    }
    // As many turns as it takes to be anywhere between the request and the last marker.
    for (let turns = this.random.below(12); turns > 0; turns--) {
      world.clock.runDeferred();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    const wasAnswered = answered;
    await world.crash();
    if (!transaction) return 'crash';
    const [described] = world.transactions.describe([producer.id]);
    const state = described?.transactionState;
    must(!wasAnswered || state !== 'Ongoing', 'An end that was answered is forgotten');
    must(state === 'Ongoing' || state === (committed ? 'CompleteCommit' : 'CompleteAbort'), `It is ${state}`);
    if (state !== 'Ongoing' && described) this.decided(producer, transaction.ending ?? 'open', described);
    transaction.ending = null;
    return `crash, then ${state}`;
  }

  /** The three readers agree. */
  async check(): Promise<void> {
    const all: string[] = [];
    for (let index = 0; index < PARTITIONS; index++) {
      const everything = await readEverything(this.world, index);
      const values = everything.map(({ value }) => value);
      const open = values.findIndex((value) => this.fateOf(value) === 'open');
      const decided = open === -1 ? everything : everything.slice(0, open);
      const stable = decided.filter(({ value }) => this.fateOf(value) === 'committed');
      const { lastStableOffset } = this.world.partition(index);
      for (const from of [0, this.random.below(lastStableOffset + 1)]) {
        const committed = await readCommitted(this.world, index, { from, maxBytes: 1 + this.random.below(400) });
        const expected = stable.filter(({ offset }) => offset >= from).map(({ value }) => value);
        must(
          JSON.stringify(committed) === JSON.stringify(expected),
          `t-${index} from ${from}: committed [${committed.join()}], expected [${expected.join()}] of [${values.join()}]`,
        );
      }
      all.push(...values);
    }
    must(new Set(all).size === all.length, 'A record is there twice');
    for (const { acknowledged } of this.transactions.values()) {
      for (const value of acknowledged) must(all.includes(value), `${value} is lost`);
    }
    for (const value of this.plain) must(all.includes(value), `${value} is lost`);
    const { offset } = this.world.committedOffset('g');
    must(offset === this.committedOffset, `The committed offset is ${offset}, expected ${this.committedOffset}`);
  }

  private fateOf(value: string): Fate {
    const [name = ''] = value.split(':');
    return name === 'plain' ? 'committed' : (this.transactions.get(name)?.fate ?? 'open');
  }
}

/** A record as a reader of everything sees it. */
interface Seen {
  readonly offset: number;
  readonly value: string;
}

async function readEverything(world: TransactionWorld, index: number): Promise<Seen[]> {
  const partition = world.partition(index);
  const values: Seen[] = [];
  for (let fetchOffset = 0; fetchOffset < partition.highWatermark;) {
    const outcome = await partition.read({ fetchOffset, maxBytes: 1e6, minOneBatch: true, readCommitted: false });
    const reader = new RecordReader(Buffer.concat(outcome.records));
    while (reader.nextBatch()) {
      const isControl = isControlBatch(reader.buffer, reader.batchPosition);
      while (reader.nextRecord()) if (!isControl) values.push({ offset: reader.offset, value: String(reader.value()) });
      fetchOffset = batchLastOffset(reader.buffer, reader.batchPosition) + 1;
    }
  }
  return values;
}

/** What a consumer with `read_committed` makes of the answers, as Kafka's own does it. */
async function readCommitted(
  world: TransactionWorld,
  index: number,
  { from, maxBytes }: { readonly from: number; readonly maxBytes: number },
): Promise<string[]> {
  const partition = world.partition(index);
  const values: string[] = [];
  for (let fetchOffset = from; ;) {
    const outcome = await partition.read({ fetchOffset, maxBytes, minOneBatch: true, readCommitted: true });
    if (outcome.sizeBytes === 0) {
      must(fetchOffset === partition.lastStableOffset, 'The reader ends before the last stable offset');
      return values;
    }
    const pending = [...(outcome.abortedTransactions ?? [])];
    must(
      pending.every(({ firstOffset }, at) => at === 0 || firstOffset >= pending[at - 1]!.firstOffset),
      'Aborted transactions are not sorted',
    );
    const aborted = new Set<number>();
    const reader = new RecordReader(Buffer.concat(outcome.records));
    while (reader.nextBatch()) {
      const { buffer, batchPosition: at } = reader;
      const producerId = batchProducerId(buffer, at);
      while (pending[0] && pending[0].firstOffset <= batchLastOffset(buffer, at))
        aborted.add(pending.shift()!.producerId);
      const isControl = isControlBatch(buffer, at);
      if (isControl) aborted.delete(producerId);
      const skips = isControl || (isTransactionalBatch(buffer, at) && aborted.has(producerId));
      while (reader.nextRecord()) if (!skips && reader.offset >= fetchOffset) values.push(String(reader.value()));
      must(batchBaseOffset(buffer, at) <= partition.lastStableOffset, 'A reader sees beyond the last stable offset');
      fetchOffset = batchLastOffset(buffer, at) + 1;
    }
  }
}

describe('random transactions with restarts and crashes', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %i: three readers agree after each step', async (seed) => {
    const world = await TransactionWorld.start();
    const model = new Model(world, seededRandom(seed));
    const steps: string[] = [];
    try {
      await model.start();
      for (let step = 0; step < STEPS; step++) {
        steps.push(await model.step());
        await model.check();
      }
    } catch (error) {
      throw new Error(`Seed ${seed}, after ${steps.slice(-6).join(' | ')}: ${(error as Error).message}`, {
        cause: error,
      });
    } finally {
      await world.stop();
    }
    expect(steps.length).toBe(STEPS);
  });
});
