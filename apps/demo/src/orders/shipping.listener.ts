/**
 * Ships what was billed, with combined commits: asynchronous while running, synchronous when partitions are given up.
 */
import { Injectable, Logger } from '@nestjs/common';
import { CommitStyle, ConsumerRecord, KafkaListener, Payload } from '@kafka-template/nestjs';
import { Activity } from '../status/activity.js';
import { InvoiceDto } from './order.dto.js';
import { Topic } from './topic.js';

@Injectable()
export class ShippingListener {
  private readonly log = new Logger(ShippingListener.name);

  constructor(private readonly activity: Activity) {}

  @KafkaListener({ id: 'shipping', topics: Topic.INVOICES, commitStyle: CommitStyle.COMBINED })
  onInvoice(@Payload() invoice: InvoiceDto, record: ConsumerRecord): void {
    this.activity.received('shipping', record);
    this.log.log(`Shipped order ${invoice.orderId}, invoice ${invoice.number}`);
  }
}
