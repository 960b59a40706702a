/**
 * Codecs as straight-line code: a declaration and a version become two JavaScript functions.
 *
 * The generated source has no loops but those over arrays, no look-ups, and one object literal for each struct, so that a
 * decoded message has the same hidden class at every version. It ends with a source URL, so profiles and stack traces
 * name it (`kafka/ProduceRequest.v9.decode.js`).
 */
import { type Codec, lacking, unexpectedNull } from './interpret.js';
import { type FieldData, type Fields, type Message, type TypeData, flexibleAt, nullableAt } from './schema.js';
import {
  EMPTY_BYTES,
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

/** What the generated code may call. `fields` are the declarations it names by index. */
interface Support {
  readonly EMPTY_BYTES: Buffer;
  readonly Writer: typeof Writer;
  readonly fields: readonly FieldData[];
  readonly isDefault: typeof isDefault;
  readonly lacking: (name: string) => Error;
  readonly unexpectedNull: (name: string) => Error;
}

class Source {
  readonly lines: string[] = [];
  readonly fields: FieldData[] = [];
  private names = 0;

  constructor(
    readonly version: number,
    readonly flexible: boolean,
  ) {}

  line(text: string): void {
    this.lines.push(text);
  }

  name(): string {
    return `x${this.names++}`;
  }

  /** How the generated code refers to a field's declaration. */
  reference(data: FieldData): string {
    this.fields.push(data);
    return `support.fields[${this.fields.length - 1}]`;
  }

  /** True when a value named `value` is the field's default. */
  isDefault(data: FieldData, value: string): string {
    const { type, defaultValue } = data;
    if (defaultValue !== undefined) return `(${value} === undefined || ${value} === ${literal(defaultValue)})`;
    if (type.kind === 'array' || type.kind === 'struct' || type.kind === 'bytes' || type.kind === 'records') {
      return `support.isDefault(${this.reference(data)}, ${value})`;
    }
    return `(${value} === undefined || ${value} === ${literal(defaultOf(data))})`;
  }
}

function literal(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (Buffer.isBuffer(value)) return 'support.EMPTY_BYTES';
  if (Array.isArray(value)) return '[]';
  if (typeof value === 'object' && value !== null) {
    const parts = Object.entries(value).map(([name, part]) => `${name}: ${literal(part)}`);
    return `{ ${parts.join(', ')} }`;
  }
  return JSON.stringify(value);
}

/** Compiles both directions of a message at a version. Raises EvalError where code generation is forbidden. */
export function compileCodec(message: Message, version: number): Codec {
  return {
    encode: build(message, version, 'encode'),
    decode: build(message, version, 'decode'),
  };
}

type Generated = (first: unknown, second?: unknown) => unknown;

function build(message: Message, version: number, direction: 'encode' | 'decode'): Generated {
  const source = new Source(version, flexibleAt(message, version));
  if (direction === 'encode') writeStruct(source, message.fields, 'w', 'value');
  else source.line(`return ${readStruct(source, message.fields)};`);
  const support: Support = {
    EMPTY_BYTES,
    Writer,
    fields: source.fields,
    isDefault,
    lacking: (name) => lacking(message, version, name),
    unexpectedNull: (name) => unexpectedNull(message, version, name),
  };
  const parameters = direction === 'encode' ? 'w, value' : 'r';
  const text = [
    `'use strict';`,
    `return function ${direction}${message.name}V${version}(${parameters}) {`,
    ...source.lines,
    `};`,
    `//# sourceURL=kafka/${message.name}.v${version}.${direction}.js`,
  ].join('\n');
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text comes from our own declarations alone
  const factory = new Function('support', text) as (support: Support) => Generated;
  return factory(support);
}

function writeStruct(source: Source, fields: Fields, writer: string, value: string): void {
  const { version, flexible } = source;
  for (const { name, data } of absentFields(fields, version, flexible)) {
    if (data.ignorable) continue;
    source.line(`if (!${source.isDefault(data, `${value}.${name}`)}) throw support.lacking('${name}');`);
  }
  for (const { name, data } of inlineFields(fields, version, flexible)) {
    const local = source.name();
    source.line(`let ${local} = ${value}.${name};`);
    source.line(`if (${local} === undefined) ${local} = ${literal(defaultOf(data))};`);
    writeField(source, data, writer, local, name);
  }
  if (!flexible) return;
  const tagged = taggedFields(fields, version, flexible);
  const flags = tagged.map(({ name, data }) => {
    const flag = source.name();
    source.line(`const ${flag} = ${source.isDefault(data, `${value}.${name}`)} ? 0 : 1;`);
    return flag;
  });
  source.line(`${writer}.uvarint(${flags.length === 0 ? '0' : flags.join(' + ')});`);
  tagged.forEach(({ name, data }, index) => {
    const content = source.name();
    const local = source.name();
    source.line(`if (${flags[index]} === 1) {`);
    source.line(`const ${content} = new support.Writer();`);
    source.line(`const ${local} = ${value}.${name};`);
    writeField(source, data, content, local, name);
    source.line(`${writer}.tagged(${data.tag}, ${content});`);
    source.line('}');
  });
}

function writeField(source: Source, data: FieldData, writer: string, local: string, name: string): void {
  const nullable = nullableAt(data, source.version);
  const { type } = data;
  if (!nullable) source.line(`if (${local} === null) throw support.unexpectedNull('${name}');`);
  if (type.kind === 'struct') {
    if (nullable) {
      source.line(`${writer}.${presenceMethod(data, source.version)}(${local} !== null);`);
      source.line(`if (${local} !== null) {`);
    }
    writeStruct(source, type.fields, writer, local);
    if (nullable) source.line('}');
  } else if (type.kind === 'array') {
    const count = source.name();
    source.line(`const ${count} = ${nullable ? `${local} === null ? -1 : ` : ''}${local}.length;`);
    source.line(`${writer}.${source.flexible ? 'compactCount' : 'arrayCount'}(${count});`);
    writeElements(source, type.element, writer, local, count);
  } else {
    source.line(`${writer}.${writeMethod(type.kind, source.flexible, nullable)}(${local});`);
  }
}

function writeElements(source: Source, element: TypeData, writer: string, array: string, count: string): void {
  const index = source.name();
  source.line(`for (let ${index} = 0; ${index} < ${count}; ${index}++) {`);
  if (element.kind === 'struct') {
    const local = source.name();
    source.line(`const ${local} = ${array}[${index}];`);
    writeStruct(source, element.fields, writer, local);
  } else if (element.kind !== 'array') {
    source.line(`${writer}.${writeMethod(element.kind, source.flexible, false)}(${array}[${index}]);`);
  }
  source.line('}');
}

/** Emits the reads of a struct and returns the expression of its value. */
function readStruct(source: Source, fields: Fields): string {
  const { version, flexible } = source;
  const values = new Map<string, string>();
  for (const { name, data } of inlineFields(fields, version, flexible)) values.set(name, readField(source, data));
  if (flexible) readTagged(source, fields, values);
  const parts = Object.entries(fields).map(
    ([name, field]) => `${name}: ${values.get(name) ?? literal(defaultOf(field.data))}`,
  );
  return `{ ${parts.join(', ')} }`;
}

function readTagged(source: Source, fields: Fields, values: Map<string, string>): void {
  const tagged = taggedFields(fields, source.version, source.flexible);
  if (tagged.length === 0) {
    source.line('r.skipTagged();');
    return;
  }
  for (const { name, data } of tagged) {
    const local = source.name();
    source.line(`let ${local} = ${literal(defaultOf(data))};`);
    values.set(name, local);
  }
  const count = source.name();
  const end = source.name();
  source.line(`for (let ${count} = r.uvarint(); ${count} > 0; ${count}--) {`);
  const tag = source.name();
  source.line(`const ${tag} = r.uvarint();`);
  source.line(`const ${end} = r.taggedEnd();`);
  source.line(`switch (${tag}) {`);
  for (const { name, data } of tagged) {
    source.line(`case ${data.tag}: {`);
    source.line(`${values.get(name)} = ${readField(source, data)};`);
    source.line('break; }');
  }
  source.line(`default: r.position = ${end};`);
  source.line('}');
  source.line(`r.finishTagged(${end});`);
  source.line('}');
}

/** Emits the read of a field into a local and returns the local's name. */
function readField(source: Source, data: FieldData): string {
  const nullable = nullableAt(data, source.version);
  const { type } = data;
  const local = source.name();
  if (type.kind === 'struct') {
    source.line(`let ${local} = null;`);
    source.line(nullable ? `if (r.${presenceMethod(data, source.version)}()) {` : '{');
    source.line(`${local} = ${readStruct(source, type.fields)};`);
    source.line('}');
  } else if (type.kind === 'array') {
    const count = source.name();
    const min = bytesMin(type.element, source.version, source.flexible);
    source.line(`const ${count} = r.${countMethod(source.flexible, nullable)}(${min});`);
    source.line(`const ${local} = ${nullable ? `${count} < 0 ? null : ` : ''}[];`);
    const index = source.name();
    source.line(`for (let ${index} = 0; ${index} < ${count}; ${index}++) {`);
    source.line(`${local}.push(${readElement(source, type.element)});`);
    source.line('}');
  } else {
    source.line(`const ${local} = r.${readMethod(type.kind, source.flexible, nullable)}();`);
  }
  return local;
}

function readElement(source: Source, element: TypeData): string {
  if (element.kind === 'struct') return readStruct(source, element.fields);
  if (element.kind === 'array') throw new Error('arrays of arrays do not exist in this protocol');
  return `r.${readMethod(element.kind, source.flexible, false)}()`;
}
