/**
 * Feeds the view. Reads both topics from the beginning at every start: without a group nobody shares the partitions out
 * and nothing is committed, so every instance of the application has everything.
 */
import { Injectable } from '@nestjs/common';
import { ConsumerRecord, KafkaListener } from '@kafka-template/nestjs';
import { Activity } from '../status/activity.js';
import { OrderView } from './order-view.js';
import type { InvoiceDto, PlacedOrderDto } from './order.dto.js';
import { Topic } from './topic.js';

@Injectable()
export class OrderViewListener {
  constructor(
    private readonly view: OrderView,
    private readonly activity: Activity,
  ) {}

  @KafkaListener({ id: 'view', topics: [Topic.ORDERS, Topic.INVOICES], groupId: null })
  onRecord(record: ConsumerRecord): void {
    this.activity.received('view', record);
    if (record.topic === Topic.ORDERS) this.view.received(record.value as PlacedOrderDto, record);
    else this.view.billed(record.value as InvoiceDto);
  }
}
