import { parseExact, stringifyExact } from './json-numbers.js';

/** A small generator with a seed: the same values at every run. */
function generator(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % bound;
  };
}

const STRINGS = [
  '',
  'n12345678901234567',
  's',
  '"',
  '\\"',
  '1234567890123456789',
  ':',
  '\u0000',
  'a\\',
  '\ud800',
  '{"a":1}',
];

function anything(next: (bound: number) => number, depth: number, withBigInts: boolean): unknown {
  const text = () => STRINGS[next(STRINGS.length)] as string;
  switch (next(depth > 3 ? 7 : 9)) {
    case 0:
      return text();
    case 1:
      return next(1000) - 500;
    case 2:
      return (next(1000) - 500) / 7;
    case 3:
      return next(2) === 0;
    case 4:
      return null;
    case 5:
      return withBigInts ? BigInt(next(2 ** 31)) ** 3n * (next(2) === 0 ? 1n : -1n) : next(2 ** 31) * 4_000_000;
    case 6:
      return next(2 ** 31) * 1e300;
    case 7:
      return Array.from({ length: next(4) }, () => anything(next, depth + 1, withBigInts));
    default:
      return Object.fromEntries(
        Array.from({ length: next(4) }, () => [text(), anything(next, depth + 1, withBigInts)]),
      );
  }
}

/** BigInts that a number can hold come back as numbers. */
function expected(data: unknown): unknown {
  if (typeof data === 'bigint') return Number.isSafeInteger(Number(data)) ? Number(data) : data;
  if (Array.isArray(data)) return data.map(expected);
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, expected(value)]));
}

describe('json numbers', () => {
  it('without BigInt: the same text as JSON.stringify, and the same value as JSON.parse', () => {
    const next = generator(1);
    for (let round = 0; round < 3000; round++) {
      const data = anything(next, 0, false);
      const text = JSON.stringify(data);
      expect(stringifyExact(data)).toBe(text);
      expect(stringifyExact(JSON.parse(text))).toBe(text);
      // Doubles beyond 2^53 are written in digits; only these come back as BigInt.
      if (!/\d{16}/.test(text)) expect(parseExact(text)).toEqual(JSON.parse(text));
    }
  });

  it('with BigInt: every digit survives', () => {
    const next = generator(2);
    let large = 0;
    for (let round = 0; round < 3000; round++) {
      const data = anything(next, 0, true);
      const text = stringifyExact(data) as string;
      if (/\d{22}/.test(text)) large++;
      expect(parseExact(text)).toEqual(expected(roundTrip(data)));
    }
    expect(large).toBeGreaterThan(100);
  });

  it.each<[string, unknown]>([
    ['undefined members, functions and symbols', { a: undefined, b: () => 1, c: Symbol('c'), d: [undefined, () => 1] }],
    ['dates and toJSON', { at: new Date(0), own: { toJSON: (name: string) => `name ${name}` }, list: [new Date(1)] }],
    ['numbers that JSON has not', [Number.NaN, Number.POSITIVE_INFINITY, -0]],
    ['boxed values', [Object(1), Object('a'), Object(true)]],
    ['symbols as names, inherited members', Object.create({ inherited: 1 }, { own: { value: 1, enumerable: true } })],
    ['nothing', undefined],
  ])('writes %s as JSON.stringify does', (_name, data) => {
    expect(stringifyExact(data)).toBe(JSON.stringify(data));
  });

  it.each<[string, string, unknown]>([
    ['64 bits', '{"id":9223372036854775807}', { id: 9_223_372_036_854_775_807n }],
    [
      'the edge',
      '[9007199254740991,9007199254740992,-9007199254740993]',
      [9_007_199_254_740_991, 9_007_199_254_740_992n, -9_007_199_254_740_993n],
    ],
    [
      'digits in strings and names',
      '{"12345678901234567":"12345678901234567"}',
      { '12345678901234567': '12345678901234567' },
    ],
    ['fractions and exponents', '[12345678901234567.5,1e30]', [JSON.parse('12345678901234567.5'), 1e30]],
    ['white space before a colon', '{"a" \n: 12345678901234567}', { a: 12_345_678_901_234_567n }],
    ['__proto__', '{"__proto__":12345678901234567}', JSON.parse('{"__proto__":0}')],
  ])('reads %s', (_name, text, data) => {
    const parsed = parseExact(text);
    if (text.includes('__proto__')) expect(Object.keys(parsed as object)).toEqual(Object.keys(data as object));
    else expect(parsed).toEqual(data);
  });

  it('refuses circles and broken text', () => {
    const circle: { self?: object } = {};
    circle.self = circle;
    expect(() => stringifyExact(circle)).toThrow(TypeError);
    expect(() => parseExact('{"a":12345678901234567')).toThrow(SyntaxError);
  });
});

/** What plain JSON does to everything but BigInt: doubles that are whole and large become BigInt when read. */
function roundTrip(data: unknown): unknown {
  if (typeof data === 'number') {
    const text = JSON.stringify(data);
    return /^-?\d{16,}$/.test(text) ? BigInt(text) : (JSON.parse(text) as unknown);
  }
  if (Array.isArray(data)) return data.map(roundTrip);
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, roundTrip(value)]));
}
