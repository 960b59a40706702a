/**
 * The notation in which Kafka's messages are declared.
 *
 * A declaration is plain data: the order of the keys is the order on the wire, and each field carries the versions in
 * which it exists. The TypeScript types of a message are inferred from its declaration, so there is one source for both.
 * Nothing here encodes or decodes; see compile.ts (fast) and interpret.ts (the oracle).
 */

/** Kafka's all-zero uuid in its base64url form: "no id". */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

/** Wire types without parts. `long` is an int64 that is a JavaScript number inside (a safe integer), `int64` a bigint. */
export type ScalarKind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'long'
  | 'float64'
  | 'string'
  | 'uuid'
  | 'bytes'
  | 'records';

/** The type half of a field: a scalar, an array of a type, or a struct of fields. */
export type TypeData =
  | { readonly kind: ScalarKind }
  | { readonly kind: 'array'; readonly element: TypeData }
  | { readonly kind: 'struct'; readonly fields: Fields };

/** Everything the codecs need to know about one field. `until` is inclusive; `tag` is null for an ordinary field. */
export interface FieldData {
  readonly type: TypeData;
  readonly since: number;
  readonly until: number;
  readonly nullableSince: number | null;
  readonly tag: number | null;
  readonly tagSince: number;
  readonly ignorable: boolean;
  /** The declared default; undefined means the zero of the type. */
  readonly defaultValue: DefaultValue | undefined;
}

/** What a field may have as a declared default. */
export type DefaultValue = string | number | bigint | boolean | null;

/** A struct: field name to field, in wire order. */
export interface Fields {
  readonly [name: string]: Field<unknown, unknown, boolean>;
}

/**
 * One field of a message. The three type parameters are what decoding gives, what encoding accepts, and whether encoding
 * may leave the field out (then the default is used). The modifiers return a new field; none changes its receiver.
 */
export class Field<Decoded, Input, Optional extends boolean> {
  declare readonly $decoded: Decoded;
  declare readonly $input: Input;
  declare readonly $optional: Optional;

  constructor(readonly data: FieldData) {}

  /** The field exists from this version on. */
  since(version: number): Field<Decoded, Input, true> {
    return new Field({ ...this.data, since: version });
  }

  /** The field exists up to and including this version. */
  until(version: number): Field<Decoded, Input, true> {
    return new Field({ ...this.data, until: version });
  }

  /** The field may be null, from the given version on (default: in all versions in which it exists). */
  orNull(sinceVersion = 0): Field<Decoded | null, Input | null, Optional> {
    return new Field({ ...this.data, nullableSince: sinceVersion });
  }

  /** The field travels in the tagged section under this tag, from the given version on (default: wherever it exists). */
  tagged(tag: number, sinceVersion = 0): Field<Decoded, Input, true> {
    return new Field({ ...this.data, tag, tagSince: sinceVersion });
  }

  /** A value other than the type's zero for the field where the version lacks it or the encoder was not given it. */
  default(value: DefaultValue): Field<Decoded, Input, true> {
    return new Field({ ...this.data, defaultValue: value });
  }

  /** Encoding a value at a version that lacks the field drops it silently instead of raising an error. */
  ignorable(): Field<Decoded, Input, Optional> {
    return new Field({ ...this.data, ignorable: true });
  }
}

/** What decoding gives for a struct: every field, at every version. */
export type DecodedStruct<F extends Fields> = { [K in keyof F]: F[K]['$decoded'] };

type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K]['$optional'] extends true ? K : never }[keyof F];

/** What encoding accepts for a struct: fields bound to versions, tagged or with a default may be left out. */
export type InputStruct<F extends Fields> = {
  readonly [K in Exclude<keyof F, OptionalKeys<F>>]: F[K]['$input'];
} & { readonly [K in OptionalKeys<F>]?: F[K]['$input'] };

function field<Decoded, Input>(type: TypeData): Field<Decoded, Input, false> {
  return new Field({
    type,
    since: 0,
    until: Number.MAX_SAFE_INTEGER,
    nullableSince: null,
    tag: null,
    tagSince: 0,
    ignorable: false,
    defaultValue: undefined,
  });
}

/** One byte, 0 or 1. */
export const bool = field<boolean, boolean>({ kind: 'bool' });
/** Signed 8-bit integer. */
export const int8 = field<number, number>({ kind: 'int8' });
/** Signed 16-bit integer. */
export const int16 = field<number, number>({ kind: 'int16' });
/** Unsigned 16-bit integer. */
export const uint16 = field<number, number>({ kind: 'uint16' });
/** Signed 32-bit integer. */
export const int32 = field<number, number>({ kind: 'int32' });
/** Unsigned 32-bit integer. */
export const uint32 = field<number, number>({ kind: 'uint32' });
/** Signed 64-bit integer as a bigint: for values that really use 64 bits. */
export const int64 = field<bigint, bigint>({ kind: 'int64' });
/** An offset: int64 on the wire, a safe integer inside. Decoding throws beyond 2^53. */
export const offset = field<number, number>({ kind: 'long' });
/** A point in time in milliseconds since the epoch: int64 on the wire, a safe integer inside. */
export const timestamp = field<number, number>({ kind: 'long' });
/** A duration in milliseconds that is an int64 on the wire, a safe integer inside. */
export const duration = field<number, number>({ kind: 'long' });
/** A producer id or another int64 handle: a safe integer inside. */
export const longId = field<number, number>({ kind: 'long' });
/** A size or position in bytes that is an int64 on the wire, a safe integer inside. */
export const byteSize = field<number, number>({ kind: 'long' });
/** IEEE 754 double. */
export const float64 = field<number, number>({ kind: 'float64' });
/** UTF-8 string; int16 length, or compact in flexible versions. */
export const string = field<string, string>({ kind: 'string' });
/** 16 bytes, in Kafka's 22-character base64url form; {@link ZERO_UUID} is "none". */
export const uuid = field<string, string>({ kind: 'uuid' });
/** Byte string; a view into the frame when decoded. */
export const bytes = field<Buffer, Buffer>({ kind: 'bytes' });
/** Record batches, undecoded: a view into the frame when decoded; a buffer or several in a row when encoded. */
export const records = field<Buffer, Buffer | readonly Buffer[]>({ kind: 'records' });

/** A struct in place. */
export function struct<const F extends Fields>(fields: F): Field<DecodedStruct<F>, InputStruct<F>, false> {
  return field({ kind: 'struct', fields });
}

/** An array of a scalar, or of structs when given fields. */
export function array<D, I>(element: Field<D, I, boolean>): Field<D[], readonly I[], false>;
export function array<const F extends Fields>(fields: F): Field<DecodedStruct<F>[], readonly InputStruct<F>[], false>;
export function array(element: Field<unknown, unknown, boolean> | Fields): Field<unknown[], readonly unknown[], false> {
  const type: TypeData = element instanceof Field ? element.data.type : { kind: 'struct', fields: element };
  return field({ kind: 'array', element: type });
}

/** A set of fields with the versions it exists in; `flexible` is the first version with compact types, or null. */
export interface Message<F extends Fields = Fields> {
  readonly name: string;
  readonly versions: readonly [min: number, max: number];
  readonly flexible: number | null;
  readonly fields: F;
}

/** One API: its key, versions, and the two messages. */
export interface Api<Q extends Fields = Fields, R extends Fields = Fields> {
  readonly key: number;
  readonly name: string;
  readonly versions: readonly [min: number, max: number];
  readonly flexible: number | null;
  readonly request: Message<Q>;
  readonly response: Message<R>;
}

/** Declares an API: request and response side by side. */
export function api<const Q extends Fields, const R extends Fields>(declaration: {
  readonly key: number;
  readonly name: string;
  readonly versions: readonly [min: number, max: number];
  readonly flexible: number | null;
  readonly request: Q;
  readonly response: R;
}): Api<Q, R> {
  const { key, name, versions, flexible } = declaration;
  return {
    key,
    name,
    versions,
    flexible,
    request: { name: `${name}Request`, versions, flexible, fields: declaration.request },
    response: { name: `${name}Response`, versions, flexible, fields: declaration.response },
  };
}

/** Declares a message that is not an API: embedded protocols and the records of internal topics. */
export function message<const F extends Fields>(declaration: {
  readonly name: string;
  readonly versions: readonly [min: number, max: number];
  readonly flexible: number | null;
  readonly fields: F;
}): Message<F> {
  return declaration;
}

/** What decoding a message gives. */
export type DecodedOf<M> = M extends Message<infer F> ? DecodedStruct<F> : never;
/** What encoding a message accepts. */
export type InputOf<M> = M extends Message<infer F> ? InputStruct<F> : never;
/** What decoding a request of this API gives. */
export type RequestOf<A> = A extends Api<infer Q, Fields> ? DecodedStruct<Q> : never;
/** What decoding a response of this API gives. */
export type ResponseOf<A> = A extends Api<Fields, infer R> ? DecodedStruct<R> : never;
/** What encoding a request of this API accepts. */
export type RequestInput<A> = A extends Api<infer Q, Fields> ? InputStruct<Q> : never;
/** What encoding a response of this API accepts. */
export type ResponseInput<A> = A extends Api<Fields, infer R> ? InputStruct<R> : never;

/** True when the field is on the wire at this version, tagged or not. */
export function existsAt(data: FieldData, version: number): boolean {
  return version >= data.since && version <= data.until;
}

/** True when the field may be null at this version. */
export function nullableAt(data: FieldData, version: number): boolean {
  return data.nullableSince !== null && version >= data.nullableSince;
}

/** True when the field travels in the tagged section at this version of a message that is flexible there. */
export function taggedAt(data: FieldData, version: number): boolean {
  return data.tag !== null && version >= data.tagSince;
}

/** True when the message has compact types and tagged fields at this version. */
export function flexibleAt(message: { readonly flexible: number | null }, version: number): boolean {
  return message.flexible !== null && version >= message.flexible;
}
