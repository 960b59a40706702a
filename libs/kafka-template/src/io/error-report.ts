/**
 * What the log says of an error: its reason in words, its class, and as much of its stack as helps.
 *
 * Nest's exceptions keep their reasons in a response and have a message that says nothing ('Bad Request Exception'); they are
 * known by their methods, so that no package of Nest has to be there. Reasons are one line and at most
 * {@link REASON_LENGTH_MAX} characters.
 */
import { KafkaTemplateError, asError } from '../errors.js';

/** Longest reason, in characters. */
export const REASON_LENGTH_MAX = 1000;

/** Frames that tell nothing about the application: Nest's way to the method, and Node's own. */
const FOREIGN_FRAME = /[\\/]node_modules[\\/](@nestjs|rxjs)[\\/]|\(?node:internal\//;

/** Why it failed, in one line: for exceptions of Nest the texts of their response. */
export function reasonOf(error: unknown): string {
  const reason = textsOf(responseOf(error)).join('; ') || asError(error).message || classNameOf(asError(error));
  const line = reason.replace(/\s*[\r\n]+\s*/g, ' ');
  return line.length > REASON_LENGTH_MAX ? `${line.slice(0, REASON_LENGTH_MAX)}...` : line;
}

/** The stack without foreign frames; undefined for errors whose reason says everything. */
export function stackOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  if (error instanceof KafkaTemplateError || isDriverError(error) || responseOf(error) !== undefined) return undefined;
  return error.stack
    .split('\n')
    .filter((line) => !FOREIGN_FRAME.test(line))
    .join('\n');
}

/** `name` where it was set, else the name of the class. */
export function classNameOf(error: Error): string {
  if (error.name !== 'Error' && error.name !== '') return error.name;
  const type: unknown = error.constructor;
  return typeof type === 'function' && type.name !== '' ? type.name : 'Error';
}

/** The response of an HttpException or the error of an RpcException; undefined for all others. */
function responseOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return undefined;
  const { getResponse, getError } = error as { getResponse?: unknown; getError?: unknown };
  try {
    if (typeof getResponse === 'function') return getResponse.call(error) as unknown;
    if (typeof getError === 'function') return getError.call(error) as unknown;
  } catch {
    // The message has to do.
  }
  return undefined;
}

function textsOf(response: unknown): string[] {
  if (typeof response === 'string') return [response];
  const message: unknown = (response as { message?: unknown } | null | undefined)?.message;
  const texts: readonly unknown[] = Array.isArray(message) ? message : [message];
  return texts.filter((text): text is string => typeof text === 'string' && text !== '');
}

function isDriverError(error: Error): boolean {
  const { code, retriable } = error as { code?: unknown; retriable?: unknown };
  return typeof code === 'string' && typeof retriable === 'boolean';
}
