/**
 * One record as the application sees it, decoded only as far as it is looked at.
 *
 * Guarantees: a record holds positions into the fetched bytes and nothing else; keys, values and headers are views or
 * copies made on access, so a record that is only counted or filtered by its offset costs next to nothing. A record
 * stays valid as long as it is referenced; it then keeps the bytes of its fetch response (up to `fetchMaxBytes`) alive.
 */
import { type DecodedHeader, decodeHeaders } from '@kafka-template/protocol';

/** How the timestamp of a record came about: set by the producer, or by the broker when it appended. */
export type TimestampType = 'CreateTime' | 'LogAppendTime';

/** A header of a record: key and value, a Buffer or null. Keys may repeat; the order is the producer's. */
export type ConsumerRecordHeader = DecodedHeader;

/** What the records of one batch share. */
export interface RecordBatchContext {
  readonly topic: string;
  readonly partition: number;
  readonly baseOffset: number;
  readonly baseTimestamp: number;
  readonly timestampType: TimestampType;
  /** Epoch of the leader that appended the batch, -1 when unknown. */
  readonly leaderEpoch: number;
  /** The uncompressed records of the batch. */
  readonly data: Buffer;
}

/** A record of a partition. */
export class ConsumerRecord {
  /**
   * @param offsetDelta offset minus the batch's base offset: small numbers are stored without an allocation
   * @param timestampDelta timestamp minus the batch's base timestamp
   * @param keyLength -1 for no key
   * @param valueLength -1 for no value
   * @param headersStart position of the header count
   * @param recordEnd where the record ends, and its headers with it
   */
  constructor(
    private readonly batch: RecordBatchContext,
    private readonly offsetDelta: number,
    private readonly timestampDelta: number,
    private readonly keyStart: number,
    private readonly keyLength: number,
    private readonly valueStart: number,
    private readonly valueLength: number,
    private readonly headersStart: number,
    private readonly recordEnd: number,
  ) {}

  get topic(): string {
    return this.batch.topic;
  }

  get partition(): number {
    return this.batch.partition;
  }

  get offset(): number {
    return this.batch.baseOffset + this.offsetDelta;
  }

  /** Milliseconds since the epoch, -1 when the producer gave none; see `timestampType` for whose clock. */
  get timestamp(): number {
    return this.batch.baseTimestamp + this.timestampDelta;
  }

  get timestampType(): TimestampType {
    return this.batch.timestampType;
  }

  /** Epoch of the leader that appended the record, -1 when unknown. */
  get leaderEpoch(): number {
    return this.batch.leaderEpoch;
  }

  /** A view of the key, or null. Treat it as read-only: other records share the memory. */
  get key(): Buffer | null {
    if (this.keyLength < 0) return null;
    return this.batch.data.subarray(this.keyStart, this.keyStart + this.keyLength);
  }

  /** A view of the value, or null (a tombstone). Treat it as read-only: other records share the memory. */
  get value(): Buffer | null {
    if (this.valueLength < 0) return null;
    return this.batch.data.subarray(this.valueStart, this.valueStart + this.valueLength);
  }

  /** The headers in the producer's order; decoded anew on each access. */
  get headers(): ConsumerRecordHeader[] {
    return decodeHeaders(this.batch.data, this.headersStart, this.recordEnd);
  }

  /** Bytes of the key, -1 for no key; without touching it. */
  get serializedKeySize(): number {
    return this.keyLength;
  }

  /** Bytes of the value, -1 for no value; without touching it. */
  get serializedValueSize(): number {
    return this.valueLength;
  }

  /** The record with everything decoded, for logs and JSON. */
  toJSON(): Record<string, unknown> {
    const { topic, partition, offset, timestamp, timestampType, leaderEpoch, key, value, headers } = this;
    return { topic, partition, offset, timestamp, timestampType, leaderEpoch, key, value, headers };
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): unknown {
    return this.toJSON();
  }
}
