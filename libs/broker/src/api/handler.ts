/**
 * The shape of a handler: one function per API, from a decoded request to what the encoder takes.
 *
 * Rules: what must happen in order happens before the first `await`; partial failure is data in the response; a handler
 * throws only for our own bugs. Handlers have no state.
 */
import type { Api, RequestOf, ResponseInput } from '@kafka-template/protocol';
import type { RequestContext } from './context.js';

/** The answer of a request that has no response. */
export const NO_RESPONSE = Symbol('no response');

/** The answer of a request after which the connection must go; the reason is logged. */
export class CloseConnection {
  constructor(readonly reason: string) {}
}

/** An answer with buffers that belong to someone else, who is told when they are with the operating system. */
export class BorrowedAnswer<A extends Api> {
  constructor(
    readonly response: ResponseInput<A>,
    readonly release: () => void,
  ) {}
}

/** Everything a handler may answer. */
export type Answer<A extends Api> = ResponseInput<A> | BorrowedAnswer<A> | typeof NO_RESPONSE | CloseConnection;

/** How a handler is entered into the registry. */
export interface HandlerOptions {
  /** The versions it serves, both included. */
  readonly versions: readonly [min: number, max: number];
  /** The lowest version ApiVersions shows when that must differ from what is served; see 00-produce.ts. */
  readonly advertisedMin?: number;
  /** The request's buffers may be views of the read buffer: the handler copies what it keeps, before its first `await`. */
  readonly readsInPlace?: boolean;
}

/** A handler without its types, as the registry and the dispatcher hold it. */
export interface Handler extends HandlerOptions {
  readonly api: Api;
  readonly handle: (request: unknown, context: RequestContext) => Answer<Api> | Promise<Answer<Api>>;
}

/** Declares a handler; see the head of this file for what it may do. */
export function handler<A extends Api>(
  api: A,
  options: HandlerOptions,
  handle: (request: RequestOf<A>, context: RequestContext) => Answer<A> | Promise<Answer<A>>,
): Handler {
  // The dispatcher decodes with the same declaration, so the request it passes has the handler's type.
  return { ...options, api, handle: handle as unknown as Handler['handle'] };
}
