/**
 * Places orders: sends them to the topic in one of three ways.
 */
import { Injectable, Logger } from '@nestjs/common';
import { KafkaTemplate } from '@kafka-template/nestjs';
import { Activity } from '../status/activity.js';
import { OrderView } from './order-view.js';
import { type PlaceOrderDto, type PlacedOrderDto, SendMode } from './order.dto.js';
import { Topic } from './topic.js';

/** What the one who placed an order is told. */
export interface Receipt {
  readonly id: string;
  readonly mode: SendMode;
  /** Where the order is; known only to those who waited for the broker's answer. */
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
}

/** How long a synchronous send waits for the broker. */
const SYNC_TIMEOUT_MS = 5000;

@Injectable()
export class OrdersService {
  private readonly log = new Logger(OrdersService.name);

  constructor(
    private readonly kafka: KafkaTemplate,
    private readonly view: OrderView,
    private readonly activity: Activity,
  ) {}

  /** Sends the order. Rejects with a KafkaTemplateError when the mode is `sync` and the broker has not taken it. */
  async place(request: PlaceOrderDto, mode: SendMode): Promise<Receipt> {
    const order: PlacedOrderDto = { ...request, placedAt: new Date().toISOString() };
    this.view.sent(order, mode);
    this.activity.sent(mode);
    // The id is the key: everything about one order goes to one partition and keeps its order.
    const future = this.kafka.send(Topic.ORDERS, order.id, order);
    switch (mode) {
      case SendMode.FORGET:
        // Not waited for. A failure is in the log, in the counters of /status and in the state of the order.
        return { id: order.id, mode };
      case SendMode.SYNC: {
        const { topic, partition, offset } = await future.get(SYNC_TIMEOUT_MS);
        return { id: order.id, mode, topic, partition, offset };
      }
      case SendMode.CALLBACK:
        future.addCallback(
          ({ partition, offset }) => this.log.log(`Order ${order.id} is on partition ${partition} at offset ${offset}`),
          (error) => this.log.error(`Order ${order.id} did not arrive: ${error.message}`),
        );
        return { id: order.id, mode };
    }
  }
}
