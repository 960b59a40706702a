/**
 * Codecs that walk a declaration at run time.
 *
 * Slow and plain on purpose: this is the oracle against which the compiled codecs are tested, and what runs where code
 * generation is forbidden.
 */
import { ProtocolError } from './protocol-error.js';
import { type Reader } from './reader.js';
import { type FieldData, type Fields, type Message, type TypeData, flexibleAt, nullableAt } from './schema.js';
import {
  absentFields,
  bytesMin,
  countMethod,
  defaultOf,
  inlineFields,
  isDefault,
  presenceMethod,
  readMethod,
  taggedFields,
  writeMethod,
} from './wire-types.js';
import { Writer } from './writer.js';

/** Writes and reads one message at one version. Both raise {@link ProtocolError} for what does not fit. */
export interface Codec<Decoded = unknown, Input = unknown> {
  encode(writer: Writer, value: Input): void;
  decode(reader: Reader): Decoded;
}

type Struct = Record<string, unknown>;

interface Context {
  readonly message: Message;
  readonly version: number;
  readonly flexible: boolean;
}

/** A codec that interprets the declaration of a message at a version. */
export function interpretCodec(message: Message, version: number): Codec {
  const context: Context = { message, version, flexible: flexibleAt(message, version) };
  return {
    encode: (writer, value) => encodeStruct(context, message.fields, writer, value as Struct),
    decode: (reader) => decodeStruct(context, message.fields, reader),
  };
}

function encodeStruct(context: Context, fields: Fields, writer: Writer, value: Struct): void {
  const { version, flexible } = context;
  for (const { name, data } of absentFields(fields, version, flexible)) {
    if (!data.ignorable && !isDefault(data, value[name])) throw lacking(context.message, version, name);
  }
  for (const { name, data } of inlineFields(fields, version, flexible)) {
    const given = value[name];
    encodeField(context, data, writer, given === undefined ? defaultOf(data) : given, name);
  }
  if (!flexible) return;
  const present = taggedFields(fields, version, flexible).filter(({ name, data }) => !isDefault(data, value[name]));
  writer.uvarint(present.length);
  for (const { name, data } of present) {
    const content = new Writer();
    encodeField(context, data, content, value[name], name);
    writer.tagged(data.tag as number, content);
  }
}

/** The error for a value that a version cannot carry. */
export function lacking(message: Message, version: number, name: string): ProtocolError {
  return new ProtocolError(
    'UNSUPPORTED_VERSION',
    `${message.name} version ${version} cannot carry the field '${name}'`,
  );
}

/** The error for a null where the version has none. */
export function unexpectedNull(message: Message, version: number, name: string): ProtocolError {
  return new ProtocolError('INVALID_VALUE', `${message.name} version ${version}: the field '${name}' must not be null`);
}

function encodeField(context: Context, data: FieldData, writer: Writer, value: unknown, name: string): void {
  const { message, version, flexible } = context;
  const nullable = nullableAt(data, version);
  const { type } = data;
  if (value === null && !nullable) throw unexpectedNull(message, version, name);
  if (type.kind === 'struct') {
    if (nullable) writer[presenceMethod(data, version)](value !== null);
    if (value !== null) encodeStruct(context, type.fields, writer, value as Struct);
  } else if (type.kind === 'array') {
    const elements = value as readonly unknown[] | null;
    const count = elements === null ? -1 : elements.length;
    if (flexible) writer.compactCount(count);
    else writer.arrayCount(count);
    for (const element of elements ?? []) encodeElement(context, type.element, writer, element);
  } else {
    const method = writeMethod(type.kind, flexible, nullable);
    (writer[method] as (value: unknown) => void).call(writer, value);
  }
}

function encodeElement(context: Context, type: TypeData, writer: Writer, value: unknown): void {
  if (type.kind === 'struct') encodeStruct(context, type.fields, writer, value as Struct);
  else if (type.kind !== 'array') {
    const method = writeMethod(type.kind, context.flexible, false);
    (writer[method] as (value: unknown) => void).call(writer, value);
  }
}

function decodeStruct(context: Context, fields: Fields, reader: Reader): Struct {
  const { version, flexible } = context;
  const value: Struct = {};
  for (const [name, field] of Object.entries(fields)) value[name] = defaultOf(field.data);
  for (const { name, data } of inlineFields(fields, version, flexible)) {
    value[name] = decodeField(context, data, reader);
  }
  if (!flexible) return value;
  const known = taggedFields(fields, version, flexible);
  for (let count = reader.uvarint(); count > 0; count--) {
    const tag = reader.uvarint();
    const end = reader.taggedEnd();
    const field = known.find(({ data }) => data.tag === tag);
    if (field === undefined) reader.position = end;
    else value[field.name] = decodeField(context, field.data, reader);
    reader.finishTagged(end);
  }
  return value;
}

function decodeField(context: Context, data: FieldData, reader: Reader): unknown {
  const { version, flexible } = context;
  const nullable = nullableAt(data, version);
  const { type } = data;
  if (type.kind === 'struct') {
    return nullable && !reader[presenceMethod(data, version)]() ? null : decodeStruct(context, type.fields, reader);
  }
  if (type.kind !== 'array') return reader[readMethod(type.kind, flexible, nullable)]();
  const count = reader[countMethod(flexible, nullable)](bytesMin(type.element, version, flexible));
  if (count < 0) return null;
  const elements: unknown[] = [];
  for (let index = 0; index < count; index++) elements.push(decodeElement(context, type.element, reader));
  return elements;
}

function decodeElement(context: Context, type: TypeData, reader: Reader): unknown {
  if (type.kind === 'struct') return decodeStruct(context, type.fields, reader);
  if (type.kind === 'array') throw new ProtocolError('INVALID_VALUE', 'arrays of arrays do not exist in this protocol');
  return reader[readMethod(type.kind, context.flexible, false)]();
}
