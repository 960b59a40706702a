/**
 * The compiled codecs and the interpreted ones are two walks over the same declarations, so they must agree.
 *
 * Guarantees, for every message at every version: the same bytes from both, decode∘encode is the identity in both, every
 * field takes part with a value other than its default, and what a version cannot carry is refused by both alike.
 * Whether the declarations are Kafka's is checked by golden.spec.ts.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { APIS, type Codec, type Message, ProtocolError, Reader, Writer, apiByKey } from '@kafka-template/protocol';
import { compileDecode, compileEncode } from '../../libs/protocol/src/compile.js';
import { interpretCodec } from '../../libs/protocol/src/interpret.js';
import { flexibleAt, nullableAt } from '../../libs/protocol/src/schema.js';
import { apiFileName } from './support/golden.js';
import { ALL_AT_VERSIONS } from './support/messages.js';
import { type Filling, type Struct, carries, nonDefaultOf, randomMessage } from './support/random-message.js';
import { Random, seedOfRun } from './support/random.js';

const RANDOM_MESSAGES_PER_CODEC = 60;
const seed = seedOfRun();

/** Values just outside of each type, and numbers that are no integers. */
const MISFITS: Readonly<Record<string, readonly unknown[]>> = {
  int8: [128, -129, 0.5, Number.NaN],
  int16: [32768, -32769, 1.5, Number.NaN],
  uint16: [65536, -1, 1.5],
  int32: [2147483648, -2147483649, 1.5, Infinity],
  uint32: [4294967296, -1, 1.5],
  long: [2 ** 53, -(2 ** 53), 1.5, Number.NaN],
  int64: [2n ** 63n, -(2n ** 63n) - 1n],
};

interface Pair {
  readonly message: Message;
  readonly version: number;
  readonly compiled: Codec;
  readonly interpreted: Codec;
}

const pairs: readonly Pair[] = ALL_AT_VERSIONS.map(({ message, version }) => ({
  message,
  version,
  compiled: { encode: compileEncode(message, version), decode: compileDecode(message, version) },
  interpreted: interpretCodec(message, version),
}));

function encoded(codec: Codec, value: Struct): Buffer {
  const writer = new Writer();
  codec.encode(writer, value);
  return writer.toBuffer();
}

/** What encoding did: the bytes, or the error's code and message. */
function outcome(codec: Codec, value: Struct): string {
  try {
    return encoded(codec, value).toString('hex');
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

function check({ message, version, compiled, interpreted }: Pair, value: Struct): void {
  const bytes = encoded(compiled, value);
  const agree = bytes.equals(encoded(interpreted, value));
  const once = compiled.decode(new Reader(bytes));
  const twice = interpreted.decode(new Reader(bytes));
  if (agree && isDeepStrictEqual(once, value) && isDeepStrictEqual(twice, value)) return;
  const where = `${message.name} v${version}, SEED=${seed}`;
  expect({ where, bytes: bytes.toString('hex'), decoded: once, interpreted: twice }).toEqual({
    where,
    bytes: encoded(interpreted, value).toString('hex'),
    decoded: value,
    interpreted: value,
  });
}

describe(`codecs of ${pairs.length} messages and versions, SEED=${seed}`, () => {
  it.each<[Filling, number]>([
    ['default', 1],
    ['full', 1],
    ['random', RANDOM_MESSAGES_PER_CODEC],
  ])('%s values: both codecs agree and decode what they encode', (filling, count) => {
    const random = new Random(seed);
    for (const pair of pairs) {
      for (let index = 0; index < count; index++) {
        check(pair, randomMessage(pair.message, pair.version, random, filling));
      }
    }
    expect(pairs.length).toBeGreaterThan(600);
  });

  it('fields that a version lacks: both refuse them, or drop them where the declaration says so', () => {
    const random = new Random(seed);
    let refused = 0;
    let dropped = 0;
    for (const { message, version, compiled, interpreted } of pairs) {
      const value = randomMessage(message, version, random, 'default');
      const plain = outcome(compiled, value);
      for (const [name, { data }] of Object.entries(message.fields)) {
        if (carries(data, version, flexibleAt(message, version))) continue;
        const given = { ...value, [name]: nonDefaultOf(data, message, version, random) };
        const result = outcome(compiled, given);
        expect(outcome(interpreted, given)).toBe(result);
        if (data.ignorable) expect(result).toBe(plain);
        else expect(result).toMatch(`cannot carry the field '${name}'`);
        if (data.ignorable) dropped++;
        else refused++;
      }
    }
    expect(refused).toBeGreaterThan(50);
    expect(dropped).toBeGreaterThan(50);
  });

  it('null where the version has none: both refuse it', () => {
    const random = new Random(seed);
    let refused = 0;
    for (const { message, version, compiled, interpreted } of pairs) {
      const value = randomMessage(message, version, random, 'full');
      for (const [name, { data }] of Object.entries(message.fields)) {
        if (!['string', 'bytes', 'array', 'struct', 'records'].includes(data.type.kind)) continue;
        if (nullableAt(data, version) || !carries(data, version, flexibleAt(message, version))) continue;
        const result = outcome(compiled, { ...value, [name]: null });
        expect(outcome(interpreted, { ...value, [name]: null })).toBe(result);
        expect(result).toMatch(`the field '${name}' must not be null`);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(500);
  });

  it('integers that their type cannot hold: both refuse them', () => {
    const random = new Random(seed);
    let refused = 0;
    for (const { message, version, compiled, interpreted } of pairs) {
      const value = randomMessage(message, version, random, 'full');
      for (const [name, { data }] of Object.entries(message.fields)) {
        const misfits = MISFITS[data.type.kind];
        if (misfits === undefined || !carries(data, version, flexibleAt(message, version))) continue;
        for (const misfit of misfits) {
          const result = outcome(compiled, { ...value, [name]: misfit });
          expect(outcome(interpreted, { ...value, [name]: misfit })).toBe(result);
          expect(result).toMatch(/^INVALID_VALUE: .* is not a value of type /);
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(1000);
  });

  it('tagged fields of a newer version are skipped', () => {
    const random = new Random(seed);
    for (const { message, version, compiled, interpreted } of pairs) {
      if (!flexibleAt(message, version)) continue;
      const value = randomMessage(message, version, random, 'default');
      const bytes = encoded(compiled, value);
      expect(bytes.at(-1)).toBe(0);
      const newer = Buffer.concat([bytes.subarray(0, -1), Buffer.of(1, 99, 3, 1, 2, 3)]);
      expect(compiled.decode(new Reader(newer))).toEqual(value);
      expect(interpreted.decode(new Reader(newer))).toEqual(value);
    }
  });
});

describe('the list of APIs', () => {
  it('has every file of messages/ that is numbered, and their names agree', () => {
    const folder = join(import.meta.dirname, '../../libs/protocol/src/messages');
    const numbered = readdirSync(folder).filter((name) => /^\d\d-/.test(name));
    expect(APIS.map((api) => `${apiFileName(api)}.ts`)).toEqual(numbered.sort());
  });

  it('has declarations that are read at a glance: half of them under 50 lines', () => {
    const folder = join(import.meta.dirname, '../../libs/protocol/src/messages');
    const lines = APIS.map((api) => readFileSync(join(folder, `${apiFileName(api)}.ts`), 'utf8').split('\n').length);
    expect(lines.sort((a, b) => a - b)[Math.floor(lines.length / 2)]).toBeLessThan(50);
  });

  it('is in ascending order of keys and found by key', () => {
    const keys = APIS.map((api) => api.key);
    expect(keys).toEqual([...new Set(keys)].sort((a, b) => a - b));
    for (const api of APIS) expect(apiByKey(api.key)).toBe(api);
    expect(apiByKey(4)).toBeUndefined();
    expect(apiByKey(-1)).toBeUndefined();
    expect(apiByKey(30_000)).toBeUndefined();
  });
});
