/**
 * Places orders: sends them to the topic in one of three ways.
 */
import { setImmediate as setImmediatePromise, setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { KafkaTemplate, KafkaTemplateError, KafkaTemplateErrorCode } from '@kafka-template/nestjs';
import { Activity } from '../status/activity.js';
import { Cluster } from '../status/cluster.js';
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

/** The broker has not taken an order, or will not be asked any more; the message says why. */
export class NotPlacedError extends Error {
  override readonly name = 'NotPlacedError';
}

/** How long a synchronous send waits for the broker. With the question why, less than 5 s. */
const SYNC_TIMEOUT_MS = 4000;

const STOPPING = 'the application is stopping';

@Injectable()
export class OrdersService {
  private readonly log = new Logger(OrdersService.name);
  /** Fails each synchronous send that waits: as many as there are such requests. */
  private readonly waiting = new Set<(error: Error) => void>();
  private isStopping = false;

  constructor(
    private readonly kafka: KafkaTemplate,
    private readonly view: OrderView,
    private readonly activity: Activity,
    private readonly cluster: Cluster,
  ) {}

  /** Takes no more orders. Resolves when nobody waits for the broker any more, at the latest after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.isStopping = true;
    const end = performance.now() + graceMs;
    while (this.waiting.size > 0 && performance.now() < end) await setTimeoutPromise(10);
    for (const fail of this.waiting) {
      fail(new NotPlacedError(`The broker has not acknowledged the order: ${STOPPING}. It may still arrive`));
    }
    // Those who waited are now told so.
    while (this.waiting.size > 0) await setImmediatePromise();
    await setImmediatePromise();
  }

  /** Sends the order. Rejects with a NotPlacedError when the broker has not taken it and the mode is `sync`. */
  async place(request: PlaceOrderDto, mode: SendMode): Promise<Receipt> {
    if (this.isStopping) throw new NotPlacedError(`The order was not sent: ${STOPPING}`);
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
        const { topic, partition, offset } = await this.untilStopped(future.get(SYNC_TIMEOUT_MS));
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

  private async untilStopped<T>(sent: Promise<T>): Promise<T> {
    let fail: (error: Error) => void = () => undefined;
    const stopped = new Promise<never>((_, reject) => (fail = reject));
    this.waiting.add(fail);
    try {
      return await Promise.race([sent.catch((error: unknown) => this.explain(error)), stopped]);
    } finally {
      this.waiting.delete(fail);
    }
  }

  /** Adds to "not acknowledged in time" what is wrong with the broker. */
  private async explain(error: unknown): Promise<never> {
    if (!(error instanceof KafkaTemplateError)) throw error;
    const reason =
      error.code === KafkaTemplateErrorCode.SEND_TIMEOUT ? await this.cluster.unreachableReason() : undefined;
    throw new NotPlacedError(reason === undefined ? error.message : `${error.message}. Last reason: ${reason}`);
  }
}
