import 'reflect-metadata';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { ConsumerRecord } from '@kafka-template/nestjs';
import { Activity } from '../status/activity.js';
import { OrderView } from './order-view.js';
import { OrderViewListener } from './order-view.listener.js';
import type { ViewProgress } from './view-progress.js';

function record(topic: string, offset: number, value: unknown): ConsumerRecord {
  return { topic, partition: 0, offset, key: 'k', value } as unknown as ConsumerRecord;
}

const UNREADABLE = {
  topic: 'orders',
  partition: 0,
  offset: 3,
  rawValue: Buffer.from('{broken'),
  get value(): never {
    throw new Error('not valid JSON');
  },
} as unknown as ConsumerRecord;

describe('the listener of the view', () => {
  it('counts what is foreign and was there before the start; warns once, with the reason, of what comes later', async () => {
    const warnings: string[] = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((message: unknown) => void warnings.push(String(message)));
    let complete: () => void = () => undefined;
    const progress = {
      isComplete: false,
      whenComplete: new Promise<void>((resolve) => (complete = resolve)),
      received: () => undefined,
    };
    const listener = new OrderViewListener(new OrderView(), progress as unknown as ViewProgress, new Activity());
    listener.onRecord(record('orders', 1, 'text'));
    listener.onRecord(UNREADABLE);
    expect(warnings.splice(0)).toEqual([]);
    progress.isComplete = true;
    complete();
    await progress.whenComplete;
    expect(warnings.splice(0)).toEqual(['Passed over 2 records of before the start, neither order nor invoice']);
    listener.onRecord(UNREADABLE);
    listener.onRecord(record('orders', 4, { no: 'order' }));
    listener.onRecord(record('invoices', 5, null));
    expect(warnings).toEqual([
      'Passed over what is at orders-0@3: no order, the value is no JSON object',
      'Passed over what is at orders-0@4: no order, the object has no id',
      'Passed over what is at invoices-0@5: a null value deletes an order, and this is the topic of invoices',
    ]);
  });
});
