/**
 * Bytes that no honest peer sends: cut off, with lengths that are negative or huge, with bits flipped.
 *
 * Guarantees, for every message at every version, that decoding ends in a ProtocolError or in a value, that a value is
 * never larger than its bytes, and that compiled and interpreted codecs judge alike. A crash, a hang or another kind of
 * error would let one client stop a broker.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  APIS,
  type Codec,
  type Message,
  ProtocolError,
  Reader,
  Writer,
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '@kafka-template/protocol';
import { compileDecode, compileEncode } from '../../libs/protocol/src/compile.js';
import { interpretCodec } from '../../libs/protocol/src/interpret.js';
import { type TypeData, flexibleAt } from '../../libs/protocol/src/schema.js';
import { ALL_AT_VERSIONS, versionsOf } from './support/messages.js';
import { randomMessage } from './support/random-message.js';
import { Random, seedOfRun } from './support/random.js';

const seed = seedOfRun();
const FLIPS_PER_SAMPLE = 30;
const EXTERNAL_BYTES_MAX = 64 * 1024 * 1024;
const LENGTH_BYTES = 4;

/** What is written over every position: lengths and counts of all encodings, negative, huge and overlong. */
const PATTERNS = ['7fffffff', '80000000', '7fff', 'ffffffff0f', 'ffffffff07', 'ffffffffffff'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

interface Sample {
  readonly message: Message;
  readonly version: number;
  readonly codec: Codec;
  readonly bytes: Buffer;
}

const samples: readonly Sample[] = ALL_AT_VERSIONS.flatMap(({ message, version }) => {
  const random = new Random(seed);
  const codec = { encode: compileEncode(message, version), decode: compileDecode(message, version) };
  return (['default', 'small'] as const).map((filling) => {
    const writer = new Writer();
    codec.encode(writer, randomMessage(message, version, random, filling));
    return { message, version, codec, bytes: writer.toBuffer() };
  });
});

/** Without the versions that the same code reads as the version before: they could only repeat its results. */
const distinctSamples = samples.filter(({ message, codec }, index) => {
  const before = samples[index - 2];
  return before?.message !== message || codeOf(before.codec) !== codeOf(codec);
});

function codeOf(codec: Codec): string {
  return codec.decode.toString().replace(/V\d+/, '');
}

/** Elements of all arrays in a value, and the characters and bytes it holds. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  if (Buffer.isBuffer(value)) return value.length;
  if (Array.isArray(value)) return value.reduce((size: number, part: unknown) => size + sizeOf(part), value.length);
  let size = 0;
  for (const name in value) size += sizeOf((value as Readonly<Record<string, unknown>>)[name]);
  return size;
}

const UUID_GROWTH = 22 / 16;
const NESTING_MAX = 10;

/** Structs and arrays inside of each other. */
function depthOf(type: TypeData): number {
  if (type.kind === 'array') return 1 + depthOf(type.element);
  if (type.kind !== 'struct') return 0;
  return 1 + Math.max(0, ...Object.values(type.fields).map(({ data }) => depthOf(data.type)));
}

/** Decodes, and gives the value or the ProtocolError's code; any other error passes through with its bytes. */
function attempt(codec: Codec, bytes: Buffer, where: string): { value: unknown } | { code: string } {
  const reader = new Reader(bytes);
  try {
    const value = codec.decode(reader);
    if (reader.position > bytes.length) throw new Error('read beyond the end');
    if (sizeOf(value) > bytes.length * UUID_GROWTH + 200) throw new Error('the value is larger than its bytes');
    return { value };
  } catch (error) {
    if (error instanceof ProtocolError) return { code: error.code };
    throw new Error(`${where}, SEED=${seed}, bytes ${bytes.toString('hex')}: ${String(error)}`, { cause: error });
  }
}

describe(`hostile input, SEED=${seed}`, () => {
  const stackTraceLimit = Error.stackTraceLimit;
  // Hundreds of thousands of errors are made below; their stacks are not looked at.
  beforeAll(() => (Error.stackTraceLimit = 0));
  afterAll(() => (Error.stackTraceLimit = stackTraceLimit));

  it('cut off at every byte: always a ProtocolError', () => {
    for (const { message, version, codec, bytes } of samples) {
      for (let length = 0; length < bytes.length; length++) {
        const where = `${message.name} v${version} cut at ${length}`;
        const result = attempt(codec, bytes.subarray(0, length), where);
        if (!('code' in result)) throw new Error(`${where} of ${bytes.toString('hex')} was accepted, SEED=${seed}`);
      }
    }
  });

  it('lengths and counts that lie, at every byte: a ProtocolError or a value', () => {
    const outcomes = new Map<string, number>();
    const externalBefore = process.memoryUsage().external;
    for (const { message, version, codec, bytes } of distinctSamples) {
      for (const pattern of PATTERNS) {
        for (let position = 0; position + pattern.length <= bytes.length; position++) {
          const lying = Buffer.from(bytes);
          pattern.copy(lying, position);
          const result = attempt(codec, lying, `${message.name} v${version} at ${position}`);
          const key = 'code' in result ? result.code : 'value';
          outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
        }
      }
    }
    for (const kind of ['value', 'TRUNCATED', 'INVALID_LENGTH', 'INVALID_VALUE']) {
      expect(outcomes.get(kind) ?? 0).toBeGreaterThan(1000);
    }
    expect(process.memoryUsage().external - externalBefore).toBeLessThan(EXTERNAL_BYTES_MAX);
  });

  it.each(['arrayCount', 'nullableCount', 'compactCount', 'compactNullableCount'] as const)(
    '%s: more elements than bytes are refused before the first is read',
    (method) => {
      const claims = method.startsWith('compact') ? [4, 0, 0] : [0, 0, 0, 3, 0, 0];
      expect(new Reader(Buffer.from([...claims, 0]))[method](1)).toBe(3);
      expect(() => new Reader(Buffer.from(claims))[method](1)).toThrow('claims 3 elements');
      expect(() => new Reader(Buffer.from([...claims, 0]))[method](2)).toThrow('claims 3 elements');
    },
  );

  it('nesting: bytes cannot go deeper than the declarations, and those are shallow', () => {
    const depths = ALL_AT_VERSIONS.map(({ message }) => depthOf({ kind: 'struct', fields: message.fields }));
    expect(Math.max(...depths)).toBeLessThanOrEqual(NESTING_MAX);
  });

  it('unknown tagged fields by the hundred thousand are skipped, and their claims are checked', () => {
    const unknown = Array.from({ length: 100_000 }, () => [99, 1, 0]).flat();
    const count = Buffer.of(0xa0, 0x8d, 0x06);
    const tail = Buffer.concat([count, Buffer.from(unknown)]);
    for (const { message, version, codec } of distinctSamples.filter((_, index) => index % 20 === 0)) {
      if (!flexibleAt(message, version)) continue;
      const plain = new Writer();
      codec.encode(plain, randomMessage(message, version, new Random(seed), 'default'));
      const bytes = Buffer.concat([plain.toBuffer().subarray(0, -1), tail]);
      const where = `${message.name} v${version} with unknown tags`;
      expect(attempt(codec, bytes, where)).toHaveProperty('value');
      expect(attempt(codec, bytes.subarray(0, -1), where)).toHaveProperty('code');
    }
  });

  it('bits flipped at random: both codecs judge alike', () => {
    const random = new Random(seed);
    for (const { message, version, codec, bytes } of samples) {
      const interpreted = interpretCodec(message, version);
      for (let flip = 0; flip < FLIPS_PER_SAMPLE && bytes.length > 0; flip++) {
        const flipped = Buffer.from(bytes);
        for (let count = 1 + random.below(3); count > 0; count--) {
          const position = random.below(bytes.length);
          flipped[position] = (flipped[position] as number) ^ (1 << random.below(8));
        }
        const where = `${message.name} v${version} flipped`;
        const judged = attempt(codec, flipped, where);
        const again = attempt(interpreted, flipped, where);
        if (!isDeepStrictEqual(judged, again)) {
          expect({ where, seed, bytes: flipped.toString('hex'), judged }).toEqual({ where, seed, judged: again });
        }
      }
    }
  });

  it('frames cut off at every byte of header and body: always a ProtocolError', () => {
    for (const api of APIS) {
      for (const version of versionsOf(api.request)) {
        const random = new Random(seed);
        const request = wholeFrame(
          encodeRequest(api, version, 7, 'me', randomMessage(api.request, version, random, 'small')),
        );
        const response = wholeFrame(
          encodeResponse(api, version, 7, randomMessage(api.response, version, random, 'small')),
        );
        const readRequest = (frame: Buffer) =>
          decodeRequestBody(api, version, frame, decodeRequestHeader(frame, api).bodyOffset);
        const readResponse = (frame: Buffer) => decodeResponse(api, version, frame);
        for (const [frame, read] of [
          [request, readRequest],
          [response, readResponse],
        ] as const) {
          read(frame);
          for (let length = 0; length < frame.length; length++) {
            expectProtocolError(() => read(frame.subarray(0, length)), `${api.name} v${version} cut at ${length}`);
          }
        }
      }
    }
  });
});

function wholeFrame(chunks: readonly Buffer[]): Buffer {
  return Buffer.concat(chunks).subarray(LENGTH_BYTES);
}

function expectProtocolError(run: () => unknown, where: string): void {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return;
    throw new Error(`${where}, SEED=${seed}: ${String(error)}`, { cause: error });
  }
  throw new Error(`${where} was accepted, SEED=${seed}`);
}
