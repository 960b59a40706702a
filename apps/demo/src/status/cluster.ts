/**
 * What the broker knows, asked with an admin client: committed offsets and how far partitions reach.
 *
 * Every call ends within a second, also when the broker is away: whoever looks wants to be told so, not to wait.
 */
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type Admin, OffsetSpec, createAdmin } from '@kafka-template/client';
import { KAFKA_OPTIONS, type KafkaModuleOptions, type OffsetCommit, type TopicPartition } from '@kafka-template/nestjs';

/** How long the broker may take to answer: the client's limit, and one for what the client does besides. */
const ASK_TIMEOUT_MS = 700;
const ANSWER_TIMEOUT_MS = 900;

/** The clients of the application say already when the broker is away. */
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Which records a partition has: from `start`, up to but without `end`. */
export interface PartitionRange extends TopicPartition {
  readonly start: number;
  readonly end: number;
}

@Injectable()
export class Cluster implements OnApplicationShutdown {
  /** `127.0.0.1:9092` */
  readonly bootstrapServers: string;
  private readonly admin: Admin;

  constructor(@Inject(KAFKA_OPTIONS) { bootstrapServers }: Pick<KafkaModuleOptions, 'bootstrapServers'>) {
    this.bootstrapServers = String(bootstrapServers);
    this.admin = createAdmin({
      bootstrapServers: this.bootstrapServers,
      clientId: 'demo-status',
      logger: SILENT,
      defaultApiTimeoutMs: ASK_TIMEOUT_MS,
    });
  }

  /** What a group has committed. Rejects with a KafkaError when the broker does not say. */
  async committed(group: string): Promise<readonly OffsetCommit[]> {
    const committed = await this.withinTimeout(this.admin.listConsumerGroupOffsets(group));
    return committed.flatMap(({ topic, partition, offset }) => (offset === null ? [] : [{ topic, partition, offset }]));
  }

  /** Where partitions begin and end now. Rejects with a KafkaError when the broker does not say. */
  async ranges(partitions: readonly TopicPartition[]): Promise<PartitionRange[]> {
    const at = (timestamp: number) =>
      this.withinTimeout(this.admin.listOffsets(partitions.map((place) => ({ ...place, timestamp }))));
    const [starts, ends] = await Promise.all([at(OffsetSpec.EARLIEST), at(OffsetSpec.LATEST)]);
    return partitions.map((place, index) => ({
      ...place,
      start: starts[index]?.offset ?? 0,
      end: ends[index]?.offset ?? 0,
    }));
  }

  /** Why the broker does not answer now; undefined when it does. Never rejects. */
  async unreachableReason(): Promise<string | undefined> {
    return this.withinTimeout(this.admin.describeCluster()).then(
      () => undefined,
      // Not how long the question was asked, but what stood in its way.
      ({ cause, message }: Error) => (cause instanceof Error ? cause.message : message),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await this.admin.close();
  }

  /** The client keeps to its own limit; this one also holds while it still connects. */
  private async withinTimeout<T>(answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const fail = () => reject(new Error(`no answer from ${this.bootstrapServers} within ${ANSWER_TIMEOUT_MS} ms`));
      timer = setTimeout(fail, ANSWER_TIMEOUT_MS);
    });
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  }
}

function nothing(): void {}
