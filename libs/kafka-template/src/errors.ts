/**
 * Every error this library raises itself, each with a stable `code`.
 *
 * Errors of the broker and of the client keep their own codes (Kafka's names) and arrive as `cause`.
 * Messages say what failed, why, and what to do next; they name records as topic-partition@offset, never by value.
 */

/** Codes of the errors raised by this library. Errors with another code come from the driver or the broker. */
export const KafkaTemplateErrorCode = {
  /** The options of the module or of a listener are wrong; the message lists every problem. */
  OPTIONS: 'OPTIONS',
  /** A method was called in a state in which it makes no sense. */
  ILLEGAL_STATE: 'ILLEGAL_STATE',
  /** A key or value could not be turned into bytes. */
  SERIALIZATION: 'SERIALIZATION',
  /** Bytes of a record could not be turned into a key or value. Never retried by default. */
  DESERIALIZATION: 'DESERIALIZATION',
  /** `SendFuture.get(timeoutMs)` ran out of time; the record may still arrive. */
  SEND_TIMEOUT: 'SEND_TIMEOUT',
  /** A send failed and the driver gave no code. */
  SEND_FAILED: 'SEND_FAILED',
  /** The signal of a send was aborted. With a driver that cannot take records back (kafkajs), the record may still arrive. */
  ABORTED: 'ABORTED',
  /** No reply to a request came in time. */
  REPLY_TIMEOUT: 'REPLY_TIMEOUT',
  /** So many requests wait for their replies that no other is sent. */
  TOO_MANY_REQUESTS: 'TOO_MANY_REQUESTS',
  /** A batch listener says which record of its batch failed. */
  BATCH_LISTENER_FAILED: 'BATCH_LISTENER_FAILED',
  /** A topic does not exist and `missingTopicsFatal` is true. */
  MISSING_TOPICS: 'MISSING_TOPICS',
  /** The driver in use cannot do what an option asks for. */
  UNSUPPORTED_BY_DRIVER: 'UNSUPPORTED_BY_DRIVER',
} as const;

/** Base class: everything this library throws or rejects with. */
export class KafkaTemplateError extends Error {
  override name = 'KafkaTemplateError';
  /** Stable: one of {@link KafkaTemplateErrorCode}, or the code of the driver's error that caused this one. */
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Wrong options. `problems` holds each of them; the message is all of them together. */
export class KafkaOptionsError extends KafkaTemplateError {
  override name = 'KafkaOptionsError';

  constructor(
    /** Whose options: `KafkaModule` or `OrderListener#onOrder`. */
    readonly subject: string,
    /** One sentence per problem. */
    readonly problems: readonly string[],
  ) {
    super(
      KafkaTemplateErrorCode.OPTIONS,
      `The options of ${subject} have ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:` +
        problems.map((problem) => `\n  - ${problem}`).join(''),
    );
  }
}

/** Several wrong options as one error, so that all of them can be mended before the next start; one stays as it is. */
export function combinedOptionsError(errors: readonly [KafkaOptionsError, ...KafkaOptionsError[]]): KafkaOptionsError {
  if (errors.length === 1) return errors[0];
  const problems = errors.flatMap(({ subject, problems }) => problems.map((problem) => `${subject}: ${problem}`));
  return new KafkaOptionsError('the application', problems);
}

/** A key or value cannot be sent. Nothing was handed to the driver. */
export class SerializationError extends KafkaTemplateError {
  override name = 'SerializationError';

  constructor(message: string, cause?: unknown) {
    super(KafkaTemplateErrorCode.SERIALIZATION, message, cause);
  }
}

/** Which bytes could not be understood, and where they lie. */
export interface DeserializationErrorDetails {
  /** Of the record. */
  readonly topic: string;
  /** Of the record. */
  readonly partition: number;
  /** Of the record. */
  readonly offset: number;
  /** Key or value. */
  readonly part: 'key' | 'value';
  /** The bytes as they came from the broker. */
  readonly bytes: Buffer | null;
}

/** The bytes of a record are not what the listener asked for. Retrying cannot help, so it is not retried by default. */
export class DeserializationError extends KafkaTemplateError {
  override name = 'DeserializationError';

  constructor(
    message: string,
    readonly details: DeserializationErrorDetails,
    cause?: unknown,
  ) {
    super(KafkaTemplateErrorCode.DESERIALIZATION, message, cause);
  }
}

/** A batch listener failed at one record: what comes before it is committed, it and the rest are delivered again. */
export class BatchListenerFailedError extends KafkaTemplateError {
  override name = 'BatchListenerFailedError';

  constructor(
    message: string,
    /** Position of the failed record in the array the listener was given, from 0. */
    readonly index: number,
    cause?: unknown,
  ) {
    super(KafkaTemplateErrorCode.BATCH_LISTENER_FAILED, message, cause);
  }
}

/**
 * A record of a batch cannot be read, so that the listener was not called at all: unlike after its own failure, nothing
 * before `index` is done yet.
 */
export class UnreadableRecordError extends BatchListenerFailedError {
  override name = 'UnreadableRecordError';
}

/** The `code` of any error that carries one as text, else undefined. */
export function errorCodeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return asError(error).message;
}

/** Whatever was thrown, as an Error. */
export function asError(error: unknown): Error {
  if (error instanceof Error) return error;
  try {
    return new Error(String(error));
  } catch {
    // An object without a prototype, or one that refuses to be text.
    return new Error(Object.prototype.toString.call(error));
  }
}
