/**
 * Where an idempotent listener remembers what it has done: a port, to be implemented on whatever the application has.
 */

/** Remembers keys of finished records. Methods may be async; what they throw fails the record, which is then tried again. */
export interface IdempotencyStore {
  /** Whether the key has been added. */
  has(key: string): boolean | Promise<boolean>;
  /** Remembers the key. Adding it again changes nothing. */
  add(key: string): void | Promise<void>;
}
