/**
 * Reads single records by topic, partition and offset, with a consumer of its own that is closed again.
 *
 * A place where nothing is, or nothing any more, gives undefined: never the record behind it.
 */
import type { Driver, DriverConsumer, DriverRecord, TopicPartition } from '../drivers/driver.js';
import { KafkaTemplateError, KafkaTemplateErrorCode, errorCodeOf } from '../errors.js';
import type { Clock } from '../io/clock.js';
import { ConsumerRecord } from '../record/consumer-record.js';
import type { RecordSerdes } from '../serde/record-serdes.js';

/** Where a record lies. */
export interface RecordPlace extends TopicPartition {
  /** From 0, counted from the beginning of the partition. */
  readonly offset: number;
}

/** What a reader works with. */
export interface RecordReaderParts {
  readonly driver: Pick<Driver, 'name' | 'capabilities'>;
  readonly serdes: RecordSerdes;
  readonly clock: Clock;
}

const CLOSE_TIMEOUT_MS = 5000;

/** Errors that say that the log has no such offset. */
const NOT_THERE: ReadonlySet<string> = new Set(['OFFSET_OUT_OF_RANGE', 'NO_OFFSET_FOR_PARTITION']);

/** Reads records by their places. */
export class RecordReader {
  readonly #createConsumer: () => DriverConsumer;
  readonly #parts: RecordReaderParts;

  constructor(createConsumer: () => DriverConsumer, parts: RecordReaderParts) {
    this.#createConsumer = createConsumer;
    this.#parts = parts;
  }

  /** The records, in the order of the places; `timeoutMs` is for each. Rejects with the driver's error. */
  async read(
    places: readonly RecordPlace[],
    timeoutMs: number,
    serdes: RecordSerdes = this.#parts.serdes,
  ): Promise<(ConsumerRecord | undefined)[]> {
    this.#check(places);
    const consumer = this.#createConsumer();
    try {
      const records: (ConsumerRecord | undefined)[] = [];
      for (const place of places) {
        const record = await this.#readOne(consumer, place, timeoutMs);
        records.push(record === undefined ? undefined : new ConsumerRecord(record, serdes));
      }
      return records;
    } finally {
      await consumer.close(CLOSE_TIMEOUT_MS);
    }
  }

  #check(places: readonly RecordPlace[]): void {
    const { name, capabilities } = this.#parts.driver;
    if (!capabilities.assign) {
      throw new KafkaTemplateError(
        KafkaTemplateErrorCode.UNSUPPORTED_BY_DRIVER,
        `The driver ${name} cannot read single partitions, as receive does: use the driver native`,
      );
    }
    for (const { topic, partition, offset } of places) {
      if ([partition, offset].every((number) => Number.isSafeInteger(number) && number >= 0)) continue;
      throw new KafkaTemplateError(
        KafkaTemplateErrorCode.ILLEGAL_STATE,
        `receive takes a partition and an offset from 0, and was asked for ${topic}-${partition}@${offset}`,
      );
    }
  }

  async #readOne(consumer: DriverConsumer, place: RecordPlace, timeoutMs: number): Promise<DriverRecord | undefined> {
    const { topic, partition, offset } = place;
    const deadline = this.#parts.clock.now() + timeoutMs;
    consumer.assign([{ topic, partition }]);
    consumer.seek({ topic, partition }, offset);
    try {
      for (let leftMs = timeoutMs; leftMs > 0; leftMs = deadline - this.#parts.clock.now()) {
        const polled = await consumer.poll(leftMs);
        const [first] = polled.records({ topic, partition });
        if (first !== undefined) return first.offset === offset ? first : undefined;
      }
    } catch (error) {
      if (!NOT_THERE.has(errorCodeOf(error) ?? '')) throw error;
    }
    return undefined;
  }
}
