/**
 * Positions moved from outside a call of the listener: by callbacks, by the registry, by a timer of the application.
 *
 * A seek is done by the container's loop, before its next poll; the loop is woken for it. What is left of the partition in
 * memory and what it had earned is void at once. Partitions that are not assigned are left out, with a warning.
 */
import { type DriverConsumer, type TopicPartition, partitionName } from '../drivers/driver.js';
import type { Log } from '../io/log.js';

/** Moves positions. May be kept and called at any time, from anywhere; Spring's ConsumerSeekCallback. */
export interface SeekCallback {
  /** The group of the consumer; undefined without one. */
  readonly groupId: string | undefined;
  /** The next record of the partition is the one at `offset`. */
  seek(partition: TopicPartition, offset: number): void;
  /** To the first record there is; without a list, in all partitions. */
  seekToBeginning(partitions?: readonly TopicPartition[]): void;
  /** Past the last record there is; without a list, in all partitions. */
  seekToEnd(partitions?: readonly TopicPartition[]): void;
  /** `count` records forward (or, below 0, back) from there, not past either end. */
  seekRelative(partition: TopicPartition, count: number, from: 'beginning' | 'end' | 'current'): void;
  /** To the first record at or after that time in epoch milliseconds; to the end where there is none. Without a list, in all partitions. */
  seekToTimestamp(timestamp: number, partitions?: readonly TopicPartition[]): void;
}

/**
 * Implemented by the class that has the @KafkaListener method, or given as option `seekAware`. Spring's ConsumerSeekAware.
 * All may be async and are awaited; what they throw is logged.
 */
export interface KafkaSeekAware {
  /** A consumer starts; `seeks` is good until it stops. */
  registerSeekCallback?(seeks: SeekCallback): unknown;
  /** Partitions have come; a seek made here is done before the first record is delivered. */
  onPartitionsAssigned?(partitions: readonly TopicPartition[], seeks: SeekCallback): unknown;
  /** Partitions go. */
  onPartitionsRevoked?(partitions: readonly TopicPartition[]): unknown;
  /** Nothing has come for `idleEventIntervalMs`. */
  onIdleContainer?(partitions: readonly TopicPartition[], seeks: SeekCallback): unknown;
}

/** The class of a listener method as one that hears of partitions, if it has such methods. */
export function seekAwareOf(instance: unknown): KafkaSeekAware | undefined {
  if (typeof instance !== 'object' || instance === null) return undefined;
  const names = ['registerSeekCallback', 'onPartitionsAssigned', 'onPartitionsRevoked', 'onIdleContainer'];
  const methods = instance as Record<string, unknown>;
  return names.some((name) => typeof methods[name] === 'function') ? instance : undefined;
}

type Move = (consumer: DriverConsumer, partitions: readonly TopicPartition[]) => unknown;

interface Request {
  /** Undefined: all there are. */
  readonly partitions: readonly TopicPartition[] | undefined;
  readonly move: Move;
}

/** What the queue has to know of its container. */
export interface SeekQueueParts {
  readonly consumer: DriverConsumer;
  readonly groupId: string | undefined;
  readonly owned: () => readonly TopicPartition[];
  /** What the partitions had in memory, and what they had earned, is void. */
  readonly onSeek: (partitions: readonly TopicPartition[]) => void;
  readonly wake: () => void;
  readonly log: Log;
  readonly containerId: string;
}

/** Seeks that wait for the loop. */
export class SeekQueue implements SeekCallback {
  readonly #parts: SeekQueueParts;
  readonly #requests: Request[] = [];

  constructor(parts: SeekQueueParts) {
    this.#parts = parts;
  }

  get groupId(): string | undefined {
    return this.#parts.groupId;
  }

  seek(partition: TopicPartition, offset: number): void {
    this.#add([partition], (consumer) => consumer.seek(partition, offset));
  }

  seekToBeginning(partitions?: readonly TopicPartition[]): void {
    this.#add(partitions, (consumer, owned) => consumer.seekToBeginning(owned));
  }

  seekToEnd(partitions?: readonly TopicPartition[]): void {
    this.#add(partitions, (consumer, owned) => consumer.seekToEnd(owned));
  }

  seekRelative(partition: TopicPartition, count: number, from: 'beginning' | 'end' | 'current'): void {
    this.#add([partition], async (consumer) => {
      const [[first], [end]] = await Promise.all([
        consumer.beginningOffsets([partition]),
        consumer.endOffsets([partition]),
      ]);
      const low = first?.offset ?? 0;
      const high = end?.offset ?? low;
      const base = from === 'beginning' ? low : from === 'end' ? high : await consumer.position(partition);
      consumer.seek(partition, Math.min(high, Math.max(low, base + count)));
    });
  }

  seekToTimestamp(timestamp: number, partitions?: readonly TopicPartition[]): void {
    this.#add(partitions, async (consumer, owned) => {
      const found = await consumer.offsetsForTimes(owned.map((partition) => ({ ...partition, timestamp })));
      const offsets = new Map(found.map((entry) => [partitionName(entry), entry.offset]));
      for (const partition of owned) {
        const offset = offsets.get(partitionName(partition)) ?? null;
        if (offset !== null && offset >= 0) consumer.seek(partition, offset);
        else consumer.seekToEnd([partition]);
      }
    });
  }

  /** Does what was asked for. What the broker refuses is logged: the position stays. */
  async run(): Promise<void> {
    const { consumer, onSeek, log, containerId } = this.#parts;
    while (this.#requests.length > 0) {
      const request = this.#requests.shift() as Request;
      const owned = this.#ownedOf(request.partitions);
      if (owned.length === 0) continue;
      onSeek(owned);
      try {
        await request.move(consumer, owned);
      } catch (error) {
        log.error(`${containerId}: a seek failed; the position stays`, error);
      }
    }
  }

  #add(partitions: readonly TopicPartition[] | undefined, move: Move): void {
    this.#requests.push({ partitions, move });
    // At once, so that nothing that is in memory is delivered before the loop gets to it.
    this.#parts.onSeek(partitions ?? this.#parts.owned());
    this.#parts.wake();
  }

  #ownedOf(partitions: readonly TopicPartition[] | undefined): readonly TopicPartition[] {
    const owned = this.#parts.owned();
    if (partitions === undefined) return owned;
    const names = new Set(owned.map(partitionName));
    return partitions.filter((partition) => {
      if (names.has(partitionName(partition))) return true;
      this.#parts.log.warn(
        `${this.#parts.containerId}: seek in ${partitionName(partition)}, which is not assigned here`,
      );
      return false;
    });
  }
}
