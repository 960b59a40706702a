/**
 * Fields of fixed size in a row, as generated code: one bounds check for all of them, then arithmetic on single bytes.
 *
 * Guarantees the values and the errors of the methods of {@link Reader} and {@link Writer}, which the interpreter calls:
 * where a run does not fit into what is left, the fields are read one by one until one of them raises its error.
 */
import { type Reader } from './reader.js';
import { type FieldData, type TypeData } from './schema.js';
import { type NamedField } from './wire-types.js';

/** The kinds that run together; the other fixed ones (int64, float64, uuid) are rare and stay method calls. */
const RUN_BYTES = { bool: 1, int8: 1, int16: 2, uint16: 2, int32: 4, uint32: 4, long: 8 } as const;

/** A kind of scalar that can stand in a run. */
export type RunKind = keyof typeof RUN_BYTES;

/** The kind of a type that can stand in a run, else null. */
export function runKindOf(type: TypeData): RunKind | null {
  return type.kind in RUN_BYTES ? (type.kind as RunKind) : null;
}

/** Fields that follow each other, each with its place from the start of the run. */
export interface Run {
  readonly fields: readonly {
    readonly name: string;
    readonly data: FieldData;
    readonly kind: RunKind;
    readonly offset: number;
  }[];
  readonly bytes: number;
}

/** The fields in order: those of fixed size gathered in runs, the others one by one. */
export function inRuns(fields: readonly NamedField[]): ({ run: Run } | { run: null; field: NamedField })[] {
  const groups: ({ run: { fields: Run['fields'][number][]; bytes: number } } | { run: null; field: NamedField })[] = [];
  for (const field of fields) {
    const kind = runKindOf(field.data.type);
    const last = groups.at(-1);
    if (kind === null) {
      groups.push({ run: null, field });
      continue;
    }
    let run = last?.run ?? null;
    if (run === null) groups.push({ run: (run = { fields: [], bytes: 0 }) });
    run.fields.push({ ...field, kind, offset: run.bytes });
    run.bytes += RUN_BYTES[kind];
  }
  return groups;
}

/** Bytes of such a kind. */
export function runBytes(kind: RunKind): number {
  return RUN_BYTES[kind];
}

/** Reads kinds one by one: some of them passes the end and raises the error that tells which. */
export function readShort(reader: Reader, kinds: readonly RunKind[]): void {
  for (const kind of kinds) reader[kind]();
}

function int32Text(at: (index: number) => string): string {
  return `(${at(0)} << 24) | (${at(1)} << 16) | (${at(2)} << 8) | ${at(3)}`;
}

/** Statements that read a kind at `base + offset` of the buffer `b` into the constant `local`. */
export function readStatements(kind: RunKind, local: string, base: string, offset: number): string[] {
  const at = (index: number): string => `b[${base} + ${offset + index}]`;
  switch (kind) {
    case 'bool':
      return [`const ${local} = ${at(0)} !== 0;`];
    case 'int8':
      return [`const ${local} = (${at(0)} << 24) >> 24;`];
    case 'int16':
      return [`const ${local} = ((${at(0)} << 24) >> 16) | ${at(1)};`];
    case 'uint16':
      return [`const ${local} = (${at(0)} << 8) | ${at(1)};`];
    case 'int32':
      return [`const ${local} = ${int32Text(at)};`];
    case 'uint32':
      return [`const ${local} = (${int32Text(at)}) >>> 0;`];
    case 'long':
      return [
        `const ${local} = (${int32Text(at)}) * 4294967296 + ((${int32Text((index) => at(index + 4))}) >>> 0);`,
        `if (${local} > 9007199254740991 || ${local} < -9007199254740991) throw support.beyondSafe(${base} + ${offset});`,
      ];
  }
}

/** What a value of a kind must satisfy to be written, and the name of the type in the error; bool takes anything. */
const FITS: Partial<Record<RunKind, readonly [type: string, test: (value: string) => string]>> = {
  int8: ['int8', (value) => `${value} === (${value} << 24) >> 24`],
  int16: ['int16', (value) => `${value} === (${value} << 16) >> 16`],
  uint16: ['uint16', (value) => `${value} === (${value} & 0xffff)`],
  int32: ['int32', (value) => `${value} === (${value} | 0)`],
  uint32: ['uint32', (value) => `${value} === (${value} >>> 0)`],
  long: ['int64', (value) => `Number.isSafeInteger(${value})`],
};

/** Statements that write the value `local` of a kind at `base + offset` of the buffer named `buffer`. */
export function writeStatements(kind: RunKind, local: string, buffer: string, base: string, offset: number): string[] {
  const at = (index: number): string => `${buffer}[${base} + ${offset + index}]`;
  const bytes = (value: string, first: number, count: number): string[] =>
    Array.from({ length: count }, (_, index) => {
      const shift = 8 * (count - 1 - index);
      return `${at(first + index)} = ${shift === 0 ? value : `${value} >>> ${shift}`};`;
    });
  const fits = FITS[kind];
  if (fits === undefined) return [`${at(0)} = ${local} ? 1 : 0;`];
  const [type, test] = fits;
  const check = `if (!(${test(local)})) throw support.misfit('${type}', ${local});`;
  if (kind !== 'long') return [check, ...bytes(local, 0, RUN_BYTES[kind])];
  const high = `${local}h`;
  return [
    check,
    `const ${high} = Math.floor(${local} / 4294967296);`,
    ...bytes(high, 0, 4),
    ...bytes(`(${local} - ${high} * 4294967296)`, 4, 4),
  ];
}
