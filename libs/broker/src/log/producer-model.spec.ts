import { ErrorCode } from '@kafka-template/protocol';
import { type Random, seededRandom } from '../io/random.js';
import { LogWorld, readAll, testBatch } from '../testing/log-world.js';
import type { TopicConfig } from './log-config.js';
import type { Log } from './log.js';

const PRODUCERS = 3;
const STEPS = 250;
/** As many batches as the log remembers of a producer. */
const WINDOW = 5;

/** A batch that was acknowledged, and where it is. */
interface Sent {
  readonly batch: Buffer;
  readonly firstSequence: number;
  readonly records: number;
  readonly offset: number;
  /** Still remembered: a repetition is told apart. */
  isKnown: boolean;
}

/** Producers that retry, begin new epochs and expire, on a log that rolls, restarts and loses its unforced end. */
class ProducersModel {
  /** How often each thing happened. */
  readonly seen = new Map<string, number>();
  private world = new LogWorld();
  private log!: Log;
  /** What each producer has had acknowledged in its epoch, oldest first. */
  private readonly histories = new Map<number, Sent[]>();
  private readonly epochs = new Map<number, number>();
  private readonly values: string[] = [];

  constructor(
    private readonly random: Random,
    private readonly config: Partial<TopicConfig>,
  ) {}

  async start(): Promise<void> {
    this.log = await this.world.open(this.config);
  }

  async step(): Promise<void> {
    const producerId = 1 + this.random.below(PRODUCERS);
    const dice = this.random.below(100);
    if (dice < 48) await this.send(producerId);
    else if (dice < 68) await this.retry(producerId);
    else if (dice < 74) await this.beginEpoch(producerId);
    else if (dice < 82) await this.skip(producerId);
    else if (dice < 85) this.expire();
    else if (dice < 90) await this.restart('clean');
    else if (dice < 94) await this.restart('kill');
    else if (dice < 97) await this.restart('powerLoss');
    else await this.log.flush();
    expect(this.log.endOffset).toBe(this.values.length);
  }

  /** Every record is there once, where its producer was told. */
  async check(): Promise<void> {
    expect((await readAll(this.log)).map(({ value }) => value)).toEqual(this.values);
  }

  private note(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  private history(producerId: number): Sent[] {
    const found = this.histories.get(producerId) ?? [];
    this.histories.set(producerId, found);
    return found;
  }

  private nextSequence(producerId: number): number {
    const last = this.history(producerId).at(-1);
    return last ? last.firstSequence + last.records : 0;
  }

  private isRemembered(producerId: number): boolean {
    return this.log.producers.get(producerId) !== undefined;
  }

  private async send(producerId: number): Promise<void> {
    const values = Array.from({ length: 1 + this.random.below(3) }, (_, index) => `${this.values.length}.${index}`);
    const baseSequence = this.nextSequence(producerId);
    const producerEpoch = this.epochs.get(producerId) ?? 0;
    const batch = testBatch({ records: values.map((value) => ({ value })), producerId, producerEpoch, baseSequence });
    const offset = this.values.length;
    expect(await this.world.append(this.log, batch)).toMatchObject({ errorCode: 0, baseOffset: offset });
    const sent = { batch, firstSequence: baseSequence, records: values.length, offset, isKnown: true };
    this.history(producerId).push(sent);
    this.values.push(...values);
    this.note('sent');
  }

  /** The answers of up to five requests were lost: the producer sends them again, in order. */
  private async retry(producerId: number): Promise<void> {
    const last = this.history(producerId).slice(-(1 + this.random.below(WINDOW)));
    for (const { batch, offset, isKnown } of last) {
      if (!isKnown) continue;
      expect(await this.world.append(this.log, batch)).toMatchObject({ errorCode: 0, baseOffset: offset });
      this.note('retried');
    }
  }

  /** A new life of the producer begins at sequence 0 and fences the old one, which sends its last batch once more. */
  private async beginEpoch(producerId: number): Promise<void> {
    const old = this.history(producerId).at(-1);
    const producerEpoch = (this.epochs.get(producerId) ?? 0) + 1;
    if (this.isRemembered(producerId)) {
      const skipped = testBatch({ producerId, producerEpoch, baseSequence: 3 });
      expect((await this.world.append(this.log, skipped)).errorCode).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    }
    this.epochs.set(producerId, producerEpoch);
    this.histories.set(producerId, []);
    await this.send(producerId);
    if (!old) return;
    expect((await this.world.append(this.log, old.batch)).errorCode).toBe(ErrorCode.INVALID_PRODUCER_EPOCH);
    this.note('fenced');
  }

  /** A batch in between was lost on the way. */
  private async skip(producerId: number): Promise<void> {
    if (this.history(producerId).length === 0 || !this.isRemembered(producerId)) return;
    const baseSequence = this.nextSequence(producerId) + 1 + this.random.below(9);
    const batch = testBatch({ producerId, producerEpoch: this.epochs.get(producerId) ?? 0, baseSequence });
    expect((await this.world.append(this.log, batch)).errorCode).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    this.note('skipped');
  }

  /** Everybody was silent for too long. Whoever goes on may, at any sequence; repetitions of old batches are out of time. */
  private expire(): void {
    this.log.producers.expire(Infinity);
    for (const history of this.histories.values()) for (const sent of history) sent.isKnown = false;
    this.note('expired');
  }

  private async restart(how: 'clean' | 'kill' | 'powerLoss'): Promise<void> {
    if (how === 'clean') await this.log.close();
    else await this.world.clock.settle();
    const { recoveryPoint } = this.log;
    this.world = new LogWorld(how === 'clean' ? this.world.disk : this.world.memory.afterCrash(how));
    this.log = await this.world.open(this.config, { isClean: how === 'clean', recoveryPoint });
    this.note(how);
    if (how === 'powerLoss') this.forgetTruncated();
  }

  /** What was not forced is gone. A producer whose acknowledgement was lost as well sends it again, and that is no repetition. */
  private forgetTruncated(): void {
    this.values.length = this.log.endOffset;
    for (const history of this.histories.values()) {
      while ((history.at(-1)?.offset ?? -1) >= this.values.length) {
        history.pop();
        this.note('truncated');
      }
    }
  }
}

describe('producer state: against a model', () => {
  it.each(Array.from({ length: 8 }, (_, index) => 11 + index))(
    'writes each batch exactly once and refuses none wrongly, whatever is retried, fenced, expired, restarted and cut (seed %d)',
    async (seed) => {
      const random = seededRandom(seed);
      const model = new ProducersModel(random, { segmentBytes: 300 + random.below(1000) });
      await model.start();
      for (let step = 0; step < STEPS; step++) await model.step();
      await model.check();
      for (const what of [
        'sent',
        'retried',
        'fenced',
        'skipped',
        'expired',
        'clean',
        'kill',
        'powerLoss',
        'truncated',
      ]) {
        expect([what, model.seen.get(what) ?? 0]).not.toEqual([what, 0]);
      }
    },
  );
});
