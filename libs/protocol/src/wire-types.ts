/**
 * Which cursor method carries a type: the one place where type, flexible and nullable meet.
 *
 * Both codecs (compile.ts and interpret.ts) take their method names, the smallest sizes and the defaults from here, so they
 * can only differ in how they walk a declaration.
 */
import { type FieldData, type Fields, type ScalarKind, type TypeData } from './schema.js';
import { ZERO_UUID, existsAt, nullableAt, taggedAt } from './schema.js';

/** A {@link Reader} method that takes no argument and returns a value. */
export type ReadMethod =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'long'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'nullableString'
  | 'compactString'
  | 'compactNullableString'
  | 'bytes'
  | 'nullableBytes'
  | 'compactBytes'
  | 'compactNullableBytes';

/** A {@link Writer} method that takes one value. */
export type WriteMethod = ReadMethod | 'records' | 'compactRecords';

/** A {@link Reader} method that reads the count of an array. */
export type CountMethod = 'arrayCount' | 'nullableCount' | 'compactCount' | 'compactNullableCount';

const TEXT: Record<'string' | 'bytes', readonly [ReadMethod, ReadMethod, ReadMethod, ReadMethod]> = {
  string: ['string', 'nullableString', 'compactString', 'compactNullableString'],
  bytes: ['bytes', 'nullableBytes', 'compactBytes', 'compactNullableBytes'],
};

/** The reader's method for a scalar. */
export function readMethod(kind: ScalarKind, flexible: boolean, nullable: boolean): ReadMethod {
  if (kind === 'records') return readMethod('bytes', flexible, nullable);
  if (kind !== 'string' && kind !== 'bytes') return kind;
  return TEXT[kind][(flexible ? 2 : 0) + (nullable ? 1 : 0)] as ReadMethod;
}

/** The writer's method for a scalar. */
export function writeMethod(kind: ScalarKind, flexible: boolean, nullable: boolean): WriteMethod {
  if (kind === 'records') return flexible ? 'compactRecords' : 'records';
  return readMethod(kind, flexible, nullable);
}

/** The reader's method for the count of an array. */
export function countMethod(flexible: boolean, nullable: boolean): CountMethod {
  if (flexible) return nullable ? 'compactNullableCount' : 'compactCount';
  return nullable ? 'nullableCount' : 'arrayCount';
}

/** The method of reader and writer for the presence of a nullable struct; a tagged one differs from one in place. */
export function presenceMethod(data: FieldData, version: number): 'present' | 'taggedPresent' {
  return taggedAt(data, version) ? 'taggedPresent' : 'present';
}

const FIXED_BYTES: Partial<Record<ScalarKind, number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  long: 8,
  float64: 8,
  uuid: 16,
};

/** The fewest bytes a value of this type takes: what an array's count is checked against before anything is allocated. */
export function bytesMin(type: TypeData, version: number, flexible: boolean): number {
  if (type.kind === 'array') return flexible ? 1 : 4;
  if (type.kind === 'struct') {
    let total = flexible ? 1 : 0;
    for (const { data } of inlineFields(type.fields, version, flexible)) {
      const presence = data.type.kind === 'struct' && nullableAt(data, version);
      total += presence ? 1 : bytesMin(data.type, version, flexible);
    }
    return Math.max(1, total);
  }
  if (type.kind === 'string') return flexible ? 1 : 2;
  return FIXED_BYTES[type.kind] ?? (flexible ? 1 : 4);
}

/** A field with its name. */
export interface NamedField {
  readonly name: string;
  readonly data: FieldData;
}

/** The fields that are written in place at this version, in order. */
export function inlineFields(fields: Fields, version: number, flexible: boolean): NamedField[] {
  return Object.entries(fields)
    .map(([name, field]) => ({ name, data: field.data }))
    .filter(({ data }) => existsAt(data, version) && !(taggedAt(data, version) || (data.tag !== null && !flexible)));
}

/** The fields of the tagged section at this version, by ascending tag. */
export function taggedFields(fields: Fields, version: number, flexible: boolean): NamedField[] {
  if (!flexible) return [];
  return Object.entries(fields)
    .map(([name, field]) => ({ name, data: field.data }))
    .filter(({ data }) => existsAt(data, version) && taggedAt(data, version))
    .sort((a, b) => (a.data.tag as number) - (b.data.tag as number));
}

/** The fields that this version cannot carry, in order. */
export function absentFields(fields: Fields, version: number, flexible: boolean): NamedField[] {
  const carried = new Set(
    [...inlineFields(fields, version, flexible), ...taggedFields(fields, version, flexible)].map(({ name }) => name),
  );
  return Object.entries(fields)
    .filter(([name]) => !carried.has(name))
    .map(([name, field]) => ({ name, data: field.data }));
}

/** The empty byte string that stands for "no bytes". */
export const EMPTY_BYTES = Buffer.alloc(0);

function zeroOf(kind: ScalarKind): unknown {
  switch (kind) {
    case 'bool':
      return false;
    case 'int64':
      return 0n;
    case 'string':
      return '';
    case 'uuid':
      return ZERO_UUID;
    case 'bytes':
      return EMPTY_BYTES;
    case 'records':
      return null;
    default:
      return 0;
  }
}

/** The default of a field; arrays and structs are fresh on every call. */
export function defaultOf(data: FieldData): unknown {
  if (data.defaultValue !== undefined) return data.defaultValue;
  const { type } = data;
  if (type.kind === 'array') return [];
  if (type.kind === 'struct') {
    return Object.fromEntries(Object.entries(type.fields).map(([name, field]) => [name, defaultOf(field.data)]));
  }
  return zeroOf(type.kind);
}

/** True when a value is the field's default, or was left out. */
export function isDefault(data: FieldData, value: unknown): boolean {
  if (value === undefined) return true;
  if (data.defaultValue !== undefined) return value === data.defaultValue;
  const { type } = data;
  if (value === null) return type.kind === 'records';
  if (type.kind === 'array') return (value as readonly unknown[]).length === 0;
  if (type.kind === 'bytes') return (value as Buffer).length === 0;
  if (type.kind === 'struct') {
    const parts = value as Readonly<Record<string, unknown>>;
    return Object.entries(type.fields).every(([name, field]) => isDefault(field.data, parts[name]));
  }
  return value === zeroOf(type.kind);
}
