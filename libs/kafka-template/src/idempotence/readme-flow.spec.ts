/**
 * The sections of the README on commits, order, idleness and duplicates: their program runs here, line by line.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  AckMode,
  Acknowledgment,
  ConsumerRecord,
  Idempotent,
  type IdempotencyStore,
  InMemoryIdempotencyStore,
  KafkaListener,
  KafkaListenerEndpointRegistry,
  KafkaModule,
  KafkaRecord,
  type KafkaSeekAware,
  type SeekCallback,
  type TopicPartition,
} from '../index.js';
import { DriverFake } from '../testing/driver-fake.js';
import { FakeClock } from '../testing/fake-clock.js';

const handled: unknown[] = [];
const bill = async (order: unknown): Promise<void> => void handled.push(order);
const store: IdempotencyStore = new InMemoryIdempotencyStore();
const FROM_THE_START = { autoOffsetReset: 'earliest' } as const;

@Injectable()
class PolicyListener {
  // <readme>
  @KafkaListener({ topics: 'orders', groupId: 'billing', commit: { every: { records: 500, ms: 1000 }, onIdle: true } })
  // </readme>
  onOrder(order: { id: number }) {
    return bill(order);
  }
}

@Injectable()
class ManualListener {
  // <readme>
  @KafkaListener({ topics: 'orders', groupId: 'archive', batch: true, ackMode: AckMode.MANUAL })
  async onOrders(@KafkaRecord() records: ConsumerRecord[], ack: Acknowledgment) {
    for (const [index, record] of records.entries()) {
      await bill(record.value);
      if (index % 100 === 99) ack.acknowledge(index); // up to here; commitSync() would commit it now
    }
    await ack.commitSync(); // or commitSync([{ topic, partition, offset, metadata: 'half' }]), or commitAsync
  }
  // </readme>
}

@Injectable()
class ParallelListener {
  // <readme>
  @KafkaListener({ topics: 'orders', groupId: 'mailer', keyConcurrency: 50 })
  // </readme>
  onOrder(order: { id: number }) {
    return bill(order);
  }
}

// <readme>
@Injectable()
class View implements KafkaSeekAware {
  @KafkaListener({ topics: 'orders', groupId: 'view', idleEventIntervalMs: 60_000 })
  @Idempotent({ store, key: 'order-id' }) // a header; without it, topic, partition and offset
  async onOrder(record: ConsumerRecord) {
    await bill(record.value);
  }

  onPartitionsAssigned(_partitions: readonly TopicPartition[], seeks: SeekCallback) {
    seeks.seekToBeginning();
  }
}
// </readme>

it('the README shows commits, order, seeks and duplicates that work', async () => {
  const driver = new DriverFake(new FakeClock());
  driver.cluster.createTopic('orders', 1);
  for (const id of [1, 1, 2]) {
    const headers = [{ key: 'order-id', value: String(id) }];
    driver.cluster.append({ topic: 'orders', key: String(id), value: `{"id":${id}}`, headers });
  }
  const app = await Test.createTestingModule({
    imports: [KafkaModule.forRoot({ bootstrapServers: 'none:9092', driver, consumer: FROM_THE_START })],
    providers: [PolicyListener, ManualListener, ParallelListener, View],
  }).compile();
  app.useLogger(false);
  await app.init();
  await Promise.all(driver.consumers.map((consumer) => consumer.parked()));
  const registry = app.get(KafkaListenerEndpointRegistry);
  // <readme>
  registry.onEvent((event) => {
    if (event.type === 'idle') registry.get(event.listenerId).seekToTimestamp(0);
  });
  const unfinished = await registry.stop();
  // </readme>
  expect(unfinished).toEqual([]);
  await app.close();
  // Three listeners see three records, the view sees two orders.
  expect(handled.map((order) => (order as { id: number }).id).sort()).toEqual([1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]);
  for (const group of ['billing', 'archive', 'mailer', 'view']) {
    expect([group, driver.cluster.offsetsOf(group).get('orders-0')?.offset]).toEqual([group, 3]);
  }
});

it('the README shows these lines', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const source = readFileSync(import.meta.filename, 'utf8');
  const programs = [...source.matchAll(/^ *\/\/ <readme>\n([^]*?) *\/\/ <\/readme>/gm)].map((match) => match[1] ?? '');
  expect(programs).toHaveLength(5);
  for (const program of programs) {
    const indent = /^ */.exec(program)?.[0] ?? '';
    expect(readme).toContain(program.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trim());
  }
});
