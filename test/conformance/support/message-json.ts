/**
 * Messages as JSON in the form of Kafka's own JsonConverter classes: bytes in base64, everything else as one expects.
 *
 * Guarantees that an int64 keeps all its digits and a float is never written like an integer.
 */
import { type Fields, type Message, type TypeData, flexibleAt } from '../../../libs/protocol/src/schema.js';
import { type Struct, carries } from './random-message.js';

/** The message as JSON with the fields of one version, or with all when `version` is null. */
export function toJson(message: Message, version: number | null, value: Struct): string {
  const flexible = version !== null && flexibleAt(message, version);
  const struct = (fields: Fields, parts: Struct): string => {
    const present = Object.entries(fields).filter(
      ([, { data }]) => version === null || carries(data, version, flexible),
    );
    return `{${present.map(([name, { data }]) => `"${name}":${part(data.type, parts[name])}`).join(',')}}`;
  };
  const part = (type: TypeData, given: unknown): string => {
    if (given === null) return 'null';
    if (type.kind === 'struct') return struct(type.fields, given as Struct);
    if (type.kind === 'array')
      return `[${(given as unknown[]).map((element) => part(type.element, element)).join(',')}]`;
    if (type.kind === 'float64') return floatText(given as number);
    if (Buffer.isBuffer(given)) return JSON.stringify(given.toString('base64'));
    return typeof given === 'bigint' ? String(given) : JSON.stringify(given);
  };
  return struct(message.fields, value);
}

function floatText(value: number): string {
  if (value === Infinity) return '1e999';
  return Number.isInteger(value) ? value.toExponential() : String(value);
}

/** Reads what {@link toJson} wrote with all fields. */
export function fromJson(message: Message, text: string): Struct {
  const struct = (fields: Fields, parts: Struct): Struct =>
    Object.fromEntries(Object.entries(fields).map(([name, { data }]) => [name, part(data.type, parts[name])]));
  const part = (type: TypeData, given: unknown): unknown => {
    if (given === null) return null;
    if (type.kind === 'struct') return struct(type.fields, given as Struct);
    if (type.kind === 'array') return (given as unknown[]).map((element) => part(type.element, element));
    if (type.kind === 'bytes' || type.kind === 'records') return Buffer.from(given as string, 'base64');
    return type.kind === 'int64' ? BigInt(given as number) : given;
  };
  return struct(message.fields, JSON.parse(text) as Struct);
}
