import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  AckMode,
  Acknowledgment,
  BatchListenerFailedError,
  ConsumerRecord,
  DefaultErrorHandler,
  FixedBackOff,
  KafkaListener,
  type KafkaListenerOptions,
  KafkaModule,
  type KafkaModuleOptions,
  KafkaRecord,
  KafkaTemplate,
  kafkajsDriver,
} from '../index.js';
import { DriverFake } from '../testing/driver-fake.js';
import { FakeClock } from '../testing/fake-clock.js';

const errorHandler = () => new DefaultErrorHandler({ backOff: new FixedBackOff(0, 1), recoverer: () => undefined });
const OPTIONS = {
  topics: 't',
  groupId: 'g',
  transactional: true,
  errorHandler,
  properties: { autoOffsetReset: 'earliest' },
};

async function application(listener: new (kafka: KafkaTemplate) => object, module: Partial<KafkaModuleOptions> = {}) {
  const driver = new DriverFake(new FakeClock());
  driver.cluster.createTopic('t', 1);
  driver.cluster.createTopic('out', 1);
  for (const value of ['a', 'b', 'c']) driver.cluster.append({ topic: 't', value });
  const template = { transactionIdPrefix: 'tx-' };
  const app = await Test.createTestingModule({
    imports: [KafkaModule.forRoot({ bootstrapServers: 'none:9092', driver, template, ...module })],
    providers: [listener],
  })
    .setLogger({ log: () => undefined, warn: () => undefined, error: () => undefined })
    .compile();
  await app.init();
  await driver.consumers[0]?.parked();
  const calls = driver.calls.filter((call) => /^tx-|commit/.test(call) && !call.includes('initTransactions'));
  await app.close();
  return { calls, committed: driver.cluster.offsetsOf('g').get('t-0')?.offset, driver };
}

function recordListener(work: (record: ConsumerRecord) => void) {
  @Injectable()
  class Listener {
    constructor(private readonly kafka: KafkaTemplate) {}

    @KafkaListener(OPTIONS as KafkaListenerOptions)
    onRecord(record: ConsumerRecord) {
      this.kafka.send('out', record.value);
      work(record);
    }
  }
  return Listener;
}

describe('listener: transactional', () => {
  it('a record is a transaction, with what it sends and its offset', async () => {
    const { calls, committed, driver } = await application(recordListener(() => undefined));
    const one = (offset: number) => ['tx-0.begin', `tx-0.offsets t-0@${offset}`, 'tx-0.commit'];
    expect(calls).toEqual([...one(1), ...one(2), ...one(3)]);
    expect(committed).toBe(3);
    expect(driver.producers.map(({ appended }) => appended.length)).toEqual([0, 3]);
  });

  it('what fails is aborted and tried again; what is recovered is committed outside', async () => {
    const { calls, committed } = await application(
      recordListener((record) => {
        if (record.value === 'b') throw new Error('boom');
      }),
    );
    expect(calls).toEqual([
      ...['tx-0.begin', 'tx-0.offsets t-0@1', 'tx-0.commit'],
      ...['tx-0.begin', 'tx-0.abort'],
      ...['tx-0.begin', 'tx-0.abort', 'commitSync t-0@2'],
      ...['tx-0.begin', 'tx-0.offsets t-0@3', 'tx-0.commit'],
    ]);
    expect(committed).toBe(3);
  });

  it('a batch is a transaction; one that names the record that failed is undone as a whole', async () => {
    let failures = 1;
    @Injectable()
    class Listener {
      @KafkaListener({ ...OPTIONS, batch: true } as KafkaListenerOptions)
      onRecords(@KafkaRecord() _records: ConsumerRecord[]) {
        if (failures-- > 0) throw new BatchListenerFailedError('boom', 2);
      }
    }
    const { calls, committed } = await application(Listener);
    expect(calls).toEqual(['tx-0.begin', 'tx-0.abort', 'tx-0.begin', 'tx-0.offsets t-0@3', 'tx-0.commit']);
    expect(committed).toBe(3);
  });

  it.each<[string, Partial<KafkaListenerOptions>, Partial<KafkaModuleOptions>, RegExp]>([
    ['a template without a prefix', {}, { template: {} }, /set template.transactionIdPrefix/],
    ['no group', { groupId: null }, {}, /without a group/],
    ['an ack mode of its own', { ackMode: AckMode.RECORD }, {}, /take ackMode or commit away/],
    ['keyConcurrency', { keyConcurrency: 3 }, {}, /not together with keyConcurrency/],
    ['commits by the client', { properties: { enableAutoCommit: true } }, {}, /not by enableAutoCommit/],
    ['a driver without transactions', {}, { driver: kafkajsDriver() }, /'kafkajs' cannot do.*'native' can/],
  ])('is refused with %s', async (_name, options, module, message) => {
    class Listener {
      onRecord(_record: ConsumerRecord) {
        return undefined;
      }
    }
    const descriptor = Object.getOwnPropertyDescriptor(Listener.prototype, 'onRecord')!;
    Reflect.defineMetadata('design:paramtypes', [ConsumerRecord], Listener.prototype, 'onRecord');
    KafkaListener({ ...OPTIONS, ...options } as KafkaListenerOptions)(Listener.prototype, 'onRecord', descriptor);
    await expect(application(Listener, module)).rejects.toThrow(message);
  });

  it('is refused with an Acknowledgment', async () => {
    @Injectable()
    class Listener {
      @KafkaListener(OPTIONS as KafkaListenerOptions)
      onRecord(_record: ConsumerRecord, _ack: Acknowledgment) {
        return undefined;
      }
    }
    await expect(application(Listener)).rejects.toThrow(/take the Acknowledgment away/);
  });
});
