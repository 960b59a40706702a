/**
 * Values for golden bytes: the same on every run, and such that a reader finds them again in the hex.
 *
 * Guarantees that no two numbers in a message are equal as far as their size allows, that texts and bytes carry the name
 * of their field, and that nothing has its default.
 */
import {
  type FieldData,
  type Fields,
  type Message,
  type ScalarKind,
  type TypeData,
  flexibleAt,
  nullableAt,
} from '../../../libs/protocol/src/schema.js';
import { EMPTY_BYTES, defaultOf } from '../../../libs/protocol/src/wire-types.js';
import { type Struct, carries } from './random-message.js';

const INT8_NUMBERS = 100;

/** A value with every field the message has at any version. */
export function sampleMessage(message: Message): Struct {
  let last = 0;
  const struct = (fields: Fields): Struct =>
    Object.fromEntries(Object.entries(fields).map(([name, { data }]) => [name, value(name, data.type, data)]));
  const value = (name: string, type: TypeData, data: FieldData): unknown => {
    if (type.kind === 'struct') return struct(type.fields);
    if (type.kind !== 'array') return scalar(name, type.kind, data);
    const count = type.element.kind === 'struct' ? 1 : 2;
    return Array.from({ length: count }, () => value(name, type.element, data));
  };
  const scalar = (name: string, kind: ScalarKind, data: FieldData): unknown => {
    if (kind === 'bool') return data.defaultValue !== true;
    if (kind === 'string') return name;
    if (kind === 'bytes' || kind === 'records') return Buffer.from(name);
    last++;
    if (kind === 'uuid') return Buffer.alloc(16, last).toString('base64url');
    if (kind === 'int64') return BigInt(last) << 32n;
    if (kind === 'float64') return last + 0.5;
    if (kind === 'long') return last * 2 ** 32 + last;
    return (last % INT8_NUMBERS) + 17;
  };
  return struct(message.fields);
}

/** The value as this version can carry it: fields it lacks get their default. */
export function atVersion(message: Message, version: number, value: Struct): Struct {
  const flexible = flexibleAt(message, version);
  const project = (fields: Fields, struct: Struct): Struct =>
    Object.fromEntries(
      Object.entries(fields).map(([name, { data }]) => [
        name,
        carries(data, version, flexible) ? inside(data.type, struct[name]) : defaultOf(data),
      ]),
    );
  const inside = (type: TypeData, part: unknown): unknown => {
    if (part === null) return null;
    if (type.kind === 'struct') return project(type.fields, part as Struct);
    if (type.kind !== 'array') return part;
    return (part as unknown[]).map((element) => inside(type.element, element));
  };
  return project(message.fields, value);
}

/** The value with null wherever the version allows it, else the defaults. */
export function emptyMessage(message: Message, version: number): Struct {
  const flexible = flexibleAt(message, version);
  const empty = (fields: Fields): Struct =>
    Object.fromEntries(
      Object.entries(fields).map(([name, { data }]) => {
        if (!carries(data, version, flexible)) return [name, defaultOf(data)];
        if (nullableAt(data, version)) return [name, null];
        if (data.type.kind === 'struct') return [name, empty(data.type.fields)];
        return [name, defaultOf(data) ?? EMPTY_BYTES];
      }),
    );
  return empty(message.fields);
}
