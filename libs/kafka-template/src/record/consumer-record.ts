/**
 * A received record as listeners see it: key and value decoded when they are first read, the bytes always at hand.
 *
 * A class, so that Nest can recognise the parameter by its type. Reading `key` or `value` throws DeserializationError
 * when the bytes are not what they should be; that error is not retried by default.
 */
import type { DriverRecord, ReceivedHeader } from '../drivers/driver.js';
import { type RecordSerdes, decodePart } from '../serde/record-serdes.js';
import type { DecodeTarget } from '../serde/serde.js';

/** How the timestamp of a record came about. */
export type TimestampType = 'CreateTime' | 'LogAppendTime' | 'NoTimestampType';

/** A record of a topic. */
export class ConsumerRecord<K = unknown, V = unknown> {
  /** Where it was read. */
  readonly topic: string;
  /** Number of the partition, from 0. */
  readonly partition: number;
  /** Its place in the partition. */
  readonly offset: number;
  /** Which assignment of the partition it came with. */
  readonly epoch: number;
  readonly #source: DriverRecord;
  readonly #serdes: RecordSerdes;
  // What was decoded first, and how: with few exceptions nobody asks for a second way.
  #keyTarget: DecodeTarget | undefined;
  #key: unknown;
  #valueTarget: DecodeTarget | undefined;
  #value: unknown;
  #others: Map<string, unknown> | undefined;

  constructor(source: DriverRecord, serdes: RecordSerdes, epoch = 0) {
    this.topic = source.topic;
    this.partition = source.partition;
    this.offset = source.offset;
    this.epoch = epoch;
    this.#source = source;
    this.#serdes = serdes;
  }

  /** Epoch milliseconds. */
  get timestamp(): number {
    return this.#source.timestamp;
  }

  /** Set by the producer (CreateTime) or by the broker (LogAppendTime). */
  get timestampType(): TimestampType {
    const type = this.#source.timestampType;
    if (type === 'LogAppendTime' || type === 1) return 'LogAppendTime';
    if (type === 'NoTimestampType' || type === -1) return 'NoTimestampType';
    return 'CreateTime';
  }

  /** The key; text, unless a serializer says otherwise. Null when the record has none. */
  get key(): K | null {
    return this.keyAs('auto') as K | null;
  }

  /** The value: JSON when it begins with `{` or `[`, else text, unless a serializer says otherwise. Null: a tombstone. */
  get value(): V {
    return this.valueAs('auto') as V;
  }

  /** The bytes of the key. */
  get rawKey(): Buffer | null {
    return this.#source.key;
  }

  /** The bytes of the value. */
  get rawValue(): Buffer | null {
    return this.#source.value;
  }

  /** All headers, in order, repetitions included. */
  get headers(): readonly ReceivedHeader[] {
    return this.#source.headers;
  }

  /** Value of the last header of that name: undefined when there is none, null when it has no value. */
  header(name: string): Buffer | null | undefined {
    const headers = this.#source.headers;
    for (let index = headers.length - 1; index >= 0; index--) {
      const header = headers[index];
      if (header?.key === name) return header.value;
    }
    return undefined;
  }

  /** The key, decoded as asked. */
  keyAs(target: DecodeTarget): unknown {
    if (this.#keyTarget === target) return this.#key;
    if (this.#keyTarget !== undefined) return this.#decodeOtherwise('key', target);
    this.#key = decodePart(this.#source, 'key', this.#serdes, target);
    this.#keyTarget = target;
    return this.#key;
  }

  /** The value, decoded as asked. */
  valueAs(target: DecodeTarget): unknown {
    if (this.#valueTarget === target) return this.#value;
    if (this.#valueTarget !== undefined) return this.#decodeOtherwise('value', target);
    this.#value = decodePart(this.#source, 'value', this.#serdes, target);
    this.#valueTarget = target;
    return this.#value;
  }

  #decodeOtherwise(part: 'key' | 'value', target: DecodeTarget): unknown {
    const slot = `${part}:${target}`;
    const known = this.#others?.get(slot);
    if (known !== undefined) return known;
    const decoded = decodePart(this.#source, part, this.#serdes, target);
    this.#others ??= new Map();
    this.#others.set(slot, decoded);
    return decoded;
  }
}
