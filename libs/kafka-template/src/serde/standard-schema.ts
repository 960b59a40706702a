/**
 * Standard Schema (standardschema.dev, version 1): the interface that zod, valibot, arktype and others share, as far as it is
 * needed here. Types, and the serde that validates by it in both directions.
 */
import type { DriverRecord, RecordHeader } from '../drivers/driver.js';
import { SerializationError } from '../errors.js';
import type { DecodeTarget, Serde } from './serde.js';

/** A schema of any library that implements the standard. */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What the standard prescribes. */
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a validation says. */
export type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  /** What is wrong. */
  readonly message: string;
  /** Where, from the outside in. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema accepts: the type of values to send. */
export type SchemaInput<S extends StandardSchema> = NonNullable<S['~standard']['types']>['input'];

/** What a schema makes of it: the type of values received. */
export type SchemaOutput<S extends StandardSchema> = NonNullable<S['~standard']['types']>['output'];

/** So many issues are told; the rest is counted. */
const TOLD_ISSUES_MAX = 5;

/**
 * Validates what another serde writes and reads. A value to send has to be valid and is sent as it was given; a received
 * one is what the schema makes of it. Null, a tombstone, is not validated. Whoever asks for bytes gets them unread.
 */
export class SchemaSerde implements Serde {
  readonly #schema: StandardSchema;
  readonly #inner: Serde;

  constructor(schema: StandardSchema, inner: Serde) {
    this.#schema = schema;
    this.#inner = inner;
  }

  serialize(data: unknown, topic: string, headers?: readonly RecordHeader[]): Buffer | string | null {
    if (data !== null) validated(this.#schema, data);
    return this.#inner.serialize(data, topic, headers);
  }

  deserialize(bytes: Buffer, target: DecodeTarget, topic: string, record?: Pick<DriverRecord, 'headers'>): unknown {
    if (target === 'bytes') return bytes;
    return validated(this.#schema, this.#inner.deserialize(bytes, 'auto', topic, record));
  }
}

/** What the schema makes of a value. Throws SerializationError with the issues. */
function validated(schema: StandardSchema, data: unknown): unknown {
  const result = schema['~standard'].validate(data);
  if (result instanceof Promise) {
    result.catch(() => undefined);
    throw new SerializationError(
      'its schema validates asynchronously, and serializers cannot wait: use a pipe for that',
    );
  }
  if (result.issues === undefined) return result.value;
  const told = result.issues.slice(0, TOLD_ISSUES_MAX).map(describeIssue);
  const others = result.issues.length - told.length;
  throw new SerializationError(
    `it is not what its schema says: ${told.join('; ')}${others > 0 ? `; ${others} more` : ''}`,
  );
}

function describeIssue({ message, path }: SchemaIssue): string {
  const place = (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return place === '' ? message : `${place}: ${message}`;
}
