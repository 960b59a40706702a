import { type Random, seededRandom } from '../../io/random.js';
import { CompactionWorld, type FoundRecord, driven } from './compaction.fixture.js';

const HOUR_MS = 3_600_000;
const DELETE_RETENTION_MS = 6 * HOUR_MS;
const KEYS = 12;
const STEPS = 150;
const SEEDS = 12;
const PRODUCERS = [7, 8, 9];
const COMPRESSIONS = ['none', 'none', 'gzip', 'snappy', 'lz4'] as const;

interface WrittenRecord extends FoundRecord {
  readonly writtenMs: number;
}

/** What was written, in plain lists, and what became of each transaction. */
class Model {
  readonly records: WrittenRecord[] = [];
  /** Offsets of records of aborted transactions. */
  readonly aborted = new Set<number>();
  readonly sequences = new Map<number, number>();
  /** Offsets of the open transaction of each producer. */
  readonly open = new Map<number, number[]>();

  get firstOpenOffset(): number {
    return Math.min(...[...this.open.values()].flatMap((offsets) => offsets.slice(0, 1)));
  }

  /** Committed records below an offset; of each key the newest. */
  newest(endOffset: number): Map<string, WrittenRecord> {
    const newest = new Map<string, WrittenRecord>();
    for (const record of this.records) {
      if (record.offset < endOffset && !this.aborted.has(record.offset)) newest.set(record.key, record);
    }
    return newest;
  }
}

class Run {
  private readonly model = new Model();
  private serial = 0;

  constructor(
    private subject: CompactionWorld,
    private readonly random: Random,
    private readonly options: Pick<Parameters<typeof CompactionWorld.open>[0] & object, 'config' | 'settings'>,
  ) {}

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step++) await this.step();
    for (const producerId of this.model.open.keys()) await this.end(producerId);
    for (let round = 0; round < 4; round++) {
      await this.write(null);
      await this.subject.compact();
      await this.check();
      await this.subject.clock.advance(DELETE_RETENTION_MS);
    }
  }

  private async step(): Promise<void> {
    const { random, subject } = this;
    const choice = random.below(100);
    if (choice < 45) return this.write(null);
    if (choice < 60) return this.write(PRODUCERS[random.below(PRODUCERS.length)] as number);
    if (choice < 72) {
      const open = [...this.model.open.keys()];
      if (open.length > 0) await this.end(open[random.below(open.length)] as number);
      return;
    }
    if (choice < 80) return subject.clock.advance(random.below(3 * HOUR_MS));
    if (choice < 94) {
      await subject.compact();
      return this.check();
    }
    await this.restart(choice < 97);
    await this.check();
  }

  private async write(producerId: number | null): Promise<void> {
    const { random, model, subject } = this;
    const count = 1 + random.below(4);
    const timestamp = subject.clock.now();
    const records = Array.from({ length: count }, () => ({
      key: `k${random.below(KEYS)}`,
      value: random.below(5) === 0 ? null : `v${this.serial++}`,
      timestamp: timestamp - random.below(1000),
    }));
    const compression = COMPRESSIONS[random.below(COMPRESSIONS.length)] ?? 'none';
    const baseSequence = model.sequences.get(producerId ?? -1) ?? 0;
    const producer = producerId === null ? {} : { producerId, producerEpoch: 0, baseSequence, transactional: true };
    const baseOffset = await subject.append({ records, compression, ...producer });
    for (const [index, record] of records.entries()) {
      model.records.push({ ...record, offset: baseOffset + index, producerId: producerId ?? -1, writtenMs: timestamp });
    }
    if (producerId === null) return;
    model.sequences.set(producerId, baseSequence + count);
    const offsets = records.map((_, index) => baseOffset + index);
    model.open.set(producerId, [...(model.open.get(producerId) ?? []), ...offsets]);
  }

  private async end(producerId: number): Promise<void> {
    const isAbort = this.random.below(2) === 0;
    await this.subject.end(producerId, isAbort);
    if (isAbort) for (const offset of this.model.open.get(producerId) ?? []) this.model.aborted.add(offset);
    this.model.open.delete(producerId);
  }

  private async restart(isClean: boolean): Promise<void> {
    const { subject } = this;
    const { world, saved } = subject;
    await subject.clock.settle();
    if (isClean) await driven(subject.clock, subject.log.close());
    const checkpoint = new Map(saved.map(({ offset }) => ['t-0', offset]));
    const disk = world.memory.afterCrash('kill');
    const startMs = subject.clock.now();
    this.subject = await CompactionWorld.open({ ...this.options, disk, checkpoint, isClean });
    this.subject.clock.jump(startMs - this.subject.clock.now());
    expect(this.subject.log.endOffset).toBe(subject.log.endOffset);
  }

  /** What a reader of committed records finds, against the model. */
  private async check(): Promise<void> {
    const { model, subject } = this;
    const { log } = subject;
    const stable = Math.min(model.firstOpenOffset, log.endOffset);
    expect(subject.partition.lastStableOffset).toBe(stable);
    const all = await subject.records();
    expect(await subject.walk(log.startOffset, () => undefined)).toBe(log.endOffset);
    const written = new Map(model.records.map((record) => [record.offset, record]));
    for (const { offset, timestamp, key, value, producerId } of all) {
      expect(written.get(offset)).toMatchObject({ offset, timestamp, key, value, producerId });
    }
    const aborted = log.abortedTransactions(log.startOffset, log.endOffset);
    const committed = all.filter(({ offset }) => offset < stable && !model.aborted.has(offset));
    // Every aborted record that is still there is named as such.
    for (const { offset, producerId } of all) {
      if (!model.aborted.has(offset) || offset >= stable) continue;
      expect(aborted.some((entry) => entry.producerId === producerId && entry.firstOffset <= offset)).toBe(true);
    }
    const found = new Map(committed.map((record) => [record.key, record]));
    for (const [key, newest] of model.newest(stable)) {
      const isGone = newest.value === null && newest.writtenMs + DELETE_RETENTION_MS <= subject.clock.now();
      if (!isGone || found.has(key)) expect([key, found.get(key)?.offset]).toEqual([key, newest.offset]);
    }
    const from = this.random.below(log.endOffset + 1);
    expect(await subject.records(from)).toEqual(all.filter(({ offset }) => offset >= from));
  }
}

describe('compaction against a model', () => {
  it.each(Array.from({ length: SEEDS }, (_, index) => index + 1))(
    'leaves what a reader of committed records needs, whatever happens (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const settings = random.below(3) === 0 ? { dedupeBufferBytes: 24 * 5, loadFactor: 1 } : {};
      const config = { segmentBytes: 220 + random.below(600), deleteRetentionMs: DELETE_RETENTION_MS };
      await new Run(await CompactionWorld.open({ config, settings }), random, { config, settings }).run();
    },
  );
});
