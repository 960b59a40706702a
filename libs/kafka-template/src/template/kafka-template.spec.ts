import { jest } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { recordSerdes } from '../serde/record-serdes.js';
import { driverError } from '../testing/cluster-fake.js';
import { DriverFake } from '../testing/driver-fake.js';
import { FakeClock } from '../testing/fake-clock.js';
import type { KafkaSendError } from './kafka-send-error.js';
import { KafkaTemplate, type TemplateOptions } from './kafka-template.js';
import { LoggingProducerListener, type ProducerListener } from './producer-listener.js';

function create(options: TemplateOptions = {}, listener?: ProducerListener) {
  const clock = new FakeClock();
  const driver = new DriverFake(clock);
  const producer = driver.createProducer({});
  const events: string[] = [];
  const errors: [string, unknown][] = [];
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message: string, error?: unknown) => void errors.push([message, error]),
  };
  const template = new KafkaTemplate(
    {
      producer,
      serdes: recordSerdes(),
      listener: listener ?? {
        onSuccess: (record) => void events.push(`listener success ${record.topic}`),
        onError: (_record, metadata, error) =>
          void events.push(`listener error ${error.code} ${metadata === null ? 'null' : metadata.topic}`),
      },
      clock,
      log,
    },
    options,
  );
  return { clock, producer, template, events, errors, log };
}

class Order {
  constructor(readonly id: number) {}
}

describe('template: send', () => {
  it.each<[string, (template: KafkaTemplate) => unknown, object]>([
    ['(topic, value)', (t) => t.send('a', 'v'), { topic: 'a', partition: null, key: null, value: 'v' }],
    ['(topic, key, value)', (t) => t.send('a', 'k', 'v'), { topic: 'a', partition: null, key: 'k', value: 'v' }],
    ['(topic, partition, key, value)', (t) => t.send('a', 2, 'k', 'v'), { partition: 2, key: 'k', value: 'v' }],
    [
      '(topic, partition, timestamp, key, value)',
      (t) => t.send('a', 2, 99, null, 'v'),
      { partition: 2, timestamp: 99, key: null, value: 'v' },
    ],
    [
      '({ ProducerRecord })',
      (t) => t.send({ topic: 'a', key: 7, value: new Order(1), headers: { trace: 'x' }, timestamp: 5 }),
      { topic: 'a', key: '7', value: '{"id":1}', headers: [{ key: 'trace', value: 'x' }], timestamp: 5 },
    ],
    ['a tombstone', (t) => t.send('a', 'k', null), { key: 'k', value: null }],
    ['bytes', (t) => t.send('a', Buffer.from([1, 2])), { value: Buffer.from([1, 2]) }],
    ['a number', (t) => t.send('a', 42), { value: '42' }],
  ])('%s', async (_name, send, expected) => {
    const { producer, template } = create();
    await (send(template) as PromiseLike<unknown>);
    expect(producer.appended).toEqual([expect.objectContaining(expected)]);
  });

  it('sendDefault uses the default topic, and says so when there is none', async () => {
    const { producer, template } = create({ defaultTopic: 'd' });
    await template.sendDefault('v');
    await template.sendDefault('k', 'v');
    await template.sendDefault(1, 'k', 'v');
    await template.sendDefault(1, 5, 'k', 'v');
    expect(producer.appended.map((record) => [record.topic, record.partition, record.timestamp, record.key])).toEqual([
      ['d', null, undefined, null],
      ['d', null, undefined, 'k'],
      ['d', 1, undefined, 'k'],
      ['d', 1, 5, 'k'],
    ]);
    expect(() => create().template.sendDefault('v')).toThrow(/template\.defaultTopic/);
  });

  it('resolves to the record and its metadata', async () => {
    const { template } = create();
    const result = await template.send('a', 3, 'k', 'v');
    expect([result.topic, result.partition, result.offset, result.timestamp]).toEqual(['a', 3, 0, 0]);
    expect(result.record).toMatchObject({ topic: 'a', key: 'k', value: 'v' });
    expect(result.metadata).toMatchObject({ serializedKeySize: 1, serializedValueSize: 1 });
  });

  it('completes the future before the listener hears of it', async () => {
    const { template, events } = create();
    const future = template.send('a', 'v').addCallback(() => events.push('callback'));
    await future;
    expect(events).toEqual(['callback', 'listener success a']);
  });

  it('gives failures to the future first and then to the listener, with the record', async () => {
    const { producer, template, events } = create();
    producer.error = driverError('TIMEOUT', { retriable: true });
    const seen: KafkaSendError[] = [];
    const future = template.send('a', 'k', 'v').addCallback(null, (error) => {
      seen.push(error);
      events.push('callback');
    });
    await expect(future.get()).rejects.toMatchObject({
      name: 'KafkaSendError',
      code: 'TIMEOUT',
      record: { topic: 'a', key: 'k', value: 'v' },
      cause: producer.error,
    });
    expect(events).toEqual(['callback', 'listener error TIMEOUT null']);
    expect(seen).toHaveLength(1);
  });

  it('an ignored failure is logged and is no unhandled rejection', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    try {
      const errors: string[] = [];
      const log = { ...create().log, error: (message: string) => void errors.push(message) };
      const { producer, template } = create({}, new LoggingProducerListener(log));
      producer.error = driverError('TIMEOUT');
      void template.send('a', 'k', 'x'.repeat(200));
      void template.send('a', undefined);
      await template.flush();
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).not.toHaveBeenCalled();
      expect(errors).toHaveLength(2);
      expect(errors.join('\n')).toContain(`value ${'x'.repeat(100)}...)`);
      expect(errors.join('\n')).not.toContain('x'.repeat(101));
    } finally {
      process.off('unhandledRejection', unhandled);
    }
  });

  it.each<[string, (template: KafkaTemplate) => unknown, RegExp]>([
    ['undefined', (t) => t.send('a', undefined), /value cannot be serialised: undefined cannot be sent; pass null/],
    ['a circle', (t) => t.send('a', circle()), /value cannot be serialised: it cannot be written as JSON/],
    ['a Map', (t) => t.send('a', new Map()), /JSON has no Map; send Object.fromEntries\(map\)/],
    [
      'a bad header',
      (t) => t.send({ topic: 'a', value: '', headers: { n: {} as never } }),
      /header n is of type object; use text, a number/,
    ],
    ['a bad partition', (t) => t.send('a', -1, null, 'v'), /partition must be a whole number/],
    ['no topic', (t) => t.send('', 'v'), /topic must be a string/],
  ])('reports %s by the future, not by throwing', async (_name, send, message) => {
    const { producer, template, events } = create();
    await expect(send(template) as PromiseLike<unknown>).rejects.toThrow(message);
    expect(events).toEqual(['listener error SERIALIZATION null']);
    expect(producer.appended).toEqual([]);
  });

  it('completes nothing before send has returned, even when the driver answers at once', async () => {
    const { producer, template, events } = create();
    producer.append = (_record, callback) => callback(driverError('CLOSED'), null);
    const future = template.send('a', 'v');
    expect(future.isDone).toBe(false);
    future.addCallback(null, () => events.push('callback'));
    await expect(future).rejects.toMatchObject({ code: 'CLOSED' });
    expect(events).toEqual(['callback', 'listener error CLOSED null']);
  });

  it('flush waits for everything sent, callbacks included', async () => {
    const { producer, template } = create();
    producer.isAutomatic = false;
    const done: number[] = [];
    for (let index = 0; index < 3; index++) template.send('a', 'v').addCallback(() => done.push(index));
    await template.flush();
    expect(done).toEqual([0, 1, 2]);
  });

  it('fails sends after close', async () => {
    const { producer, template } = create();
    await template.close();
    expect(producer.isClosed).toBe(true);
    await expect(template.send('a', 'v')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('logs a listener that throws', async () => {
    const { template, errors } = create(
      {},
      {
        onSuccess() {
          throw new Error('listener');
        },
      },
    );
    await template.send('a', 'v');
    expect(errors.map(([message]) => message)).toEqual(['The ProducerListener failed on a record for topic a']);
  });
});

describe('template: SendFuture', () => {
  it('get(timeoutMs) rejects when the broker takes longer; the outcome still reaches callbacks', async () => {
    const { clock, producer, template, events } = create();
    producer.isAutomatic = false;
    const future = template.send('a', 'v');
    const waiting = future.get(2000);
    clock.advance(2000);
    await expect(waiting).rejects.toMatchObject({
      code: 'SEND_TIMEOUT',
      message: expect.stringMatching(/within 2000 ms/),
    });
    expect(future.isDone).toBe(false);
    producer.acknowledge();
    expect((await future.get()).offset).toBe(0);
    expect(events).toEqual(['listener success a']);
    expect(clock.timerCount).toBe(0);
  });

  it('get(timeoutMs) leaves no timer behind', async () => {
    const { clock, template } = create();
    await template.send('a', 'v').get(2000);
    expect(clock.timerCount).toBe(0);
  });

  it('can be awaited, observed and asked several times, also when it is done', async () => {
    const { template } = create();
    const future = template.send('a', 'v');
    const offsets = [
      (await future).offset,
      (await future.get(1)).offset,
      (await firstValueFrom(future.toObservable())).offset,
      await new Promise((resolve) => {
        future.addCallback((result) => resolve(result.offset));
      }),
      (await future.finally(() => undefined)).offset,
    ];
    expect(offsets).toEqual([0, 0, 0, 0, 0]);
    expect(future.isDone).toBe(true);
  });

  it('gives an error to all who ask', async () => {
    const { producer, template } = create();
    producer.error = driverError('NETWORK');
    const future = template.send('a', 'v');
    await expect(firstValueFrom(future.toObservable())).rejects.toMatchObject({ code: 'NETWORK' });
    await expect(future.get(5)).rejects.toMatchObject({ code: 'NETWORK' });
    expect(await future.catch((error: unknown) => (error as KafkaSendError).code)).toBe('NETWORK');
  });

  it('runs all callbacks in order, whatever one of them throws, and never inside addCallback', async () => {
    const { template, errors } = create();
    const order: string[] = [];
    const future = template
      .send('a', 'v')
      .addCallback(() => {
        order.push('first');
        throw new Error('callback');
      })
      .addCallback(() => order.push('second'));
    await future;
    future.addCallback(() => order.push('late'));
    expect(order).toEqual(['first', 'second']);
    await Promise.resolve();
    expect(order).toEqual(['first', 'second', 'late']);
    expect(errors.map(([message]) => message)).toEqual(['A callback of a send to topic a failed']);
  });
});

function circle(): object {
  const one: { self?: object } = {};
  one.self = one;
  return one;
}
