/**
 * Logs what the broker has not taken: one line each, by id, without what the customer wrote.
 *
 * Leaves out orders with a callback, which tells the same.
 */
import { Logger } from '@nestjs/common';
import type { ProducerListener, ProducerRecord } from '@kafka-template/nestjs';
import type { OrderView } from './order-view.js';
import { SendMode } from './order.dto.js';
import { Topic } from './topic.js';

/** Looks into the view for how an order was sent. */
export class FailureLog implements ProducerListener {
  private readonly log = new Logger('Orders');

  constructor(private readonly view: Pick<OrderView, 'get'>) {}

  onError({ topic, key }: ProducerRecord, _metadata: unknown, { message, cause }: Error): void {
    const id = String(key);
    if (topic === Topic.ORDERS && this.view.get(id)?.mode === SendMode.CALLBACK) return;
    const what = topic === Topic.ORDERS ? 'Order' : 'The invoice of order';
    this.log.error(`${what} ${id} was not sent: ${cause instanceof Error ? cause.message : message}`);
  }
}
