import { DeserializationError } from '../errors.js';
import { ConsumerRecord } from '../record/consumer-record.js';
import { HeaderSerde, SERDE_HEADER, TopicSerde } from './delegating.js';
import { type RecordSerdes, recordSerdes } from './record-serdes.js';
import { JsonSerde, type Serde } from './serde.js';
import type { SchemaResult, StandardSchema } from './standard-schema.js';
import { defineTopic } from './topic-contract.js';

/** A schema as zod and valibot make them: an amount, as text in and as a number out. */
const AMOUNT: StandardSchema<{ amount: string }, { amount: number }> = {
  '~standard': {
    version: 1,
    vendor: 'spec',
    validate(value): SchemaResult<{ amount: number }> {
      const amount = (value as { amount?: unknown } | null)?.amount;
      if (typeof amount !== 'string') return { issues: [{ message: 'expected text', path: ['amount'] }] };
      return { value: { amount: Number(amount) } };
    },
  },
};

function received(value: string, serdes: RecordSerdes, headers: Record<string, string> = {}): ConsumerRecord {
  const source = {
    topic: 'orders',
    partition: 1,
    offset: 2,
    timestamp: 0,
    timestampType: 0,
    key: null,
    value: Buffer.from(value),
    headers: Object.entries(headers).map(([key, text]) => ({ key, value: Buffer.from(text) })),
  };
  return new ConsumerRecord(source, serdes);
}

describe('serde: by topic', () => {
  const serde = new TopicSerde([
    ['orders', 'json'],
    [/^log/g, 'string'],
    [/^l/, 'bytes'],
  ]);

  it.each<[string, unknown, unknown]>([
    ['orders', 'a', '"a"'],
    ['logs', 'a', 'a'],
    ['logs', 1, '1'],
    ['lists', Buffer.from('x'), Buffer.from('x')],
  ])('%s: %p', (topic, data, written) => {
    for (let time = 0; time < 2; time++) expect(serde.serialize(data, topic)).toEqual(written);
  });

  it('reads by the topic, too, and refuses one that nobody is for', () => {
    expect(serde.deserialize(Buffer.from('1'), 'auto', 'orders')).toBe(1);
    expect(serde.deserialize(Buffer.from('1'), 'auto', 'logs')).toBe('1');
    expect(() => serde.serialize('a', 'other')).toThrow('no serializer is for topic other: there are some for orders');
    expect(new TopicSerde([], 'json').serialize('a', 'other')).toBe('"a"');
  });
});

describe('serde: by header', () => {
  const serde = new HeaderSerde({ json: 'json', text: 'string' });
  const header = (value: string) => [{ key: SERDE_HEADER, value }];

  it('writes and reads as the header says', () => {
    expect(serde.serialize('a', 't', header('json'))).toBe('"a"');
    expect(serde.serialize('a', 't', header('text'))).toBe('a');
    const serdes = { ...recordSerdes(), value: serde };
    expect(received('"a"', serdes, { [SERDE_HEADER]: 'json' }).value).toBe('a');
    expect(received('"a"', serdes, { [SERDE_HEADER]: 'text' }).value).toBe('"a"');
  });

  it('refuses what it does not know, unless there is an otherwise', () => {
    expect(() => serde.serialize('a', 't')).toThrow(
      /has no header .*selector, and there are serializers for json, text/,
    );
    expect(() => serde.serialize('a', 't', header('xml'))).toThrow(/selector is 'xml'/);
    const other = new HeaderSerde({}, { header: 'format', otherwise: 'json' });
    expect(other.serialize('a', 't', header('xml'))).toBe('"a"');
  });
});

describe('serde: JSON with large integers', () => {
  const exact: Serde = new JsonSerde({ largeIntegers: 'bigint' });

  it('keeps 64 bits in both directions', () => {
    const id = 2n ** 63n - 1n;
    const text = exact.serialize({ id, small: 1 }, 't') as string;
    expect(text).toBe('{"id":9223372036854775807,"small":1}');
    expect(exact.deserialize(Buffer.from(text), 'auto', 't')).toEqual({ id, small: 1 });
    expect(new JsonSerde().deserialize(Buffer.from(text), 'auto')).toEqual({ id: Number(id), small: 1 });
  });
});

describe('topic contract', () => {
  it('with a schema: sends what is valid as it is, and hands over what the schema makes of it', () => {
    const { serdes } = defineTopic({ name: 'orders', schema: AMOUNT });
    expect(serdes.value.serialize({ amount: '5' }, 'orders')).toBe('{"amount":"5"}');
    expect(() => serdes.value.serialize({ amount: 5 }, 'orders')).toThrow(
      'it is not what its schema says: amount: expected text',
    );
    expect(serdes.value.serialize(null, 'orders')).toBeNull();
    expect(received('{"amount":"5"}', serdes).value).toEqual({ amount: 5 });
  });

  it('a record that is not valid is a DeserializationError with its bytes', () => {
    const { serdes } = defineTopic({ name: 'orders', schema: AMOUNT });
    const record = received('{"amount":5}', serdes);
    expect(() => record.value).toThrow(DeserializationError);
    expect(() => record.value).toThrow(
      /orders-1@2 .* cannot be read: it is not what its schema says: amount: expected text/,
    );
    expect(record.rawValue).toEqual(Buffer.from('{"amount":5}'));
    expect(record.valueAs('bytes')).toEqual(record.rawValue);
  });

  it('tells a few of many issues, and refuses a schema that has to wait', () => {
    const schemaOf = (validate: () => SchemaResult<unknown> | Promise<SchemaResult<unknown>>): StandardSchema => ({
      '~standard': { version: 1, vendor: 'spec', validate },
    });
    const issues = Array.from({ length: 7 }, (_, index) => ({ message: `m${index}`, path: [{ key: 'a' }, index] }));
    const many = defineTopic({ name: 't', schema: schemaOf(() => ({ issues })) });
    expect(() => many.serdes.value.serialize(1, 't')).toThrow(/: a\.0: m0; .*a\.4: m4; 2 more$/);
    const slow = defineTopic({ name: 't', schema: schemaOf(() => Promise.reject(new Error('x'))) });
    expect(() => slow.serdes.value.serialize(1, 't')).toThrow(
      /asynchronously, and serializers cannot wait: use a pipe/,
    );
  });

  it('is a topic to create, and nothing else shows', () => {
    const contract = defineTopic<string, number>({ name: 'orders', partitions: 3, value: 'json', configs: { a: 'b' } });
    expect({ ...contract }).toEqual({ name: 'orders', partitions: 3, configs: { a: 'b' } });
    expect(contract.serdes.value.serialize('1', 'orders')).toBe('"1"');
  });
});
