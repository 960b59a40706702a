/**
 * `for await (const record of consumer)`: one record after the other, over `poll`.
 *
 * Guarantees back-pressure by construction: nothing is polled before the last record of the poll before was asked for
 * more. The position is behind the record that was given last, so that a commit in the loop, or an automatic one at
 * close, takes no record for done that the loop has not seen; a loop that is left goes on behind it. `seek` and a
 * partition that is given up take effect with the next record. Ends when the consumer is closed; what `poll` throws, the
 * loop throws.
 */
import type { ConsumerRecord } from './consumer-record.js';
import type { ConsumerRecords } from './consumer-records.js';
import type { PartitionState } from './partition-state.js';
import type { TopicPartition } from './topic-partition.js';

/** What the iterator needs of its consumer. */
export interface RecordSource {
  isClosed(): boolean;
  /** Waits for records; empty when there are none for a while. */
  poll(): Promise<ConsumerRecords>;
  find(partition: TopicPartition): PartitionState | undefined;
}

/** The records of one partition that are still to be given. */
interface Part {
  readonly state: PartitionState;
  readonly version: number;
  readonly records: readonly ConsumerRecord[];
  readonly nextOffset: number;
  readonly nextOffsetEpoch: number;
}

/** One loop over a consumer. */
export class RecordIterator implements AsyncIterableIterator<ConsumerRecord> {
  private parts: Part[] = [];
  private index = 0;
  private ended = false;

  constructor(private readonly source: RecordSource) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<ConsumerRecord, undefined>> {
    try {
      while (!this.ended && !this.source.isClosed()) {
        const value = this.take();
        if (value !== undefined) return { done: false, value };
        this.begin(await this.source.poll());
      }
    } catch (error) {
      const wasClosed = this.source.isClosed();
      this.end();
      if (!wasClosed) throw error;
    }
    this.end();
    return { done: true, value: undefined };
  }

  /** The loop is left: what it was not given is fetched again. */
  return(): Promise<IteratorResult<ConsumerRecord, undefined>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  private begin(polled: ConsumerRecords): void {
    for (const { topicPartition, records, nextOffset, nextOffsetEpoch } of polled.byPartition()) {
      const state = this.source.find(topicPartition);
      const first = records[0];
      if (state === undefined || first === undefined) continue;
      state.position = first.offset;
      state.positionEpoch = -1;
      this.parts.push({ state, version: state.version, records, nextOffset, nextOffsetEpoch });
    }
  }

  private take(): ConsumerRecord | undefined {
    for (let part = this.parts[0]; part !== undefined; part = this.parts[0]) {
      const record = this.isValid(part) ? part.records[this.index++] : undefined;
      if (record !== undefined) {
        const isLast = this.index === part.records.length;
        part.state.position = isLast ? part.nextOffset : record.offset + 1;
        part.state.positionEpoch = isLast ? part.nextOffsetEpoch : (record.leaderEpoch ?? -1);
        return record;
      }
      this.parts.shift();
      this.index = 0;
    }
    return undefined;
  }

  /** Neither sought away from nor given up. */
  private isValid({ state, version }: Part): boolean {
    return state.version === version && !state.revoking && this.source.find(state.topicPartition) === state;
  }

  private end(): void {
    this.ended = true;
    const left = this.parts.filter((part, index) => index > 0 || this.index < part.records.length);
    for (const part of left) if (this.isValid(part)) part.state.refetch();
    this.parts = [];
  }
}
