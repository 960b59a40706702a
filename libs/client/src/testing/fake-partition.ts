/**
 * The log of one partition as a Kafka leader keeps it: batches, offsets, and the producer's last five batches.
 *
 * Guarantees Kafka's rules for sequences (exact repetition of one of the last five is answered with its old offset, a
 * gap is OUT_OF_ORDER_SEQUENCE_NUMBER, an unknown producer may start anywhere, a higher epoch starts at 0). For specs only.
 */
import {
  ErrorCode,
  batchBaseSequence,
  batchProducerEpoch,
  batchProducerId,
  batchRecordCount,
  decodeRecords,
  verifyBatchCrc,
} from '@kafka-template/protocol';

interface KnownBatch {
  readonly baseSequence: number;
  readonly count: number;
  readonly baseOffset: number;
}

interface ProducerState {
  readonly epoch: number;
  readonly recent: KnownBatch[];
}

const REMEMBERED_BATCHES = 5;

/** One partition. */
export class FakePartition {
  leaderEpoch = 0;
  /** Largest batch that is taken (`max.message.bytes`). */
  batchBytesMax = Infinity;
  /** Every batch that was stored, as it came. */
  readonly batches: Buffer[] = [];
  private nextOffset = 0;
  private readonly producers = new Map<number, ProducerState>();

  constructor(public leader: number) {}

  /** Forgets a producer, as brokers do after a day. */
  forgetProducers(): void {
    this.producers.clear();
  }

  /** The values in the log, in order, as text. */
  get values(): (string | null)[] {
    return this.batches.flatMap((batch) => decodeRecords(batch).map(({ value }) => value?.toString() ?? null));
  }

  /** Stores a batch or refuses it. */
  append(batch: Buffer): { readonly errorCode: number; readonly baseOffset: number } {
    if (!verifyBatchCrc(batch)) return { errorCode: ErrorCode.CORRUPT_MESSAGE, baseOffset: -1 };
    if (batch.length > this.batchBytesMax) return { errorCode: ErrorCode.MESSAGE_TOO_LARGE, baseOffset: -1 };
    const producerId = batchProducerId(batch);
    const known = producerId === -1 ? null : this.check(producerId, batch);
    if (known !== null) return known;
    const baseOffset = this.nextOffset;
    const count = batchRecordCount(batch);
    this.nextOffset += count;
    this.batches.push(Buffer.from(batch));
    if (producerId !== -1) this.remember(producerId, batch, baseOffset);
    return { errorCode: ErrorCode.NONE, baseOffset };
  }

  /** The answer for a batch that must not be stored; null when it may be. */
  private check(producerId: number, batch: Buffer): { errorCode: number; baseOffset: number } | null {
    const state = this.producers.get(producerId);
    const epoch = batchProducerEpoch(batch);
    const sequence = batchBaseSequence(batch);
    if (state === undefined) return null;
    if (epoch < state.epoch) return { errorCode: ErrorCode.INVALID_PRODUCER_EPOCH, baseOffset: -1 };
    if (epoch > state.epoch)
      return sequence === 0 ? null : { errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, baseOffset: -1 };
    const count = batchRecordCount(batch);
    const repeated = state.recent.find((each) => each.baseSequence === sequence && each.count === count);
    if (repeated !== undefined) return { errorCode: ErrorCode.NONE, baseOffset: repeated.baseOffset };
    const last = state.recent[state.recent.length - 1];
    const expected = last === undefined ? 0 : (last.baseSequence + last.count) & 0x7fffffff;
    return sequence === expected ? null : { errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, baseOffset: -1 };
  }

  private remember(producerId: number, batch: Buffer, baseOffset: number): void {
    const epoch = batchProducerEpoch(batch);
    const state = this.producers.get(producerId);
    const recent = state !== undefined && state.epoch === epoch ? state.recent : [];
    recent.push({ baseSequence: batchBaseSequence(batch), count: batchRecordCount(batch), baseOffset });
    if (recent.length > REMEMBERED_BATCHES) recent.shift();
    this.producers.set(producerId, { epoch, recent });
  }
}
