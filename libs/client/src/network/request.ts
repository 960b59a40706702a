/**
 * One request on its way: what to send, how long to wait, whom to tell.
 *
 * Guarantees that its callback is called exactly once: with the response, or with an error.
 */
import type { Api, RequestInput, ResponseOf } from '@kafka-template/protocol';
import type { KafkaError } from '../errors.js';
import type { VersionBounds } from './api-ranges.js';

/**
 * The body of a request, or a function that makes it once the version is known. Use the function where the meaning of
 * the fields differs by version (names or topic ids, one key or several).
 */
export type RequestBody<A extends Api> = RequestInput<A> | ((version: number) => RequestInput<A>);

/**
 * Told the outcome of a request, once, in a later turn of the event loop or from a socket event; must not throw.
 * `version` is the version that was used, -1 when the request was never sent.
 */
export type ResponseCallback<A extends Api> = (
  error: KafkaError | null,
  response: ResponseOf<A> | null,
  version: number,
) => void;

/** How a request is to be sent. */
export interface SendOptions extends VersionBounds {
  /** Time for everything: connecting, sending, waiting for the response. Default: `requestTimeoutMs`. */
  readonly timeoutMs?: number;
  /**
   * Requests on one connection are answered in order, so a long poll holds up what comes after it. Each lane is a
   * connection of its own to the broker. Default `main`; the consumer uses `fetch` and `coordinator`.
   */
  readonly lane?: string;
  /** False for requests without a response (Produce with acks 0): done when the operating system has taken the bytes. */
  readonly expectResponse?: boolean;
}

/** A request that waits to be sent or to be answered. */
export interface PendingRequest {
  readonly api: Api;
  readonly body: RequestBody<Api>;
  readonly bounds: VersionBounds;
  /** Monotonic time after which it has failed. */
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  readonly expectResponse: boolean;
  readonly callback: ResponseCallback<Api>;
  /** Set when it is sent; -1 before. */
  version: number;
  correlationId: number;
}
