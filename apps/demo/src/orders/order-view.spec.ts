import type { ConsumerRecord } from '@kafka-template/nestjs';
import { ORDERS_MAX, OrderView } from './order-view.js';
import type { PlacedOrderDto } from './order.dto.js';

const order = (id: string): PlacedOrderDto => ({ id, customer: 'Ada', item: 'book', quantity: 1, placedAt: 'now' });
const at = (offset: number): ConsumerRecord => ({ topic: 'orders', partition: 0, offset }) as ConsumerRecord;
const invoiceOf = (orderId: string) => ({ orderId, number: '0-0', amountCents: 1000 });

describe('the view of orders', () => {
  it('follows an order to its invoice, in whichever order the two topics are read', () => {
    const view = new OrderView();
    view.sent(order('1'), 'sync');
    expect(view.get('1')).toMatchObject({ state: 'sent', mode: 'sync' });
    view.received(order('1'), at(4));
    expect(view.get('1')).toMatchObject({ state: 'received', mode: 'sync', offset: 4 });
    view.billed(invoiceOf('1'));
    view.billed(invoiceOf('2'));
    view.received(order('2'), at(5));
    for (const id of ['1', '2']) expect(view.get(id)).toMatchObject({ state: 'billed', invoice: invoiceOf(id) });
    view.removed('1');
    expect(view.get('1')).toBeUndefined();
  });

  it('says why an order has failed, and of no other one', () => {
    const view = new OrderView();
    const [first, second] = [order('1'), order('1')];
    const error = new Error('not sent', { cause: new Error('the broker is away') });
    view.sent(first, 'forget');
    view.sent(second, 'forget');
    view.onError({ topic: 'orders', key: '1', value: first }, null, error);
    expect(view.get('1')).toMatchObject({ state: 'sent' });
    view.onError({ topic: 'invoices', key: '1', value: second }, null, error);
    expect(view.get('1')).toMatchObject({ state: 'sent' });
    view.onError({ topic: 'orders', key: '1', value: second }, null, error);
    expect(view.get('1')).toMatchObject({ state: 'failed', mode: 'forget', reason: 'the broker is away' });
    // It was there after all: an answer can get lost.
    view.received(second, at(0));
    expect(view.get('1')).toMatchObject({ state: 'received' });
    view.onError({ topic: 'orders', key: '1', value: second }, null, error);
    expect(view.get('1')).toMatchObject({ state: 'received' });
  });

  it('forgets the oldest beyond its bound, and counts them', () => {
    const view = new OrderView();
    for (let id = 0; id < ORDERS_MAX + 2; id++) view.received(order(String(id)), at(id));
    expect(view.size).toEqual({ orders: ORDERS_MAX, ordersMax: ORDERS_MAX, forgotten: 2 });
    expect([view.get('1'), view.get('2')]).toEqual([undefined, expect.anything()]);
  });
});
