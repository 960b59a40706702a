/**
 * The section on testing of the README: its programs run here, and the README must show the same lines.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { KafkaListener, KafkaModule, KafkaTemplate } from '../index.js';
import { DriverFake, FakeClock, KafkaTest } from './index.js';

// <readme>
@Injectable()
class Billing {
  constructor(private readonly kafka: KafkaTemplate) {}

  @KafkaListener({ topics: 'orders', groupId: 'billing' })
  async onOrder(order: { amount: number }) {
    await this.kafka.send('invoices', { total: order.amount * 1.2 });
  }
}
// </readme>

describe('README', () => {
  it('shows a test with a broker that works', async () => {
    // <readme>
    const kafka = await KafkaTest.start({ topics: { orders: 3, invoices: 1 } });
    const app = await Test.createTestingModule({
      imports: [KafkaModule.forRoot({ bootstrapServers: kafka.bootstrapServers })],
      providers: [Billing],
    }).compile();
    await app.init();

    await kafka.ready(app);
    await app.get(KafkaTemplate).send('orders', 'order-1', { amount: 40 });
    const [invoice] = await kafka.take('invoices'); // options: count, timeoutMs
    expect(invoice?.value).toEqual({ total: 48 });

    await app.close();
    await kafka.close();
    // </readme>
  });

  it('shows a test without a broker that works', async () => {
    // <readme>
    const driver = new DriverFake(new FakeClock());
    driver.cluster.createTopic('orders', 1);
    const app = await Test.createTestingModule({
      imports: [KafkaModule.forRoot({ bootstrapServers: 'none:9092', driver })],
      providers: [Billing],
    }).compile();
    await app.init();
    const [consumer] = driver.consumers;
    await consumer?.parked(); // it has its partitions, and waits for records

    driver.cluster.append({ topic: 'orders', value: '{"amount":40}' });
    await consumer?.parked(); // all records have been handled and committed
    expect(driver.producers[0]?.appended).toMatchObject([{ topic: 'invoices', value: '{"total":48}' }]);
    expect(driver.cluster.offsetsOf('billing').get('orders-0')?.offset).toBe(1);

    await app.close();
    // </readme>
  });

  it('shows the lines of these programs', () => {
    const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
    const source = readFileSync(import.meta.filename, 'utf8');
    const programs = [...source.matchAll(/^ *\/\/ <readme>\n([^]*?) *\/\/ <\/readme>/gm)].map(
      (match) => match[1] ?? '',
    );
    expect(programs).toHaveLength(3);
    for (const program of programs) {
      const indent = /^ */.exec(program)?.[0] ?? '';
      expect(readme).toContain(program.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trim());
    }
  });
});
