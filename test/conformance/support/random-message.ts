/**
 * Random values for declared messages.
 *
 * Guarantees that a value has every field, that fields which the version lacks have their default, and that the version
 * can carry it: decoding what was encoded must give an equal value.
 */
import {
  type FieldData,
  type Fields,
  type Message,
  type ScalarKind,
  type TypeData,
  existsAt,
  flexibleAt,
  nullableAt,
} from '../../../libs/protocol/src/schema.js';
import { EMPTY_BYTES, defaultOf, isDefault } from '../../../libs/protocol/src/wire-types.js';
import { type Random } from './random.js';

/** A message as an object. */
export type Struct = Record<string, unknown>;

/**
 * How a value is filled: `default` leaves every field at its default, `full` gives each one a value that is not its
 * default, `small` does the same with short texts and bytes, `random` mixes, with nulls, extremes and empty arrays.
 */
export type Filling = 'default' | 'full' | 'small' | 'random';

const TEXTS = ['', 'a', 'orders', 'Grüße', '主题', '\u{1f600}', 'x'.repeat(127), 'y'.repeat(300), '\u0000'];
const INT_LIMITS: Partial<Record<ScalarKind, readonly [min: number, max: number]>> = {
  int8: [-128, 127],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
  long: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

interface Context {
  readonly version: number;
  readonly flexible: boolean;
  readonly random: Random;
  readonly filling: Filling;
}

/** A value of the message that the version can carry. */
export function randomMessage(message: Message, version: number, random: Random, filling: Filling): Struct {
  return structOf({ version, flexible: flexibleAt(message, version), random, filling }, message.fields);
}

/** True when this version carries the field. */
export function carries(data: FieldData, version: number, flexible: boolean): boolean {
  return existsAt(data, version) && (data.tag === null || flexible);
}

function structOf(context: Context, fields: Fields): Struct {
  const value: Struct = {};
  for (const [name, { data }] of Object.entries(fields)) value[name] = fieldOf(context, data);
  return value;
}

function fieldOf(context: Context, data: FieldData): unknown {
  if (!carries(data, context.version, context.flexible)) return defaultOf(data);
  const { random, filling } = context;
  const nullable = nullableAt(data, context.version);
  if (filling === 'default') {
    const value = defaultOf(data);
    return value === null && !nullable ? EMPTY_BYTES : value;
  }
  if (filling !== 'random') return nonDefault(context, data);
  if (random.oneIn(4)) {
    const value = defaultOf(data);
    if (value !== null || nullable) return value;
  }
  if (nullable && random.oneIn(5)) return null;
  return valueOf(context, data.type);
}

/** A value other than the field's default; draws again where chance gave the default. */
export function nonDefaultOf(data: FieldData, message: Message, version: number, random: Random): unknown {
  return nonDefault({ version, flexible: flexibleAt(message, version), random, filling: 'full' }, data);
}

function nonDefault(context: Context, data: FieldData): unknown {
  for (let attempt = 0; attempt < 100; attempt++) {
    const value = valueOf(context, data.type);
    if (!isDefault(data, value)) return value;
  }
  throw new Error('no value but the default was found');
}

function valueOf(context: Context, type: TypeData): unknown {
  if (type.kind === 'struct') return structOf(context, type.fields);
  if (type.kind !== 'array')
    return context.filling === 'small' ? smallOf(context.random, type.kind) : scalarOf(context.random, type.kind);
  const length = context.filling === 'random' ? context.random.pick([0, 1, 1, 2, 3]) : 2;
  return Array.from({ length }, () => valueOf(context, type.element));
}

function smallOf(random: Random, kind: ScalarKind): unknown {
  if (kind === 'string') return random.pick(['a', 'bc']);
  if (kind === 'bytes' || kind === 'records') return random.bytes(3);
  return scalarOf(random, kind);
}

function scalarOf(random: Random, kind: ScalarKind): unknown {
  switch (kind) {
    case 'bool':
      return random.oneIn(2);
    case 'int64':
      return BigInt.asIntN(64, (BigInt(random.bits()) << 32n) | BigInt(random.bits()));
    case 'float64':
      return random.pick([1.5, -273.15, 1e300, Number.MIN_VALUE, Infinity, random.bits() / 3]);
    case 'string':
      return random.pick(TEXTS);
    case 'uuid':
      return random.bytes(16).toString('base64url');
    case 'bytes':
    case 'records':
      return random.bytes(random.oneIn(50) ? 3000 : random.below(200));
    default:
      return integerOf(random, kind);
  }
}

function integerOf(random: Random, kind: ScalarKind): number {
  const limits = INT_LIMITS[kind];
  if (limits === undefined) throw new Error(`no limits for ${kind}`);
  const [min, max] = limits;
  if (random.oneIn(5)) return random.pick([min, max]);
  if (random.oneIn(3)) return random.below(128);
  return Math.trunc(min + (random.bits() / 0x1_0000_0000) * (max - min)) + 0;
}
