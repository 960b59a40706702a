/**
 * What is known of each order, in memory: the newest ones, up to a bound.
 *
 * Not a store: it is built anew at every start by reading the topics from their beginning, without a group. What other
 * listeners have done is a matter of their groups' offsets and is not done again.
 */
import { Injectable } from '@nestjs/common';
import type { ConsumerRecord } from '@kafka-template/nestjs';
import type { InvoiceDto, PlacedOrderDto, SendMode } from './order.dto.js';

/** How far an order has come: handed to the producer, read from the topic, billed. */
export type OrderState = 'sent' | 'received' | 'billed';

/** What is known of an order. */
export interface OrderEntry {
  readonly order: PlacedOrderDto;
  readonly state: OrderState;
  /** How it was sent; only for those sent since the start. */
  readonly mode?: SendMode;
  /** Where it is in the topic. */
  readonly partition?: number;
  readonly offset?: number;
  readonly invoice?: InvoiceDto;
}

/** Orders that are remembered; the oldest are forgotten first. */
const ORDERS_MAX = 10_000;

@Injectable()
export class OrderView {
  private readonly entries = new Map<string, OrderEntry>();
  /** Invoices that were read before their orders, which lie in another topic. */
  private readonly earlyInvoices = new Map<string, InvoiceDto>();

  /** An order by its id. */
  get(id: string): OrderEntry | undefined {
    return this.entries.get(id);
  }

  /** The order has been handed to the producer. */
  sent(order: PlacedOrderDto, mode: SendMode): void {
    this.put(order.id, { order, state: 'sent', mode });
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

  private put(id: string, entry: OrderEntry): void {
    remember(this.entries, id, entry);
  }
}

function remember<T>(map: Map<string, T>, id: string, value: T): void {
  map.delete(id);
  map.set(id, value);
  const oldest = map.keys().next();
  if (map.size > ORDERS_MAX && oldest.done !== true) map.delete(oldest.value);
}
