/**
 * Names that nobody else has: for requests that wait for their reply.
 */
import { randomUUID } from 'node:crypto';

/** A random UUID as text. */
export function uniqueId(): string {
  return randomUUID();
}
