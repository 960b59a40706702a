/**
 * Codecs as straight-line code: a declaration and a version become two JavaScript functions.
 *
 * The generated source has no loops but those over arrays, no look-ups, and one object literal for each struct, so that a
 * decoded message has the same hidden class at every version. It ends with a source URL, so profiles and stack traces
 * name it (`kafka/ProduceRequest.v9.decode.js`).
 */
import { type Run, inRuns, readShort, readStatements, runBytes, runKindOf, writeStatements } from './compile-runs.js';
import { beyondSafe, misfit } from './integers.js';
import { type Codec, lacking, unexpectedNull } from './interpret.js';
import { type FieldData, type Fields, type Message, type TypeData, flexibleAt, nullableAt } from './schema.js';
import {
  EMPTY_BYTES,
  type NamedField,
  absentFields,
  bytesMin,
  countMethod,
  defaultOf,
  inlineFields,
  presenceMethod,
  readMethod,
  taggedFields,
  writeMethod,
} from './wire-types.js';
import { Writer } from './writer.js';

/** What the generated code may call. */
interface Support {
  readonly EMPTY_BYTES: Buffer;
  readonly Writer: typeof Writer;
  readonly beyondSafe: typeof beyondSafe;
  readonly misfit: typeof misfit;
  readonly readShort: typeof readShort;
  readonly lacking: (name: string) => Error;
  readonly unexpectedNull: (name: string) => Error;
}

class Source {
  readonly lines: string[] = [];
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
}

/** An expression that is true when `value` is the field's default or was left out; the rules are those of `isDefault`. */
function defaultTest(data: FieldData, value: string): string {
  const { type, defaultValue } = data;
  const absent = `${value} === undefined`;
  if (defaultValue !== undefined) return `(${absent} || ${value} === ${literal(defaultValue)})`;
  if (type.kind === 'array' || type.kind === 'bytes') {
    return `(${absent} || (${value} !== null && ${value}.length === 0))`;
  }
  if (type.kind === 'struct') {
    const parts = Object.entries(type.fields).map(([name, field]) => defaultTest(field.data, `${value}.${name}`));
    return `(${absent} || (${[`${value} !== null`, ...parts].join(' && ')}))`;
  }
  return `(${absent} || ${value} === ${literal(defaultOf(data))})`;
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

/** Compiles the encoder of a message at a version. Raises EvalError where code generation is forbidden. */
export function compileEncode(message: Message, version: number): Codec['encode'] {
  return build(message, version, 'encode');
}

/** Compiles the decoder of a message at a version. Raises EvalError where code generation is forbidden. */
export function compileDecode(message: Message, version: number): Codec['decode'] {
  return build(message, version, 'decode');
}

type Generated = (first: unknown, second?: unknown) => unknown;

function build(message: Message, version: number, direction: 'encode' | 'decode'): Generated {
  const source = new Source(version, flexibleAt(message, version));
  if (direction === 'encode') writeStruct(source, message.fields, 'w', 'value');
  else {
    source.line('const b = r.buffer;');
    source.line(`return ${readStruct(source, message.fields)};`);
  }
  const support: Support = {
    EMPTY_BYTES,
    Writer,
    beyondSafe,
    misfit,
    readShort,
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
    source.line(`if (!${defaultTest(data, `${value}.${name}`)}) throw support.lacking('${name}');`);
  }
  for (const group of inRuns(inlineFields(fields, version, flexible))) {
    if (group.run === null)
      writeField(source, group.field.data, writer, given(source, value, group.field), group.field.name);
    else writeRun(source, group.run, writer, value);
  }
  if (!flexible) return;
  const tagged = taggedFields(fields, version, flexible);
  const flags = tagged.map(({ name, data }) => {
    const flag = source.name();
    source.line(`const ${flag} = ${defaultTest(data, `${value}.${name}`)} ? 0 : 1;`);
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

/** Emits a local with the value of a field, or its default where it was left out. */
function given(source: Source, value: string, { name, data }: NamedField): string {
  const local = source.name();
  source.line(`let ${local} = ${value}.${name};`);
  source.line(`if (${local} === undefined) ${local} = ${literal(defaultOf(data))};`);
  return local;
}

/** Emits the writes of fields of fixed size that follow each other. */
function writeRun(source: Source, run: Run, writer: string, value: string): void {
  const base = source.name();
  const buffer = source.name();
  source.line(`const ${base} = ${writer}.reserve(${run.bytes});`);
  source.line(`const ${buffer} = ${writer}.buffer;`);
  for (const { name, data, kind, offset } of run.fields) {
    const local = given(source, value, { name, data });
    source.line(`if (${local} === null) throw support.unexpectedNull('${name}');`);
    for (const line of writeStatements(kind, local, buffer, base, offset)) source.line(line);
  }
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
  const kind = runKindOf(element);
  if (kind !== null) {
    const base = source.name();
    const buffer = source.name();
    const local = source.name();
    source.line(`if (${count} > 0) {`);
    source.line(`let ${base} = ${writer}.reserve(${count} * ${runBytes(kind)});`);
    source.line(`const ${buffer} = ${writer}.buffer;`);
    source.line(`for (let ${index} = 0; ${index} < ${count}; ${index}++, ${base} += ${runBytes(kind)}) {`);
    source.line(`const ${local} = ${array}[${index}];`);
    for (const line of writeStatements(kind, local, buffer, base, 0)) source.line(line);
    source.line('}');
  } else {
    source.line(`for (let ${index} = 0; ${index} < ${count}; ${index}++) {`);
    if (element.kind === 'struct') {
      const local = source.name();
      source.line(`const ${local} = ${array}[${index}];`);
      writeStruct(source, element.fields, writer, local);
    } else if (element.kind !== 'array') {
      source.line(`${writer}.${writeMethod(element.kind, source.flexible, false)}(${array}[${index}]);`);
    }
  }
  source.line('}');
}

/** Emits the reads of a struct and returns the expression of its value. */
function readStruct(source: Source, fields: Fields): string {
  const { version, flexible } = source;
  const values = new Map<string, string>();
  for (const group of inRuns(inlineFields(fields, version, flexible))) {
    if (group.run === null) values.set(group.field.name, readField(source, group.field.data));
    else readRun(source, group.run, values);
  }
  if (flexible) readTagged(source, fields, values);
  const parts = Object.entries(fields).map(
    ([name, field]) => `${name}: ${values.get(name) ?? literal(defaultOf(field.data))}`,
  );
  return `{ ${parts.join(', ')} }`;
}

/** Emits the reads of fields of fixed size that follow each other. */
function readRun(source: Source, run: Run, values: Map<string, string>): void {
  const base = source.name();
  const kinds = run.fields.map(({ kind }) => kind);
  source.line(`const ${base} = r.position;`);
  source.line(`if (r.end - ${base} < ${run.bytes}) support.readShort(r, ${JSON.stringify(kinds)});`);
  source.line(`r.position = ${base} + ${run.bytes};`);
  for (const { name, kind, offset } of run.fields) {
    const local = source.name();
    for (const line of readStatements(kind, local, base, offset)) source.line(line);
    values.set(name, local);
  }
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
    readElements(source, type.element, local, count);
  } else {
    source.line(`const ${local} = r.${readMethod(type.kind, source.flexible, nullable)}();`);
  }
  return local;
}

function readElements(source: Source, element: TypeData, array: string, count: string): void {
  const index = source.name();
  const kind = runKindOf(element);
  if (kind !== null) {
    // The count was checked against the bytes that are left, and each element takes exactly as many as was assumed there.
    const base = source.name();
    const value = source.name();
    source.line(`for (let ${index} = 0, ${base} = r.position; ${index} < ${count}; ${index}++) {`);
    for (const line of readStatements(kind, value, base, 0)) source.line(line);
    source.line(`${array}.push(${value});`);
    source.line(`r.position = ${base} += ${runBytes(kind)};`);
  } else {
    source.line(`for (let ${index} = 0; ${index} < ${count}; ${index}++) {`);
    if (element.kind === 'struct') source.line(`${array}.push(${readStruct(source, element.fields)});`);
    else if (element.kind === 'array') throw new Error('arrays of arrays do not exist in this protocol');
    else source.line(`${array}.push(r.${readMethod(element.kind, source.flexible, false)}());`);
  }
  source.line('}');
}
