/**
 * A pattern handler failed with something that is no Error: what Nest's filter made of it.
 */
import { KafkaTemplateError } from '../errors.js';

/** Carries what arrived; `OriginalErrorFilter` keeps the original instead. */
export class PatternHandlerError extends KafkaTemplateError {
  override name = 'PatternHandlerError';

  constructor(
    topic: string,
    /** The string or object given to RpcException, or `{ status: 'error', message: 'Internal server error' }`. */
    readonly reason: unknown,
  ) {
    super('PATTERN_HANDLER_FAILED', `The handler of topic ${topic} failed: ${textOf(reason)}`);
  }
}

function textOf(reason: unknown): string {
  if (typeof reason === 'string') return reason;
  const message = (reason as { message?: unknown } | null)?.message;
  return typeof message === 'string' ? message : (JSON.stringify(reason) ?? 'undefined');
}

/** What a handler failed with, as an Error. */
export function handlerErrorOf(topic: string, reason: unknown): Error {
  return reason instanceof Error ? reason : new PatternHandlerError(topic, reason);
}
