/**
 * Counts what happens since the start: orders sent, acknowledged, failed; records received, per listener and partition.
 */
import { Injectable } from '@nestjs/common';
import type { ConsumerRecord, ProducerListener, ProducerRecord } from '@kafka-template/nestjs';
import { SendMode } from '../orders/order.dto.js';
import { Topic } from '../orders/topic.js';

/** What a listener has received of one partition. */
export interface ReceivedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly count: number;
  readonly lastOffset: number;
}

/** Orders since the start. Every order sent ends up as acknowledged or failed, whatever its mode. */
export interface SentOrders extends Readonly<Record<SendMode, number>> {
  readonly acknowledged: number;
  readonly failed: number;
}

@Injectable()
export class Activity implements ProducerListener {
  private readonly modes: Record<SendMode, number> = { forget: 0, sync: 0, callback: 0 };
  private acknowledged = 0;
  private failed = 0;
  /** By listener, then by partition: as many entries as there are partitions. */
  private readonly listeners = new Map<string, Map<string, ReceivedPartition>>();

  /** An order was handed to the producer. */
  sent(mode: SendMode): void {
    this.modes[mode]++;
  }

  onSuccess(record: ProducerRecord): void {
    if (record.topic === Topic.ORDERS) this.acknowledged++;
  }

  onError(record: ProducerRecord): void {
    if (record.topic === Topic.ORDERS) this.failed++;
  }

  /** A listener has a record in hand. */
  received(listener: string, { topic, partition, offset }: ConsumerRecord): void {
    const partitions = this.listeners.get(listener) ?? new Map<string, ReceivedPartition>();
    this.listeners.set(listener, partitions);
    const name = `${topic}-${partition}`;
    const count = (partitions.get(name)?.count ?? 0) + 1;
    partitions.set(name, { topic, partition, count, lastOffset: offset });
  }

  /** Orders since the start. */
  get sentOrders(): SentOrders {
    return { ...this.modes, acknowledged: this.acknowledged, failed: this.failed };
  }

  /** What each listener has received since the start. */
  get receivedRecords(): Record<string, ReceivedPartition[]> {
    return Object.fromEntries(
      [...this.listeners].map(([listener, partitions]) => [listener, [...partitions.values()]]),
    );
  }
}
