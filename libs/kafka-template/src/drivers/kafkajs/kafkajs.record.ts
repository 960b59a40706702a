/**
 * Records between kafkajs and the port. Headers are flattened on first use: kafkajs keeps repeated keys in a list per key.
 */
import type { DriverRecord, DriverRecords, ReceivedHeader, TopicPartition } from '../driver.js';
import { partitionName } from '../driver.js';
import type { KafkaJsReceivedMessage } from './kafkajs.types.js';

/** A record received through kafkajs. */
export class KafkaJsRecord implements DriverRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly timestampType: number;
  readonly leaderEpoch: number | null;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly #headers: KafkaJsReceivedMessage['headers'];
  #flat: readonly ReceivedHeader[] | undefined;

  constructor({ topic, partition }: TopicPartition, message: KafkaJsReceivedMessage) {
    this.topic = topic;
    this.partition = partition;
    this.offset = Number(message.offset);
    this.timestamp = Number(message.timestamp);
    this.timestampType = message.batchContext?.timestampType ?? 0;
    this.leaderEpoch = message.batchContext?.partitionLeaderEpoch ?? null;
    this.key = message.key;
    this.value = message.value;
    this.#headers = message.headers;
  }

  get headers(): readonly ReceivedHeader[] {
    return (this.#flat ??= flatten(this.#headers));
  }
}

function flatten(headers: KafkaJsReceivedMessage['headers']): ReceivedHeader[] {
  return Object.entries(headers ?? {}).flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => ({
      key,
      value: typeof one === 'string' ? Buffer.from(one) : (one ?? null),
    })),
  );
}

/** What one poll returned. */
export class KafkaJsRecords implements DriverRecords {
  readonly count: number;
  readonly #parts: ReadonlyMap<string, readonly DriverRecord[]>;

  constructor(parts: ReadonlyMap<string, readonly DriverRecord[]>) {
    this.#parts = parts;
    let count = 0;
    for (const records of parts.values()) count += records.length;
    this.count = count;
  }

  partitions(): TopicPartition[] {
    return [...this.#parts.values()].flatMap(([first]) =>
      first === undefined ? [] : [{ topic: first.topic, partition: first.partition }],
    );
  }

  records(partition: TopicPartition): readonly DriverRecord[] {
    return this.#parts.get(partitionName(partition)) ?? [];
  }
}
