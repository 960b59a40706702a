/**
 * What is known of each order, in memory: the newest ones, up to ORDERS_MAX.
 *
 * Not a store: it is built anew at every start by reading the topics from their beginning, without a group. What other
 * listeners have done is a matter of their groups' offsets and is not done again.
 */
import { Injectable } from '@nestjs/common';
import type { ConsumerRecord, ProducerListener, ProducerRecord } from '@kafka-template/nestjs';
import type { InvoiceDto, PlacedOrderDto, SendMode } from './order.dto.js';
import { Topic } from './topic.js';

/** How far an order has come: handed to the producer, read from the topic, billed. Or not taken by the broker. */
export type OrderState = 'sent' | 'received' | 'billed' | 'failed';

/** What is known of an order. */
export interface OrderEntry {
  readonly order: PlacedOrderDto;
  readonly state: OrderState;
  /** Why it is `failed`. */
  readonly reason?: string;
  /** How it was sent; only for those sent since the start. */
  readonly mode?: SendMode;
  /** Where it is in the topic. */
  readonly partition?: number;
  readonly offset?: number;
  readonly invoice?: InvoiceDto;
}

/** How full the view is. */
export interface ViewSize {
  readonly orders: number;
  readonly ordersMax: number;
  /** Older ones that made room for newer ones. They are still in the topic. */
  readonly forgotten: number;
}

/** Orders that are remembered; the oldest are forgotten first. About 1 KB each. */
export const ORDERS_MAX = 100_000;

@Injectable()
export class OrderView implements ProducerListener {
  private readonly entries = new Map<string, OrderEntry>();
  /** Invoices that were read before their orders, which lie in another topic. */
  private readonly earlyInvoices = new Map<string, InvoiceDto>();
  private forgotten = 0;

  /** An order by its id. */
  get(id: string): OrderEntry | undefined {
    return this.entries.get(id);
  }

  /** How full it is. */
  get size(): ViewSize {
    return { orders: this.entries.size, ordersMax: ORDERS_MAX, forgotten: this.forgotten };
  }

  /** The order has been handed to the producer. */
  sent(order: PlacedOrderDto, mode: SendMode): void {
    this.put(order.id, { order, state: 'sent', mode });
  }

  /** The broker has not taken a record, whoever sent it and however: if it was an order, that is said here. */
  onError({ topic, value }: ProducerRecord, _metadata: unknown, { message, cause }: Error): void {
    if (topic !== Topic.ORDERS) return;
    const order = value as PlacedOrderDto;
    const known = this.entries.get(order.id);
    // Only the order this record was made of: another with the same id may have been placed meanwhile.
    if (known?.order !== order || known.state !== 'sent') return;
    const reason = cause instanceof Error ? cause.message : message;
    this.put(order.id, { order, state: 'failed', reason, mode: known.mode });
  }

  /** The order has been read from the topic. */
  received(order: PlacedOrderDto, { partition, offset }: ConsumerRecord): void {
    const known = this.entries.get(order.id);
    const invoice = this.earlyInvoices.get(order.id) ?? known?.invoice;
    this.earlyInvoices.delete(order.id);
    const state = invoice === undefined ? 'received' : 'billed';
    this.put(order.id, { order, state, mode: known?.mode, partition, offset, invoice });
  }

  /** The invoice has been read from its topic. */
  billed(invoice: InvoiceDto): void {
    const known = this.entries.get(invoice.orderId);
    if (known?.offset !== undefined) this.put(invoice.orderId, { ...known, state: 'billed', invoice });
    else remember(this.earlyInvoices, invoice.orderId, invoice);
  }

  /** A tombstone has been read: the order is deleted. */
  removed(id: string): void {
    this.entries.delete(id);
    this.earlyInvoices.delete(id);
  }

  private put(id: string, entry: OrderEntry): void {
    if (remember(this.entries, id, entry)) this.forgotten++;
  }
}

/** Puts an entry last; whether the oldest had to make room. */
function remember<T>(map: Map<string, T>, id: string, value: T): boolean {
  map.delete(id);
  map.set(id, value);
  const oldest = map.keys().next();
  return map.size > ORDERS_MAX && oldest.done !== true && map.delete(oldest.value);
}
