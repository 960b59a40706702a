/**
 * Feeds the view. Reads both topics from the beginning at every start: without a group nobody shares the partitions out
 * and nothing is committed, so every instance of the application has everything.
 *
 * Takes whatever is in the topics: a tombstone deletes an order, what is neither order nor invoice is passed over. What
 * was there before the start was told before, so it is only counted.
 */
import { Injectable, Logger } from '@nestjs/common';
import { ConsumerRecord, KafkaListener } from '@kafka-template/nestjs';
import { Activity } from '../status/activity.js';
import { OrderView } from './order-view.js';
import type { InvoiceDto, PlacedOrderDto } from './order.dto.js';
import { Topic, VIEW_LISTENER } from './topic.js';
import { ViewProgress } from './view-progress.js';

@Injectable()
export class OrderViewListener {
  private readonly log = new Logger(OrderViewListener.name);
  private foreignBefore = 0;

  constructor(
    private readonly view: OrderView,
    private readonly progress: ViewProgress,
    private readonly activity: Activity,
  ) {
    void progress.whenComplete.then(() => this.tellForeignBefore());
  }

  // No group, so no member of one either, whatever the application's listeners are otherwise.
  @KafkaListener({
    id: VIEW_LISTENER,
    topics: [Topic.ORDERS, Topic.INVOICES],
    groupId: null,
    properties: { groupInstanceId: undefined },
  })
  onRecord(record: ConsumerRecord): void {
    this.activity.received(VIEW_LISTENER, record);
    this.show(record);
    this.progress.received(record);
  }

  private show(record: ConsumerRecord): void {
    const { topic, key } = record;
    const value = valueOf(record);
    if (topic === Topic.ORDERS && value === null) this.view.removed(String(key));
    else if (topic === Topic.ORDERS && has(value, 'id')) this.view.received(value as unknown as PlacedOrderDto, record);
    else if (topic === Topic.INVOICES && has(value, 'orderId')) this.view.billed(value as unknown as InvoiceDto);
    else if (!this.progress.isComplete) this.foreignBefore++;
    else
      this.log.warn(
        `Passed over what is at ${topic}-${record.partition}@${record.offset}: ${foreignReason(topic, value)}`,
      );
  }

  private tellForeignBefore(): void {
    if (this.foreignBefore === 0) return;
    const records = this.foreignBefore === 1 ? '1 record' : `${this.foreignBefore} records`;
    this.log.warn(`Passed over ${records} of before the start, neither order nor invoice`);
  }
}

/** The value; a text that is no JSON, though it begins like it, as that text. */
function valueOf(record: ConsumerRecord): unknown {
  try {
    return record.value;
  } catch {
    return String(record.rawValue);
  }
}

function foreignReason(topic: string, value: unknown): string {
  const what = topic === Topic.ORDERS ? 'order' : 'invoice';
  if (value === null) return `a null value deletes an order, and this is the topic of ${what}s`;
  if (typeof value !== 'object') return `no ${what}, the value is no JSON object`;
  return `no ${what}, the object has no ${what === 'order' ? 'id' : 'orderId'}`;
}

function has(value: unknown, property: string): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, property) === 'string';
}
