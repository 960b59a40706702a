/**
 * What Apache Kafka 4.3.1 answered to raw requests, as recorded in `answers/*.jsonl`: one step a line, in order.
 *
 * A step names an API, the versions it was sent in, the request, and the answers by version. Requests are patterns:
 * `${v}` is the version, `${id:topic}` a topic's id, `${name}` a value saved from an earlier answer; `$batch`, `$batches`,
 * `$hex`, `$rep`, `$str`, `$sub` and `$asg` stand for bytes. Leaves out sending: see answers.spec.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BATCH_MAGIC,
  BatchBuilder,
  encodeAssignment,
  encodeSubscription,
  sealBatch,
  type CompressionName,
  ZERO_UUID,
} from '@kafka-template/protocol';
import { type Fields, type Message, type TypeData, existsAt } from '../../../libs/protocol/src/schema.js';

/** One line of a recording. */
export interface AnswerStep {
  readonly id: string;
  readonly api?: string;
  readonly versions?: readonly number[];
  readonly request?: Pattern;
  readonly answers?: readonly { readonly versions?: readonly number[]; readonly body: Pattern }[];
  /** Topics to make first: partitions, or configs. */
  readonly topics?: Readonly<Record<string, number | { readonly configs: Readonly<Record<string, string>> }>>;
  /** The connection to use; without one, the common connection. */
  readonly connection?: string;
  readonly clientId?: string | null;
  /** Values to keep from the answer, as paths into it. */
  readonly save?: Readonly<Record<string, string>>;
  /** Only this part of the answer counts. */
  readonly keep?: string;
  /** The answer comes later; the step named in `awaits` takes it. */
  readonly later?: boolean;
  readonly awaits?: string;
  readonly noReply?: boolean;
  /** The broker may need a moment for it. */
  readonly eventually?: boolean;
  readonly waitMs?: number;
  readonly mangle?: { readonly cut?: number; readonly append?: string; readonly set?: readonly [number, string][] };
  readonly raw?: string;
}

/** JSON. */
export type Pattern = null | boolean | number | string | readonly Pattern[] | { readonly [name: string]: Pattern };

/** Values by name, for the `${name}` of patterns. */
export type Bindings = ReadonlyMap<string, Pattern>;

type Values = Readonly<Record<string, Pattern>>;

/** Reads all recordings in their order. */
export function readAnswerSteps(): AnswerStep[] {
  const directory = join(import.meta.dirname, '..', 'answers');
  const order = (name: string): number => Number.parseInt(name, 10);
  const files = readdirSync(directory).filter((name) => name.endsWith('.jsonl'));
  return files
    .sort((left, right) => order(left) - order(right))
    .flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AnswerStep);
}

/** Replaces the placeholders of a text; a text that is nothing but one placeholder becomes its value. */
export function substitute(text: string, bindings: Bindings): Pattern {
  const whole = /^\$\{([^{}]*)\}$/.exec(text);
  if (whole) return bindings.get(whole[1]!) ?? text;
  return text.replace(/\$\{([^${}]*)\}/g, (placeholder, name: string) => {
    const value = bindings.get(name);
    return typeof value === 'string' || typeof value === 'number' ? String(value) : placeholder;
  });
}

/** The request of a step as the encoder of a version takes it: defaults filled in, fields the version lacks left out. */
export function requestAt(message: Message, version: number, pattern: Pattern, bindings: Bindings): object {
  return shape(message.fields, version, (pattern ?? {}) as Values, bindings) as object;
}

function shape(fields: Fields, version: number, given: Values, bindings: Bindings): unknown {
  const parts: Record<string, unknown> = {};
  for (const [name, { data }] of Object.entries(fields)) {
    if (!existsAt(data, version)) continue;
    const value = given[name];
    if (value !== undefined) parts[name] = part(data.type, version, value, bindings);
    else if (data.defaultValue !== undefined) parts[name] = data.defaultValue;
    else parts[name] = data.nullableSince !== null && version >= data.nullableSince ? null : zero(data.type, version);
  }
  return parts;
}

function part(type: TypeData, version: number, given: Pattern, bindings: Bindings): unknown {
  let value = given;
  // Twice: a name such as ${id:w-q.${v}} has one inside.
  for (let round = 0; round < 2 && typeof value === 'string'; round++) value = substitute(value, bindings);
  if (value === null) return null;
  if (type.kind === 'array')
    return (value as readonly Pattern[]).map((one) => part(type.element, version, one, bindings));
  if (isBytesPattern(value)) return bytesOf(value, bindings);
  if (type.kind === 'struct') return shape(type.fields, version, value as unknown as Values, bindings);
  if (type.kind === 'uuid' && typeof value === 'string' && value.startsWith('${')) return ZERO_UUID;
  return value;
}

function zero(type: TypeData, version: number): unknown {
  switch (type.kind) {
    case 'bool':
      return false;
    case 'string':
      return '';
    case 'uuid':
      return ZERO_UUID;
    case 'bytes':
    case 'records':
      return Buffer.alloc(0);
    case 'array':
      return [];
    case 'struct':
      return shape(type.fields, version, {}, new Map());
    case 'int64':
      return 0n;
    default:
      return 0;
  }
}

function isBytesPattern(value: Pattern): value is Values {
  return typeof value === 'object' && value !== null && Object.keys(value).some((name) => name.startsWith('$'));
}

function bytesOf(value: Values, bindings: Bindings): Buffer | string {
  if (value['$rep'] !== undefined) return (value['$rep'] as string).repeat(value['n'] as number);
  if (value['$hex'] !== undefined) return Buffer.from(value['$hex'] as string, 'hex');
  if (value['$str'] !== undefined) return Buffer.from(value['$str'] as string);
  if (value['$sub'] !== undefined) return subscription(value['$sub'] as readonly string[]);
  if (value['$asg'] !== undefined) return assignment(value['$asg'] as Readonly<Record<string, number[]>>);
  if (value['$batch'] !== undefined) return batch(value['$batch'] as Values, bindings);
  return Buffer.concat((value['$batches'] as readonly Values[]).map((one) => batch(one, bindings)));
}

/** The version of the embedded consumer protocol that the recording was made with. */
const CONSUMER_PROTOCOL_VERSION = 1;

function subscription(topics: readonly string[]): Buffer {
  return encodeSubscription(
    { topics: [...topics], userData: null, ownedPartitions: [], generationId: -1, rackId: null },
    CONSUMER_PROTOCOL_VERSION,
  );
}

function assignment(topics: Readonly<Record<string, number[]>>): Buffer {
  const assignedPartitions = Object.entries(topics).map(([topic, partitions]) => ({ topic, partitions }));
  return encodeAssignment({ assignedPartitions, userData: null }, CONSUMER_PROTOCOL_VERSION);
}

const FIRST_TIMESTAMP = 1_700_000_000_000;
const MAGIC_POSITION = 16;

/** A record batch: `recs` are [key, value, timestamp?, headers?]; a number as value is so many bytes. */
function batch(pattern: Values, bindings: Bindings): Buffer {
  const number = (name: string): number => {
    const value = pattern[name];
    return Number(typeof value === 'string' ? substitute(value, bindings) : (value ?? -1));
  };
  const compression = (pattern['codec'] ?? 'none') as CompressionName;
  const builder = new BatchBuilder({ capacityBytes: 64 * 1024, compression });
  const records = pattern['recs'] as readonly (readonly Pattern[])[];
  records.forEach(([key, value, timestamp, headers], index) => {
    const bytes = typeof value === 'number' ? Buffer.alloc(value, 'x') : (value as string | null);
    const pairs = (headers ?? []) as readonly (readonly [string, string | null])[];
    const at = (timestamp ?? FIRST_TIMESTAMP + index) as number;
    builder.append(
      at,
      key as string | null,
      bytes,
      pairs.map(([name, text]) => ({ key: name, value: text })),
    );
  });
  let bytes = Buffer.from(
    builder.finish({
      producerId: number('pid'),
      producerEpoch: number('epoch'),
      baseSequence: number('seq'),
      transactional: pattern['tx'] === true,
    }),
  );
  if (pattern['magic'] !== undefined) bytes[MAGIC_POSITION] = (pattern['magic'] as number) || BATCH_MAGIC;
  for (const [at, hex] of (pattern['patch'] ?? []) as readonly (readonly [number, string])[])
    bytes.write(hex, at, 'hex');
  if (pattern['recrc'] === true) sealBatch(bytes, 0);
  if (pattern['cut'] !== undefined) bytes = bytes.subarray(0, bytes.length - (pattern['cut'] as number));
  return bytes;
}
