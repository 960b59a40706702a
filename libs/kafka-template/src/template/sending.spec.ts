import { getEventListeners } from 'node:events';
import type { DriverProducer, RecordMetadata } from '../drivers/driver.js';
import { recordSerdes } from '../serde/record-serdes.js';
import { defineTopic } from '../serde/topic-contract.js';
import { driverError } from '../testing/cluster-fake.js';
import { DriverFake } from '../testing/driver-fake.js';
import { FakeClock } from '../testing/fake-clock.js';
import { KafkaTemplate, type TemplateOptions } from './kafka-template.js';
import type { ProducerRecord } from './producer-record.js';
import { RecordReader } from './record-reader.js';
import { KafkaSendAllError } from './send-all-future.js';

function create(options: TemplateOptions = {}) {
  const clock = new FakeClock();
  const driver = new DriverFake(clock);
  const producer = driver.createProducer({});
  const heard: string[] = [];
  const logged: string[] = [];
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message: string) => void logged.push(message),
  };
  const serdes = recordSerdes();
  const reader = new RecordReader(() => driver.createConsumer({}), { driver, serdes, clock });
  const listener = {
    onError: (_record: ProducerRecord, _metadata: unknown, { code }: { code: string }) => void heard.push(code),
  };
  const template = new KafkaTemplate({ producer, serdes, listener, clock, log, reader }, options);
  return { clock, driver, producer, template, heard, logged };
}

const Orders = defineTopic<number, { id: number }>({ name: 'orders', key: 'json' });

describe('template: forms of a record', () => {
  it.each<[string, (template: KafkaTemplate) => unknown, object]>([
    ['contract, value', (t) => t.send(Orders, { id: 1 }), { topic: 'orders', key: null, value: '{"id":1}' }],
    ['contract, key, value', (t) => t.send(Orders, 7, { id: 1 }), { topic: 'orders', key: '7', value: '{"id":1}' }],
    ['contract, partition, key, value', (t) => t.send(Orders, 3, 7, { id: 1 }), { partition: 3, key: '7' }],
    ['contract, all', (t) => t.send(Orders, 3, 99, 7, { id: 1 }), { partition: 3, timestamp: 99, key: '7' }],
    ['a tombstone by contract', (t) => t.send(Orders, 7, null), { key: '7', value: null }],
    [
      'a record with a contract',
      (t) => t.send({ topic: Orders, key: 7, value: { id: 1 }, headers: { a: 'b' } }),
      { topic: 'orders', key: '7', headers: [{ key: 'a', value: 'b' }] },
    ],
    [
      'a message',
      (t) => {
        const headers = {
          kafka_topic: 'm',
          kafka_messageKey: 'k',
          kafka_partitionId: 2,
          kafka_timestamp: 5,
          trace: 'x',
        };
        return t.send({ payload: 'v', headers });
      },
      { topic: 'm', key: 'k', partition: 2, timestamp: 5, value: 'v', headers: [{ key: 'trace', value: 'x' }] },
    ],
    ['a message without a topic', (t) => t.send({ payload: null, headers: {} }), { topic: 'd', value: null }],
    [
      'headers of all kinds',
      (t) => {
        const bytes = Buffer.from([1]);
        const headers = {
          n: 1,
          b: true,
          i: 2n,
          a: new Uint8Array([1]),
          x: bytes,
          nothing: null,
          absent: undefined,
          two: ['1', 2],
        };
        return t.send({ topic: 'h', value: '', headers });
      },
      {
        headers: [
          { key: 'n', value: '1' },
          { key: 'b', value: 'true' },
          { key: 'i', value: '2' },
          { key: 'a', value: Buffer.from([1]) },
          { key: 'x', value: Buffer.from([1]) },
          { key: 'nothing', value: null },
          { key: 'two', value: '1' },
          { key: 'two', value: '2' },
        ],
      },
    ],
  ])('%s', async (_name, send, expected) => {
    const { producer, template } = create({ defaultTopic: 'd' });
    await (send(template) as PromiseLike<unknown>);
    expect(producer.appended).toEqual([expect.objectContaining(expected)]);
  });

  it.each<[string, unknown, RegExp]>([
    ['a message without a topic, and no default', { payload: 'v', headers: {} }, /the topic must be a string/],
    ['headers that hold something else', { payload: 'v', headers: [null] }, /Cannot read properties of null/],
    ['nothing', undefined, /send takes a topic and a value, or a record .* was given undefined/],
  ])('reports %s by the future', async (_name, given, message) => {
    const { template } = create();
    await expect(template.send(given as ProducerRecord)).rejects.toThrow(message);
  });

  it('the compiler knows the types of a contract', () => {
    const { template } = create();
    // @ts-expect-error a value of another type
    void template.send(Orders, { id: 'one' });
    // @ts-expect-error a key of another type
    void template.send(Orders, 'k', { id: 1 });
    expect(template.metrics().sent).toBe(2);
  });
});

describe('template: sendAll', () => {
  it('gives all results in the order of the list', async () => {
    const { template } = create();
    const results = await template.sendAll([
      { topic: 'a', value: '1' },
      { topic: 'b', value: '2' },
    ]);
    expect(results.map(({ topic, offset }) => [topic, offset])).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
    expect(await template.sendAll([])).toEqual([]);
  });

  it('tells which records failed, and that the others are stored', async () => {
    const { template, heard } = create();
    const failed = await template
      .sendAll([
        { topic: 'a', value: '1' },
        { topic: 'a', value: undefined },
        { topic: '', value: '' },
      ])
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(KafkaSendAllError);
    const { failures, results, message, code } = failed as KafkaSendAllError;
    expect(failures.map(({ index }) => index)).toEqual([1, 2]);
    expect(results.map((result) => result?.offset)).toEqual([0, undefined, undefined]);
    expect([code, message]).toEqual([
      'SERIALIZATION',
      expect.stringMatching(/^2 of 3 records were not sent, the first because/),
    ]);
    expect(heard).toEqual(['SERIALIZATION', 'SERIALIZATION']);
  });

  it('has a deadline, and can be ignored', async () => {
    const { clock, producer, template } = create();
    producer.isAutomatic = false;
    const waiting = template.sendAll([{ topic: 'a', value: '1' }]).get(50);
    clock.advance(50);
    await expect(waiting).rejects.toMatchObject({
      code: 'SEND_TIMEOUT',
      message: expect.stringMatching(/^1 of 1 record /),
    });
    producer.error = driverError('NETWORK');
    template.sendAll([{ topic: 'a', value: '1' }]);
    await template.flush();
  });
});

describe('template: signals', () => {
  it('a record whose signal was aborted before is not sent', async () => {
    const { producer, template, heard } = create();
    const signal = AbortSignal.abort(new Error('gone'));
    await expect(template.send({ topic: 'a', value: 'v' }, { signal })).rejects.toMatchObject({
      code: 'ABORTED',
      message: expect.stringMatching(/its signal was aborted: it was not sent/),
    });
    expect([producer.appended, heard]).toEqual([[], ['ABORTED']]);
  });

  it('ends the wait for one that is on its way; its own outcome is not told any more', async () => {
    const { producer, template, heard } = create();
    producer.isAutomatic = false;
    const controller = new AbortController();
    const future = template.send({ topic: 'a', value: 'v' }, { signal: controller.signal });
    controller.abort();
    await expect(future).rejects.toMatchObject({ code: 'ABORTED' });
    producer.acknowledge();
    expect(heard).toEqual(['ABORTED']);
    expect(template.metrics()).toEqual({ sent: 1, acknowledged: 0, failed: 1, pending: 0 });
  });

  it('an abort after the outcome changes nothing', async () => {
    const { template, heard } = create();
    const controller = new AbortController();
    const future = template.send({ topic: 'a', value: 'v' }, { signal: controller.signal });
    expect((await future).offset).toBe(0);
    controller.abort();
    expect([(await future).offset, heard]).toEqual([0, []]);
  });
});

describe('template: a signal for many', () => {
  const records = Array.from({ length: 50 }, () => ({ topic: 'a', value: 'v' }));

  it('one listener per signal, let go of with the last outcome', async () => {
    const { producer, template } = create();
    producer.isAutomatic = false;
    const { signal } = new AbortController();
    const sent = template.sendAll(records, { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await template.flush();
    await sent;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('an abort ends all waits', async () => {
    const { producer, template } = create();
    producer.isAutomatic = false;
    const controller = new AbortController();
    const sent = template.sendAll(records, { signal: controller.signal });
    const other = template.send('a', 'w');
    controller.abort();
    await expect(sent).rejects.toMatchObject({ code: 'ABORTED', failures: { length: 50 } });
    await template.flush();
    await other;
    expect(template.metrics()).toEqual({ sent: 51, acknowledged: 1, failed: 50, pending: 0 });
  });

  it('goes to a driver that can take records back, whose answer counts', async () => {
    const { producer, template } = create();
    const answers: { resolve: (metadata: RecordMetadata) => void; reject: (error: Error) => void }[] = [];
    const signals: AbortSignal[] = [];
    const send: DriverProducer['send'] = (_record, options) => {
      signals.push(options.signal);
      return new Promise((resolve, reject) => answers.push({ resolve, reject }));
    };
    Object.assign(producer, { send });
    const controller = new AbortController();
    const [taken, arrived, failed] = template.sendAll(records.slice(0, 3), { signal: controller.signal }).futures;
    controller.abort();
    expect([signals, template.metrics().pending]).toEqual([new Array(3).fill(controller.signal), 3]);
    answers[0]?.reject(driverError('ABORTED'));
    const sizes = { serializedKeySize: -1, serializedValueSize: 1 };
    answers[1]?.resolve({ topic: 'a', partition: 0, offset: 7, timestamp: 0, ...sizes });
    answers[2]?.reject(driverError('NETWORK'));
    await template.flush();
    expect(template.metrics()).toEqual({ sent: 3, acknowledged: 1, failed: 2, pending: 0 });
    await expect(taken).rejects.toMatchObject({ code: 'ABORTED', message: expect.stringMatching(/it was not sent/) });
    expect((await arrived)?.offset).toBe(7);
    await expect(failed).rejects.toMatchObject({ code: 'NETWORK' });
    expect(producer.appended).toEqual([]);
  });

  it.each([{}, 'abort', 7])('one that is none is refused by the future: %p', async (given) => {
    const { producer, template } = create();
    const signal = given as unknown as AbortSignal;
    await expect(template.send({ topic: 'a', value: 'v' }, { signal })).rejects.toThrow(
      /signal must be an AbortSignal/,
    );
    await expect(template.sendAll(records, { signal })).rejects.toThrow(/signal must be an AbortSignal/);
    expect(template.metrics()).toEqual({ sent: 51, acknowledged: 0, failed: 51, pending: 0 });
    expect(producer.appended).toEqual([]);
  });
});

describe('template: sendAll without a list', () => {
  it('fails by the future', async () => {
    const { template } = create();
    const nothing = undefined as unknown as ProducerRecord[];
    await expect(template.sendAll(nothing)).rejects.toMatchObject({
      code: 'SERIALIZATION',
      message: expect.stringMatching(/sendAll takes a list of records, and was given undefined/),
    });
  });

  it('tells what came before a list failed', async () => {
    const { template } = create();
    function* broken(): Generator<ProducerRecord> {
      yield { topic: 'a', value: 'v' };
      throw new Error('no more');
    }
    await expect(template.sendAll(broken())).rejects.toMatchObject({
      failures: [{ index: 1 }],
      results: [{ offset: 0 }, undefined],
      message: expect.stringMatching(/no more/),
    });
    expect(template.metrics()).toMatchObject({ sent: 2, acknowledged: 1, failed: 1 });
  });
});

describe('template: interceptors', () => {
  it('change records in order, hear of outcomes before anybody else, and cannot lose a record', async () => {
    const order: string[] = [];
    const first = {
      onSend: (record: ProducerRecord) => ({ ...record, headers: { trace: '1' } }),
      onAcknowledgement: (metadata: unknown, error: Error | null) => {
        order.push(`first ${metadata === null ? 'null' : 'metadata'} ${error?.name ?? 'null'}`);
        throw new Error('acknowledgement');
      },
    };
    const second = {
      onSend: () => {
        throw new Error('interceptor');
      },
    };
    const { producer, template, logged } = create({ interceptors: [first, second] });
    await template.send('a', 'v').addCallback(() => order.push('future'));
    await template.send('a', undefined).catch(() => undefined);
    expect(producer.appended).toEqual([expect.objectContaining({ headers: [{ key: 'trace', value: '1' }] })]);
    expect(order).toEqual(['first metadata null', 'future', 'first null KafkaSendError']);
    expect(logged).toEqual([
      'A ProducerInterceptor failed on a record for topic a',
      'A ProducerInterceptor failed on topic a',
      'A ProducerInterceptor failed on a record for topic a',
      'A ProducerInterceptor failed on topic a',
    ]);
  });
});

describe('template: looking', () => {
  it('receives single records by their places', async () => {
    const { template, driver } = create();
    for (const value of ['{"id":0}', '{"id":1}', '{"id":2}']) await template.send('orders', 0, 'k', value);
    expect((await template.receive(Orders, 0, 1))?.value).toEqual({ id: 1 });
    const places = [2, 0].map((offset) => ({ topic: 'orders', partition: 0, offset }));
    expect((await template.receiveAll(places)).map((record) => record?.offset)).toEqual([2, 0]);
    expect(driver.consumers.map(({ isClosed }) => isClosed)).toEqual([true, true]);
  });

  it('undefined when there is nothing in time', async () => {
    const { template, driver, clock } = create();
    driver.cluster.createTopic('orders');
    const waiting = template.receive('orders', 0, 7, 100);
    await driver.consumers[0]?.parked();
    clock.advance(100);
    expect(await waiting).toBeUndefined();
  });

  it('refuses what makes no sense, and a driver that cannot', async () => {
    const { template, driver } = create();
    await expect(template.receive('orders', 0, -1)).rejects.toThrow(/from 0, and was asked for orders-0@-1/);
    driver.capabilities.assign = false;
    await expect(template.receive('orders', 0, 0)).rejects.toMatchObject({ code: 'UNSUPPORTED_BY_DRIVER' });
  });

  it('lends its producer and counts', async () => {
    const { template, producer } = create();
    expect(template.execute((raw) => raw)).toBe(producer);
    template.send('a', 'v');
    expect(template.metrics()).toEqual({ sent: 1, acknowledged: 0, failed: 0, pending: 1 });
    await template.flush();
    expect(template.metrics()).toMatchObject({ acknowledged: 1, pending: 0 });
  });
});
