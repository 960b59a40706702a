/**
 * Partition logs for specs: answers Fetch and ListOffsets of a scripted cluster from batches made by the real builder.
 */
import {
  BatchBuilder,
  batchLastOffset,
  ErrorCode,
  Fetch,
  ListOffsets,
  type RequestOf,
  type ResponseInput,
} from '@kafka-template/protocol';
import type { Clock } from '../../io/clock.js';
import type { ScriptedCluster } from './scripted-cluster.js';

type FetchAnswer = NonNullable<ResponseInput<typeof Fetch>['responses']>[number]['partitions'][number];

/** The logs of all partitions. */
export class ScriptedLog {
  /** Errors to answer fetches of a partition (`topic-0`) with, one each. */
  readonly fetchErrors = new Map<string, number[]>();
  /** Errors to answer look-ups of a partition with, one each. */
  readonly lookupErrors = new Map<string, number[]>();
  /** Whether an id that no topic has is refused, as brokers do. */
  idErrors = true;
  /** Codes to refuse whole fetch requests with, one each. */
  fetchCodes: number[] = [];
  /** Batches a response holds at most for each partition. */
  batchesPerFetch = Infinity;
  private readonly batches = new Map<string, Buffer[]>();
  private readonly ends = new Map<string, number>();
  private readonly starts = new Map<string, number>();

  constructor(
    private readonly cluster: ScriptedCluster,
    private readonly clock: Clock,
  ) {
    cluster.on(Fetch, (body) => this.fetch(body));
    cluster.on(ListOffsets, (body) => this.list(body));
  }

  /** Appends one batch with these values. */
  append(topic: string, partition: number, values: readonly string[]): void {
    const key = `${topic}-${partition}`;
    const builder = new BatchBuilder({ capacityBytes: 65_536 });
    for (const value of values) builder.append(1_700_000_000_000, null, value, null);
    const baseOffset = this.end(key);
    this.batches.set(key, [...(this.batches.get(key) ?? []), builder.finish({ baseOffset, leaderEpoch: 0 })]);
    this.ends.set(key, baseOffset + values.length);
  }

  /** Appends bytes as they are; `endOffset` is the log's end then. */
  appendRaw(topic: string, partition: number, bytes: Buffer, endOffset: number): void {
    const key = `${topic}-${partition}`;
    this.batches.set(key, [...(this.batches.get(key) ?? []), bytes]);
    this.ends.set(key, endOffset);
  }

  /** Drops everything before an offset, as retention does; whole batches. */
  truncateBefore(topic: string, partition: number, offset: number): void {
    const key = `${topic}-${partition}`;
    this.starts.set(key, offset);
    this.batches.set(
      key,
      (this.batches.get(key) ?? []).filter((batch) => batchLastOffset(batch) >= offset),
    );
  }

  /** Drops everything: the topic is deleted. */
  drop(topic: string, partition: number): void {
    const key = `${topic}-${partition}`;
    for (const map of [this.starts, this.ends, this.batches]) map.delete(key);
  }

  private end(key: string): number {
    return this.ends.get(key) ?? 0;
  }

  private async fetch(body: RequestOf<typeof Fetch>): Promise<ResponseInput<typeof Fetch>> {
    const errorCode = this.fetchCodes.shift();
    if (errorCode !== undefined) return { errorCode, responses: [] };
    const responses = body.topics.map(({ topic, topicId, partitions }) => {
      const name = topic !== '' ? topic : this.nameOf(topicId);
      if (name === '' && this.idErrors) return { topic, topicId, partitions: partitions.map(unknownId) };
      return { topic, topicId, partitions: partitions.map((each) => this.read(name || this.onlyTopic(), each)) };
    });
    const isEmpty = responses.every(({ partitions }) => partitions.every((each) => isQuiet(each)));
    if (!isEmpty || body.maxWaitMs === 0) return { responses };
    await new Promise<void>((resolve) => void this.clock.setTimer(body.maxWaitMs, resolve));
    // A long poll that ends brings what has been appended meanwhile.
    return this.fetch({ ...body, maxWaitMs: 0 });
  }

  /** For answers that leave the id out of account. */
  private onlyTopic(): string {
    return [...this.cluster.topics.keys()][0] ?? '';
  }

  private nameOf(topicId: string): string {
    for (const [name, topic] of this.cluster.topics) if (topic.topicId === topicId) return name;
    return '';
  }

  private read(topic: string, { partition, fetchOffset }: { partition: number; fetchOffset: number }): FetchAnswer {
    const key = `${topic}-${partition}`;
    const partitionIndex = partition;
    const highWatermark = this.end(key);
    const errorCode = this.fetchErrors.get(key)?.shift() ?? this.rangeError(key, fetchOffset);
    if (errorCode !== ErrorCode.NONE) {
      return { partitionIndex, errorCode, highWatermark: -1, records: Buffer.alloc(0), abortedTransactions: null };
    }
    const batches = (this.batches.get(key) ?? []).filter((batch) => batchLastOffset(batch) >= fetchOffset);
    const records = Buffer.concat(batches.slice(0, this.batchesPerFetch));
    return { partitionIndex, errorCode, highWatermark, records, abortedTransactions: null };
  }

  private rangeError(key: string, offset: number): number {
    const isInside = offset >= (this.starts.get(key) ?? 0) && offset <= this.end(key);
    return isInside ? ErrorCode.NONE : ErrorCode.OFFSET_OUT_OF_RANGE;
  }

  private list(body: RequestOf<typeof ListOffsets>): ResponseInput<typeof ListOffsets> {
    return {
      topics: body.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, timestamp }) => {
          const key = `${name}-${partitionIndex}`;
          const errorCode = this.lookupErrors.get(key)?.shift() ?? ErrorCode.NONE;
          const offset = timestamp === -2 ? (this.starts.get(key) ?? 0) : this.end(key);
          return { partitionIndex, errorCode, offset, timestamp: -1, leaderEpoch: 0 };
        }),
      })),
    };
  }
}

function unknownId({ partition }: { partition: number }): FetchAnswer {
  const errorCode = ErrorCode.UNKNOWN_TOPIC_ID;
  return { partitionIndex: partition, errorCode, highWatermark: -1, records: null, abortedTransactions: null };
}

function isQuiet({ errorCode, records }: FetchAnswer): boolean {
  return errorCode === ErrorCode.NONE && (records as Buffer).length === 0;
}
