/**
 * One assigned partition: the records kafkajs has handed over, and where reading goes on.
 *
 * Guarantees order without gaps: only a fetch that began where the last one ended is taken. Records of the last poll stay
 * until the next, so that the usual seek back after a failure needs no new fetch.
 */
import type { DriverRecord, TopicPartition } from '../driver.js';

/** An assigned partition. */
export class KafkaJsPartition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  isPaused = false;
  /** Where the next fetch has to begin; undefined until it is known. */
  next: number | undefined;
  #records: DriverRecord[] = [];
  #at = 0;
  #position: number | undefined;

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic;
    this.partition = partition;
  }

  /** Offset of the record the next poll returns first; undefined until it is known. */
  get position(): number | undefined {
    return this.#position;
  }

  /** Records that wait for a poll. */
  get waiting(): number {
    return this.#records.length - this.#at;
  }

  /** Goes to an offset. Returns true when kafkajs has to go there, too, and false when the records are still here. */
  seek(offset: number): boolean {
    const [first] = this.#records;
    const isHere = first !== undefined && this.next !== undefined && offset >= first.offset && offset <= this.next;
    if (isHere) {
      const index = this.#records.findIndex((record) => record.offset >= offset);
      this.#at = index < 0 ? this.#records.length : index;
    } else {
      this.#records = [];
      this.#at = 0;
      this.next = offset;
    }
    this.#position = offset;
    return !isHere;
  }

  /** The position is looked up anew; what is here or arrives meanwhile is dropped. */
  forgetPosition(): void {
    this.#records = [];
    this.#at = 0;
    this.next = undefined;
    this.#position = undefined;
  }

  /** Takes over a fetch that ended before `next`. */
  add(records: readonly DriverRecord[], next: number): void {
    if (this.waiting === 0 && this.#position === this.next) this.#position = records[0]?.offset ?? next;
    // No spread: a fetch may hold more records than a call may have arguments.
    for (const record of records) this.#records.push(record);
    this.next = next;
  }

  /** Up to `count` records; the position moves behind them. */
  take(count: number): DriverRecord[] {
    const taken = this.#records.slice(this.#at, this.#at + count);
    this.#at += taken.length;
    const following = this.#records[this.#at];
    if (taken.length > 0) this.#position = following?.offset ?? this.next;
    return taken;
  }

  /** Lets go of what earlier polls returned. */
  compact(): void {
    if (this.#at === 0) return;
    this.#records.splice(0, this.#at);
    this.#at = 0;
  }
}
