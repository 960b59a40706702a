/**
 * Which errors are worth another delivery.
 *
 * Not worth it by default is what no repetition can change: bytes that cannot be read, input that validation refused,
 * a caller that a guard refused. Looks at the error and at its causes. Nest's exceptions are known by name, so that this
 * folder need not import Nest and two copies of a package do not confuse it.
 */
import { KafkaTemplateErrorCode, errorCodeOf } from '../errors.js';

/** A class of errors, or the `name` of one. */
export type ErrorKind = string | (abstract new (...parameters: never[]) => Error);

/** Which errors are retried. */
export interface ClassificationOptions {
  /** Not retried, in addition to the defaults. */
  readonly notRetryable?: readonly ErrorKind[];
  /** Retried although the defaults, or `notRetryable`, say otherwise. */
  readonly retryable?: readonly ErrorKind[];
  /** Whether all others are retried. Default true. */
  readonly retryByDefault?: boolean;
}

/** Errors that are not retried unless `retryable` names them. */
export const NOT_RETRYABLE_BY_DEFAULT: readonly string[] = [
  'DeserializationError',
  'BadRequestException',
  'ForbiddenException',
];

/** Causes are followed this far. */
const CAUSE_DEPTH_MAX = 10;

/** Says of an error whether it is worth another delivery. */
export class ErrorClassifier {
  readonly #notRetryable: readonly ErrorKind[];
  readonly #retryable: readonly ErrorKind[];
  readonly #retryByDefault: boolean;

  constructor(options: ClassificationOptions = {}) {
    this.#notRetryable = [...NOT_RETRYABLE_BY_DEFAULT, ...(options.notRetryable ?? [])];
    this.#retryable = options.retryable ?? [];
    this.#retryByDefault = options.retryByDefault ?? true;
  }

  /** The nearest error of the chain of causes that some list knows decides. */
  isRetryable(error: unknown): boolean {
    let current = error;
    for (let depth = 0; depth < CAUSE_DEPTH_MAX && current instanceof Error; depth++) {
      const link = current;
      if (this.#retryable.some((kind) => isKind(link, kind))) return true;
      if (this.#notRetryable.some((kind) => isKind(link, kind))) return false;
      if (errorCodeOf(link) === KafkaTemplateErrorCode.DESERIALIZATION) return false;
      current = link.cause;
    }
    return this.#retryByDefault;
  }
}

function isKind(error: Error, kind: ErrorKind): boolean {
  if (typeof kind !== 'string') return error instanceof kind;
  if (error.name === kind) return true;
  for (let type: unknown = error.constructor; typeof type === 'function'; type = Object.getPrototypeOf(type)) {
    if (type.name === kind) return true;
  }
  return false;
}
