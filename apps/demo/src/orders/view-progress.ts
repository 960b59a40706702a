/**
 * Whether the view has read everything that was there when it began: until then "there is no such order" cannot be said.
 *
 * Compares what the view has read with where its partitions ended when it was given them. When that cannot be found out or
 * is never reached (records may be missing at the end, such as those of transactions), it gives up after LIMIT_MS.
 */
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type ConsumerRecord, KafkaListenerEndpointRegistry, type TopicPartition } from '@kafka-template/nestjs';
import { Cluster, type PartitionRange } from '../status/cluster.js';
import { VIEW_LISTENER } from './topic.js';

const LIMIT_MS = 15_000;
const RETRY_MS = 500;

@Injectable()
export class ViewProgress implements OnApplicationShutdown {
  private readonly lastOffsets = new Map<string, number>();
  /** Last offset to be read, by partition; undefined until the broker has said. */
  private targets: Map<string, number> | undefined;
  private limit: NodeJS.Timeout | undefined;
  private readonly unsubscribe: () => void;
  private onComplete: () => void = () => undefined;

  /** Resolves when {@link isComplete}. */
  readonly whenComplete = new Promise<void>((resolve) => (this.onComplete = resolve));

  constructor(
    private readonly cluster: Cluster,
    registry: KafkaListenerEndpointRegistry,
  ) {
    this.unsubscribe = registry.onEvent((event) => {
      if (event.type === 'partitions-assigned' && event.listenerId === VIEW_LISTENER) void this.begin(event.partitions);
    });
  }

  /** Whether the view has everything that was there at the start. */
  get isComplete(): boolean {
    return this.targets?.size === 0;
  }

  /** The view has read a record. */
  received({ topic, partition, offset }: ConsumerRecord): void {
    if (this.isComplete) return;
    this.lastOffsets.set(`${topic}-${partition}`, offset);
    this.dropReached();
  }

  onApplicationShutdown(): void {
    clearTimeout(this.limit);
    this.targets ??= new Map();
    this.tellComplete();
    this.unsubscribe();
  }

  private async begin(partitions: readonly TopicPartition[]): Promise<void> {
    if (this.limit !== undefined) return;
    this.limit = setTimeout(() => this.giveUp(), LIMIT_MS).unref();
    while (this.targets === undefined) {
      const ranges = await this.cluster.ranges(partitions).catch(() => undefined);
      if (ranges === undefined) await setTimeoutPromise(RETRY_MS, undefined, { ref: false });
      else this.targets = targetsOf(ranges);
    }
    this.dropReached();
  }

  private dropReached(): void {
    for (const [partition, target] of this.targets ?? []) {
      if ((this.lastOffsets.get(partition) ?? -1) >= target) this.targets?.delete(partition);
    }
    this.tellComplete();
  }

  private giveUp(): void {
    this.targets = new Map();
    this.tellComplete();
  }

  private tellComplete(): void {
    if (this.isComplete) this.onComplete();
  }
}

/** The last offset of each partition that is not empty. */
function targetsOf(ranges: readonly PartitionRange[]): Map<string, number> {
  const filled = ranges.filter(({ start, end }) => end > start);
  return new Map(filled.map(({ topic, partition, end }) => [`${topic}-${partition}`, end - 1]));
}
