/**
 * The pair of serdes in force for a template or a listener, and the two places where they meet a record.
 *
 * Guarantees that a failure to read names topic, partition and offset and carries the bytes, whatever the serde threw.
 */
import { DeserializationError, messageOf } from '../errors.js';
import { type DriverRecord, recordName } from '../drivers/driver.js';
import { type DecodeTarget, type Serde, type SerdeName, serdeOf } from './serde.js';

/** How keys and values are written and read: a name (`auto`, `json`, `string`, `bytes`) or a `Serde`. Default `auto`. */
export interface SerializerOptions {
  /** For keys. Default `auto`. */
  key?: SerdeName | Serde;
  /** For values. Default `auto`. */
  value?: SerdeName | Serde;
}

/** One serde for keys and one for values. */
export interface RecordSerdes {
  /** For keys. */
  readonly key: Serde;
  /** For values. */
  readonly value: Serde;
}

/** The serdes that options stand for; the first options that name one win. */
export function recordSerdes(...options: (SerializerOptions | undefined)[]): RecordSerdes {
  const key = options.find((option) => option?.key !== undefined)?.key;
  const value = options.find((option) => option?.value !== undefined)?.value;
  return { key: serdeOf(key, 'key'), value: serdeOf(value, 'value') };
}

/** Key or value of a record as a listener wants it. Throws DeserializationError. */
export function decodePart(
  record: DriverRecord,
  part: 'key' | 'value',
  serdes: RecordSerdes,
  target: DecodeTarget,
): unknown {
  const bytes = part === 'key' ? record.key : record.value;
  if (bytes === null) return null;
  try {
    return (part === 'key' ? serdes.key : serdes.value).deserialize(bytes, target, record.topic, record);
  } catch (error) {
    const { topic, partition, offset } = record;
    const format = error instanceof SyntaxError ? 'is not valid JSON' : 'cannot be read';
    throw new DeserializationError(
      `The ${part} of ${recordName(record)} (topic ${topic}, partition ${partition}, offset ${offset}) ${format}: ` +
        `${messageOf(error)}. To receive it as it is, declare the parameter as string or Buffer, ` +
        `or use record.${part === 'key' ? 'rawKey' : 'rawValue'}`,
      { topic, partition, offset, part, bytes },
      error,
    );
  }
}
