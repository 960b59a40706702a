import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  Injectable,
  ParseIntPipe,
  Scope,
  UseFilters,
  applyDecorators,
} from '@nestjs/common';
import { Observable, of } from 'rxjs';
import { Acknowledgment } from '../commit/acknowledgment.js';
import { KafkaHandler } from '../decorators/kafka-handler.decorator.js';
import { KafkaListener } from '../decorators/kafka-listener.decorator.js';
import { KafkaHeader, KafkaKey, Payload } from '../decorators/parameter.decorators.js';
import { SendTo } from '../decorators/send-to.decorator.js';
import type { ErrorHandler } from '../error-handling/error-handler.js';
import { BatchListenerFailedError } from '../errors.js';
import { ModuleFixture } from '../module/module.fixture.js';
import { ConsumerRecord } from '../record/consumer-record.js';
import { defineTopic } from '../serde/topic-contract.js';

let heard: unknown[] = [];
let failures: string[] = [];
let fixture: ModuleFixture;

beforeEach(() => {
  heard = [];
  failures = [];
  fixture = new ModuleFixture();
});
afterEach(() => fixture.close());

/** Notes failures and goes on. */
const NOTING: ErrorHandler = {
  handleOne: async ({ error }) => {
    failures.push(error.message);
    return { action: 'recovered', commit: true };
  },
  handleBatch: async ({ error }) => {
    failures.push(error.message);
    return { action: 'recovered', commit: true };
  },
};

async function start(listener: unknown, more: unknown[] = []): Promise<void> {
  await fixture.start({ providers: [listener, ...more] }, { listener: { errorHandler: NOTING } });
}

function typed(type: string): { headers: { key: string; value: string }[] } {
  return { headers: [{ key: '__TypeId__', value: type }] };
}

class OrderCreated {
  constructor(readonly id: number) {}
}

describe('class-level @KafkaListener', () => {
  it('gives each record to the one method that is for it', async () => {
    @Injectable()
    @KafkaListener({ topics: 'orders' })
    class Listener {
      @KafkaHandler()
      onCreated(order: OrderCreated) {
        heard.push(['class', order.id]);
      }
      @KafkaHandler({ type: 'com.acme.OrderPaid' })
      onPaid(@Payload('id', ParseIntPipe) id: number) {
        heard.push(['type', id]);
      }
      @KafkaHandler({ headers: { kind: 'note', lang: 'en' } })
      onNote(text: string, @KafkaHeader('lang') lang: string) {
        heard.push(['headers', text, lang]);
      }
      @KafkaHandler({ when: (record) => record.key === 'special' })
      onSpecial(@KafkaKey() key: string) {
        heard.push(['when', key]);
      }
      @KafkaHandler({ isDefault: true })
      onRest(record: ConsumerRecord) {
        heard.push(['default', record.value]);
      }
    }
    await start(Listener);
    await fixture.receive('{"id":1}', typed('OrderCreated'));
    await fixture.receive('{"id":2}', typed('com.acme.Outer$OrderCreated'));
    await fixture.receive('{"id":"3"}', typed('com.acme.OrderPaid'));
    await fixture.receive('{"id":"4"}', typed('com.other.OrderPaid'));
    await fixture.receive('hello', {
      headers: [
        { key: 'kind', value: 'note' },
        { key: 'lang', value: 'en' },
      ],
    });
    await fixture.receive('half', { headers: [{ key: 'kind', value: 'note' }] });
    await fixture.receive('x', { key: 'special' });
    expect(heard).toEqual([
      ['class', 1],
      ['class', 2],
      ['type', 3],
      ['default', { id: '4' }],
      ['headers', 'hello', 'en'],
      ['default', 'half'],
      ['when', 'special'],
    ]);
    expect([failures, fixture.committed()]).toEqual([[], 7]);
  });

  it('none, or two, is an error for the error handler, which names them', async () => {
    @KafkaListener('orders')
    class Listener {
      @KafkaHandler({ when: ({ key }) => key !== 'none' })
      one(_value: string) {}
      @KafkaHandler({ when: ({ key }) => key === 'two' })
      two(_value: string) {}
    }
    await start(Listener);
    await fixture.receive('a', { key: 'two' });
    await fixture.receive('b', { key: 'none' });
    expect(failures).toEqual([
      'No method takes orders-0@0: both Listener#one and Listener#two are for it',
      'No method takes orders-0@1: none of Listener#one, Listener#two is for it ' +
        '(it has no header __TypeId__); isDefault: true takes the rest',
    ]);
    expect(fixture.committed()).toBe(2);
  });

  it('a method acknowledges, and request-scoped classes are made for each record', async () => {
    @Injectable({ scope: Scope.REQUEST })
    @KafkaListener({ topics: 'orders', ackMode: 'MANUAL' })
    class Listener {
      readonly made = heard.push('made');
      @KafkaHandler({ isDefault: true })
      on(value: string, ack: Acknowledgment) {
        heard.push(value);
        ack.acknowledge();
      }
    }
    await start(Listener);
    await fixture.receive('a');
    await fixture.receive('b');
    expect(heard).toEqual(['made', 'a', 'made', 'b']);
    expect(fixture.committed()).toBe(2);
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'no handlers',
      () => {
        @KafkaListener('orders')
        class Listener {}
        return Listener;
      },
      /@KafkaListener on Listener have a problem:\n {2}- it has no method with @KafkaHandler/,
    ],
    [
      'two default ones, and one that says nothing',
      () => {
        @KafkaListener('orders')
        class Listener {
          @KafkaHandler({ isDefault: true })
          one(_value: string) {}
          @KafkaHandler({ isDefault: true })
          two(_value: string) {}
          @KafkaHandler()
          three(_value: string) {}
        }
        return Listener;
      },
      /- more than one of its @KafkaHandler is the default one\n {2}- Listener#three: @KafkaHandler says for which records/,
    ],
    [
      'batches',
      () => {
        @KafkaListener({ topics: 'orders', batch: true })
        class Listener {
          @KafkaHandler({ isDefault: true })
          one(_values: string[]) {}
        }
        return Listener;
      },
      /a class with @KafkaHandler gets records one by one: take batch away/,
    ],
  ])('refuses %s', async (_name, listener, message) => {
    await expect(start(listener())).rejects.toThrow(message);
  });
});

describe('@KafkaListener: where options come from', () => {
  class Config {
    readonly topic = 'orders';
  }

  it('a function makes them at start, from any provider', async () => {
    class Listener {
      @KafkaListener((get) => ({ topics: get(Config).topic, id: `${get(Config).topic}-group` }))
      on(value: string) {
        heard.push(value);
      }
    }
    await start(Listener, [Config]);
    await fixture.receive('a');
    expect(heard).toEqual(['a']);
    expect(fixture.driver.consumers[0]?.options.groupId).toBe('orders-group');
  });

  it('a function that fails is told with the listener', async () => {
    class Listener {
      @KafkaListener((get) => ({ topics: get(Config).topic }))
      on(_value: string) {}
    }
    await expect(start(Listener)).rejects.toThrow(
      /@KafkaListener on Listener#on .*\n.* makes its options failed: .*Config/,
    );
  });

  it('composed with applyDecorators, repeated, and with contracts', async () => {
    const Numbers = defineTopic<string, number>({ name: 'orders', value: 'json' });
    const Orders = (id: string) => applyDecorators(KafkaListener({ topics: [Numbers, 'others'], id }));
    class Listener {
      @Orders('one')
      @Orders('two')
      on(record: ConsumerRecord) {
        heard.push(record.value);
      }
      @KafkaListener(Numbers)
      other(value: number) {
        heard.push(value + 1);
      }
    }
    fixture.driver.cluster.createTopic('others');
    await start(Listener);
    fixture.driver.cluster.append({ topic: 'others', value: '7' });
    await fixture.receive('7');
    await Promise.all(fixture.driver.consumers.map((consumer) => consumer.parked()));
    expect(heard.map((value) => JSON.stringify(value)).sort()).toEqual(['"7"', '"7"', '7', '7', '8']);
  });
});

describe('@KafkaListener: filter and interceptor', () => {
  it('a filtered record counts as done, and reaches neither pipes nor the method', async () => {
    class Listener {
      @KafkaListener({ topics: 'orders', filter: (record) => record.key === 'no' })
      on(value: string) {
        heard.push(value);
      }
    }
    await start(Listener);
    await fixture.receive('a', { key: 'no' });
    await fixture.receive('b');
    expect([heard, fixture.committed()]).toEqual([['b'], 2]);
  });

  it.each([
    [true, 2],
    [false, 1],
  ])('ackDiscarded %s in a manual mode commits %i', async (ackDiscarded, offset) => {
    class Listener {
      @KafkaListener({ topics: 'orders', ackMode: 'MANUAL', filter: ({ key }) => key === 'no', ackDiscarded })
      on(_value: string, ack: Acknowledgment) {
        ack.acknowledge();
      }
    }
    await start(Listener);
    await fixture.receive('a');
    await fixture.receive('b', { key: 'no' });
    expect(fixture.committed()).toBe(offset);
  });

  it('a batch is given without the filtered records; a failed place is that of the whole batch', async () => {
    const failed: number[] = [];
    const errorHandler: ErrorHandler = {
      ...NOTING,
      handleOne: async ({ record }) => {
        failed.push(record.offset);
        return { action: 'recovered', commit: true };
      },
    };
    class Listener {
      @KafkaListener({ topics: 'orders', batch: true, filter: ({ key }) => key === 'no', errorHandler })
      on(values: string[]) {
        heard.push(values);
        if (values.includes('c')) throw new BatchListenerFailedError('c', values.indexOf('c'));
      }
    }
    for (const [key, value] of [
      ['no', 'a'],
      ['k', 'b'],
      ['no', 'x'],
      ['k', 'c'],
    ] as const) {
      fixture.driver.cluster.append({ topic: 'orders', key, value });
    }
    await start(Listener);
    await fixture.driver.consumers[0]?.parked();
    expect(heard[0]).toEqual(['b', 'c']);
    expect([failed, fixture.committed()]).toEqual([[3], 4]);
  });

  it('an interceptor sees records before and after, and may leave one out', async () => {
    class Listener {
      @KafkaListener({
        topics: 'orders',
        interceptor: {
          intercept: (record) => {
            heard.push(`before ${String(record.value)}`);
            return record.value === 'out' ? null : record;
          },
          success: (record) => void heard.push(`success ${String(record.value)}`),
          failure: (record, error) => void heard.push(`failure ${String(record.value)} ${(error as Error).message}`),
        },
      })
      on(value: string) {
        if (value === 'bad') throw new Error('boom');
      }
    }
    await start(Listener);
    for (const value of ['good', 'bad', 'out']) await fixture.receive(value);
    expect(heard).toEqual(['before good', 'success good', 'before bad', 'failure bad boom', 'before out']);
    expect([failures, fixture.committed()]).toEqual([['boom'], 3]);
  });
});

describe('@SendTo', () => {
  const REQUEST = {
    key: 'k',
    headers: [
      { key: 'kafka_correlationId', value: 'c1' },
      { key: 'kafka_replyTopic', value: 'replies' },
      { key: 'kafka_replyPartition', value: '2' },
      { key: 'trace', value: 't' },
    ],
  };
  const sent = () => fixture.driver.producers[0]?.appended;

  it('answers to the topic and partition of the request, with its correlation id and key', async () => {
    class Listener {
      @KafkaListener('orders')
      @SendTo(undefined, { copyHeaders: ['trace', 'none'] })
      on(value: string) {
        return { echo: value };
      }
    }
    await start(Listener);
    await fixture.receive('a', REQUEST);
    expect(sent()).toEqual([
      {
        topic: 'replies',
        partition: 2,
        timestamp: undefined,
        key: 'k',
        value: '{"echo":"a"}',
        headers: [
          { key: 'kafka_correlationId', value: Buffer.from('c1') },
          { key: 'trace', value: Buffer.from('t') },
        ],
      },
    ]);
  });

  it.each<[string, unknown, object[]]>([
    ['nothing for undefined', undefined, []],
    ['nothing for null', null, []],
    ['what a promise resolves to', Promise.resolve('p'), [{ value: 'p' }]],
    ['what an observable ends with', of('o1', 'o2'), [{ value: 'o2' }]],
    ['a list as one record', ['a', 'b'], [{ value: '["a","b"]' }]],
    ['a tombstone by a message', { payload: null, headers: { x: '1' } }, [{ value: null }]],
  ])('sends %s', async (_name, result, expected) => {
    class Listener {
      @KafkaListener('orders')
      @SendTo('results')
      on(_value: string): unknown {
        return result;
      }
    }
    await start(Listener);
    await fixture.receive('a', REQUEST);
    expect(sent()).toEqual(
      expected.map((record): unknown => expect.objectContaining({ topic: 'results', partition: null, ...record })),
    );
    expect(fixture.committed()).toBe(1);
  });

  it('on a class, by a function, split; the key may be chosen', async () => {
    @SendTo((request, result) => `${(request as ConsumerRecord).topic}-${typeof result}`, { splitIterables: true })
    class Listener {
      @KafkaListener('orders')
      on(_value: string) {
        return ['a', { payload: 'b', headers: { kafka_messageKey: 'own' } }];
      }
    }
    await start(Listener);
    await fixture.receive('a', REQUEST);
    expect(sent()?.map(({ topic, key, value }) => [topic, key, value])).toEqual([
      ['orders-string', 'k', 'a'],
      ['orders-object', 'own', 'b'],
    ]);
  });

  it('what a filter returns is the reply; without a place to go, and when it cannot be sent, the record fails', async () => {
    @Catch()
    class Filter implements ExceptionFilter {
      catch(error: Error, _host: ArgumentsHost) {
        return { error: error.message };
      }
    }
    class Listener {
      @KafkaListener('orders')
      @SendTo()
      @UseFilters(Filter)
      on(value: string) {
        if (value === 'bad') throw new Error('boom');
        return value === 'circle' ? new Map() : value;
      }
    }
    await start(Listener);
    await fixture.receive('bad', REQUEST);
    await fixture.receive('lost');
    await fixture.receive('circle', REQUEST);
    expect(sent()?.map(({ value }) => value)).toEqual(['{"error":"boom"}']);
    expect(failures).toEqual([
      'The result for orders-0@1 has nowhere to go: the request has no header kafka_replyTopic, and @SendTo names no topic',
      expect.stringMatching(/^A record for topic replies, partition 2 was not sent: the value cannot be serialised/),
    ]);
  });

  it('a record counts as done when the broker has the reply', async () => {
    class Listener {
      @KafkaListener('orders')
      @SendTo('results')
      on(value: string) {
        return value;
      }
    }
    await start(Listener);
    const [producer] = fixture.driver.producers;
    if (producer === undefined) throw new Error('no producer');
    producer.isAutomatic = false;
    let isAppended: (() => void) | undefined;
    const appended = new Promise<void>((resolve) => (isAppended = resolve));
    const append = producer.append.bind(producer);
    producer.append = (record, callback) => {
      append(record, callback);
      isAppended?.();
    };
    fixture.driver.cluster.append({ topic: 'orders', value: 'a' });
    await appended;
    expect(fixture.committed()).toBeUndefined();
    producer.acknowledge();
    await fixture.driver.consumers[0]?.parked();
    expect(fixture.committed()).toBe(1);
  });
});

describe('@KafkaListener: results that are awaited', () => {
  it('an observable is done when it completes', async () => {
    class Listener {
      @KafkaListener('orders')
      on(value: string): Observable<string> {
        return new Observable((subscriber) => {
          queueMicrotask(() => {
            heard.push(value);
            if (value === 'bad') subscriber.error(new Error('observed'));
            else subscriber.complete();
          });
        });
      }
    }
    await start(Listener);
    await fixture.receive('a');
    await fixture.receive('bad');
    expect([heard, failures, fixture.committed()]).toEqual([['a', 'bad'], ['observed'], 2]);
  });
});
