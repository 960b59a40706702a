/**
 * The one thing the demo needs of Express's response, so that it needs no types of Express.
 */

/** A response whose status and headers can be set. */
export interface Response {
  status(code: number): unknown;
  setHeader(name: string, value: string): unknown;
}
