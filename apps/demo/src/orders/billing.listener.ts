/**
 * Bills orders, with manual commits: an order counts as done when its invoice is safely in its topic.
 *
 * At-least-once: a crash between the two makes the invoice come twice, with the same number, which readers can tell.
 */
import { Injectable, Logger } from '@nestjs/common';
import { AckMode, Acknowledgment, ConsumerRecord, KafkaListener, KafkaTemplate, Payload } from '@kafka-template/nestjs';
import { Activity } from '../status/activity.js';
import { type InvoiceDto, PlacedOrderDto } from './order.dto.js';
import { Topic } from './topic.js';

const PRICE_CENTS = 1000;

@Injectable()
export class BillingListener {
  private readonly log = new Logger(BillingListener.name);

  constructor(
    private readonly kafka: KafkaTemplate,
    private readonly activity: Activity,
  ) {}

  @KafkaListener({ id: 'billing', topics: Topic.ORDERS, ackMode: AckMode.MANUAL })
  async onOrder(@Payload() order: PlacedOrderDto, record: ConsumerRecord, ack: Acknowledgment): Promise<void> {
    this.activity.received('billing', record);
    const invoice: InvoiceDto = {
      orderId: order.id,
      number: `${record.partition}-${record.offset}`,
      amountCents: order.quantity * PRICE_CENTS,
    };
    await this.kafka.send(Topic.INVOICES, order.id, invoice);
    ack.acknowledge();
    this.log.log(`Billed order ${order.id} of ${order.customer}: ${order.quantity} x ${order.item}`);
  }
}
