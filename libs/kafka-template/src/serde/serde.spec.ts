import { ConsumerRecord } from '../record/consumer-record.js';
import { recordSerdes } from './record-serdes.js';
import { type DecodeTarget, type SerdeName, serdeOf } from './serde.js';

class Order {
  readonly id = 1;
}

describe('serde: what is sent', () => {
  it.each<[SerdeName, unknown, string | Buffer | null | RegExp]>([
    ['auto', 'text', 'text'],
    ['auto', '{"a":1}', '{"a":1}'],
    ['auto', new Order(), '{"id":1}'],
    ['auto', [1, 'a'], '[1,"a"]'],
    ['auto', 1.5, '1.5'],
    ['auto', true, 'true'],
    ['auto', 10n, '10'],
    ['auto', null, null],
    ['auto', Buffer.from('b'), Buffer.from('b')],
    ['auto', new Uint8Array([1, 2]).subarray(1), Buffer.from([2])],
    ['auto', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['auto', undefined, /pass null to send a tombstone/],
    ['auto', () => 1, /function cannot be sent; JSON has no such value/],
    ['auto', { big: 1n }, '{"big":1}'],
    ['auto', new Set([1]), /send \[\.\.\.set\] instead/],
    ['json', 'text', '"text"'],
    ['string', 5, '5'],
    ['string', {}, /object of class Object.*'auto' or 'json'/],
    ['bytes', new Uint8Array([1]), Buffer.from([1])],
    ['bytes', 'text', /got a string; pass a Buffer/],
  ])('%s: %p', (name, data, expected) => {
    const serialize = () => serdeOf(name, 'value').serialize(data, 't');
    if (expected instanceof RegExp) expect(serialize).toThrow(expected);
    else expect(serialize()).toEqual(expected);
  });
});

describe('serde: what is received', () => {
  it.each<[string, DecodeTarget, unknown]>([
    ['text', 'auto', 'text'],
    ['12', 'auto', '12'],
    [' {"a":1}', 'auto', { a: 1 }],
    ['[1]', 'auto', [1]],
    ['', 'auto', ''],
    ['{"a":1}', 'text', '{"a":1}'],
    ['{"a":1}', 'bytes', Buffer.from('{"a":1}')],
    ['12', 'json', 12],
    ['"x"', 'json', 'x'],
  ])("'%s' as %s", (text, target, expected) => expect(record(text).valueAs(target)).toEqual(expected));

  it('a key of unknown type is text, whatever it begins with', () => {
    expect(record('v', '{not json').key).toBe('{not json');
    expect(record('v', '7').keyAs('json')).toBe(7);
  });

  it('null stays null: a tombstone, or no key', () => {
    expect([record(null).value, record(null).valueAs('json'), record('v').key]).toEqual([null, null, null]);
  });

  it('a value that cannot be read names its place, says what to do, and keeps its bytes', () => {
    const broken = record('{"id":');
    // The reason in the middle is Node's own, and every line of Node words it differently.
    let reason = '';
    try {
      JSON.parse('{"id":');
    } catch (error) {
      reason = (error as Error).message;
    }
    expect(() => broken.value).toThrow(
      expect.objectContaining({
        code: 'DESERIALIZATION',
        message:
          `The value of t-3@9 (topic t, partition 3, offset 9) is not valid JSON: ${reason}. ` +
          'To receive it as it is, declare the parameter as string or Buffer, or use record.rawValue',
        details: { topic: 't', partition: 3, offset: 9, part: 'value', bytes: Buffer.from('{"id":') },
        cause: expect.any(SyntaxError),
      }),
    );
    expect(broken.rawValue).toEqual(Buffer.from('{"id":'));
    expect(broken.valueAs('text')).toBe('{"id":');
  });

  it('decodes once', () => {
    const one = record('{"a":1}');
    expect(one.value).toBe(one.value);
  });

  it('finds the last of several headers', () => {
    const one = record('v');
    expect([one.header('h')?.toString(), one.header('none')]).toEqual(['2', undefined]);
  });
});

function record(value: string | null, key?: string): ConsumerRecord {
  return new ConsumerRecord(
    {
      topic: 't',
      partition: 3,
      offset: 9,
      timestamp: 5,
      timestampType: 'CreateTime',
      key: key === undefined ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      headers: ['1', '2'].map((text) => ({ key: 'h', value: Buffer.from(text) })),
    },
    recordSerdes(),
  );
}
