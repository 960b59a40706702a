import { firstValueFrom } from 'rxjs';
import { recordSerdes } from '../serde/record-serdes.js';
import { DriverFake } from '../testing/driver-fake.js';
import { FakeClock } from '../testing/fake-clock.js';
import { KafkaSendError } from './kafka-send-error.js';
import { KafkaTemplate } from './kafka-template.js';
import { LoggingProducerListener } from './producer-listener.js';
import type { SendFuture } from './send-future.js';

const errors: string[] = [];
const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message: string) => void errors.push(message),
};

function create(): KafkaTemplate {
  const clock = new FakeClock();
  const producer = new DriverFake(clock).createProducer({});
  const listener = new LoggingProducerListener(log);
  return new KafkaTemplate({ producer, serdes: recordSerdes(), listener, clock, log }, { defaultTopic: 'd' });
}

const boom = (): never => {
  throw new Error('boom');
};
const throwing = {
  topic: {
    get topic() {
      return boom();
    },
    value: 'v',
  },
  partition: {
    topic: 't',
    get partition() {
      return boom();
    },
    value: 'v',
  },
  key: {
    topic: 't',
    get key() {
      return boom();
    },
    value: 'v',
  },
  value: {
    topic: 't',
    get value() {
      return boom();
    },
  },
  headers: {
    topic: 't',
    value: 'v',
    get headers() {
      return boom();
    },
  },
};

/** Calls a method as JavaScript may: without the types. */
function call(method: 'send' | 'sendRaw' | 'sendDefault', ...parameters: unknown[]) {
  return (template: KafkaTemplate) =>
    (template[method] as unknown as (...parameters: unknown[]) => SendFuture).apply(template, parameters);
}

const CASES: [string, (template: KafkaTemplate) => SendFuture, RegExp][] = [
  ['send()', call('send'), /was given undefined/],
  ['send(undefined)', call('send', undefined), /was given undefined/],
  ['send(null)', call('send', null), /was given null/],
  ['send(undefined, value)', call('send', undefined, 'v'), /was given undefined/],
  ['send(7, key, value)', call('send', 7, 'k', 'v'), /was given a number/],
  ['send({})', call('send', {}), /the topic must be a string that is not empty/],
  ['send([])', call('send', []), /the topic must be a string that is not empty/],
  ["send('', value)", call('send', '', 'v'), /the topic must be a string/],
  ["send('t')", call('send', 't'), /value cannot be serialised/],
  [
    'send with a list of headers that holds null',
    call('send', { topic: 't', value: 'v', headers: [null] }),
    /headers hold null/,
  ],
  ['sendRaw(undefined)', call('sendRaw', undefined), /was given undefined/],
  ['sendRaw({})', call('sendRaw', {}), /the topic must be/],
  ['sendDefault()', call('sendDefault'), /value cannot be serialised/],
  ...Object.entries(throwing).flatMap(([name, record]): [string, (template: KafkaTemplate) => SendFuture, RegExp][] => [
    [`send, ${name} throws`, call('send', record), /boom/],
    [`sendRaw, ${name} throws`, call('sendRaw', record), /boom/],
  ]),
];

describe('template: what is no record', () => {
  beforeEach(() => errors.splice(0));

  it.each(CASES)('%s fails by its future, in all ways to ask for it', async (_name, send, message) => {
    const template = create();
    const failures: unknown[] = await Promise.all([
      Promise.resolve(send(template)).catch((error: unknown) => error),
      send(template)
        .get()
        .catch((error: unknown) => error),
      send(template)
        .get(100)
        .catch((error: unknown) => error),
      firstValueFrom(send(template).toObservable()).catch((error: unknown) => error),
      new Promise((resolve) => {
        send(template).addCallback(undefined, resolve);
      }),
    ]);
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(KafkaSendError);
      expect((failure as Error).message).toMatch(message);
    }
    send(template);
    await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toHaveLength(6);
    for (const line of errors) expect(line).toMatch(/^A record for .* was not sent/);
  });

  it('a key or value that fails as text is no harm either', async () => {
    const template = create();
    const error = await template
      .send(
        't',
        Object.assign(Object.create(null) as object, {
          toJSON: () => {
            throw Object.create(null);
          },
        }),
      )
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KafkaSendError);
  });
});
