import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { FailureLog } from './failure-log.js';
import type { OrderEntry } from './order-view.js';
import type { SendMode } from './order.dto.js';

describe('the log of failed sends', () => {
  it('tells each once, by id: those with a callback are told by it', () => {
    const lines: string[] = [];
    jest.spyOn(Logger.prototype, 'error').mockImplementation((message: unknown) => void lines.push(String(message)));
    const modes: Record<string, SendMode> = { 1: 'forget', 2: 'callback' };
    const log = new FailureLog({ get: (id) => ({ mode: modes[id] }) as OrderEntry });
    const error = new Error('A send failed', { cause: new Error('the broker is away') });
    const value = { customer: 'Ada' };
    for (const key of ['1', '2']) log.onError({ topic: 'orders', key, value }, null, error);
    log.onError({ topic: 'invoices', key: '2', value }, null, error);
    expect(lines).toEqual([
      'Order 1 was not sent: the broker is away',
      'The invoice of order 2 was not sent: the broker is away',
    ]);
  });
});
