/**
 * The consumer as a listener may use it: positions, pauses and commits of its own, but not the container's business.
 *
 * A class, so that Nest can recognise the parameter by its type. A seek voids what is left of the partition in memory and what
 * it had earned, so that the next record delivered is the one sought. Leaves out poll, subscribe and close.
 */
import type {
  CommittedOffset,
  ConsumerGroupMetadata,
  DriverConsumer,
  OffsetCommit,
  TopicPartition,
} from '../drivers/driver.js';
import { KafkaTemplateError, KafkaTemplateErrorCode } from '../errors.js';

/** What the container has to do when a listener moves a position. */
export type SeekHook = (partitions: readonly TopicPartition[]) => void;

/** What the container has to know when a listener commits by itself. */
export type CommitHook = (offsets: readonly OffsetCommit[]) => void;

/** Given to listeners that have a parameter of this type. */
export class Consumer {
  readonly #consumer: DriverConsumer;
  readonly #onSeek: SeekHook;
  readonly #onCommit: CommitHook;

  /** @internal */
  constructor(consumer: DriverConsumer, onSeek: SeekHook, onCommit: CommitHook) {
    this.#consumer = consumer;
    this.#onSeek = onSeek;
    this.#onCommit = onCommit;
  }

  /** The partitions this consumer has. */
  assignment(): readonly TopicPartition[] {
    return this.#consumer.assignment();
  }

  /** The next record of the partition to be delivered is the one at `offset`. */
  seek(partition: TopicPartition, offset: number): void {
    this.#onSeek([partition]);
    this.#consumer.seek(partition, offset);
  }

  /** To the first record there is; without a list, in all partitions. */
  seekToBeginning(partitions: readonly TopicPartition[] = this.assignment()): void {
    this.#onSeek(partitions);
    this.#consumer.seekToBeginning(partitions);
  }

  /** Past the last record there is; without a list, in all partitions. */
  seekToEnd(partitions: readonly TopicPartition[] = this.assignment()): void {
    this.#onSeek(partitions);
    this.#consumer.seekToEnd(partitions);
  }

  /** Offset of the next record that will be polled. */
  position(partition: TopicPartition): Promise<number> {
    return this.#consumer.position(partition);
  }

  /** What the group has committed. */
  committed(partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    return this.#consumer.committed(partitions);
  }

  /**
   * Commits chosen offsets, each that of the next record to read, and waits for the broker's answer. The container itself
   * commits nothing behind them any more.
   */
  commitSync(offsets: readonly OffsetCommit[]): Promise<void> {
    this.#onCommit(offsets);
    return this.#consumer.commitSync(offsets);
  }

  /** Commits chosen offsets; the answer comes to the callback. */
  commitAsync(
    offsets: readonly OffsetCommit[],
    callback: (error: Error | null, offsets: readonly OffsetCommit[]) => void = () => undefined,
  ): void {
    this.#onCommit(offsets);
    this.#consumer.commitAsync(offsets, callback);
  }

  /** Who this is in its group, for `sendOffsetsToTransaction`. Throws UNSUPPORTED_BY_DRIVER where there are no transactions. */
  groupMetadata(): ConsumerGroupMetadata {
    const metadata = this.#consumer.groupMetadata?.();
    if (metadata !== undefined) return metadata;
    throw new KafkaTemplateError(
      KafkaTemplateErrorCode.UNSUPPORTED_BY_DRIVER,
      "groupMetadata() is for transactions, which this driver cannot do; the default driver 'native' can",
    );
  }

  /** First offset there is, per partition. */
  beginningOffsets(partitions: readonly TopicPartition[]): Promise<readonly OffsetCommit[]> {
    return this.#consumer.beginningOffsets(partitions);
  }

  /** Offset the next record will get, per partition. */
  endOffsets(partitions: readonly TopicPartition[]): Promise<readonly OffsetCommit[]> {
    return this.#consumer.endOffsets(partitions);
  }
}
