/**
 * An idempotency store in memory: for tests, and against duplicates within the life of a process.
 *
 * Bounded twice: by number, when the oldest go, and by age. Knows nothing after a restart; a database does.
 */
import { type Clock, systemClock } from '../io/clock.js';
import type { IdempotencyStore } from './idempotency-store.js';

/** Bounds of an {@link InMemoryIdempotencyStore}. */
export interface InMemoryIdempotencyOptions {
  /** Keys at most. Default 100000. */
  readonly maxKeys?: number;
  /** How long a key is remembered, in milliseconds. Default one day. */
  readonly ttlMs?: number;
  /** For tests. */
  readonly clock?: Clock;
}

/** Remembers keys in memory. */
export class InMemoryIdempotencyStore implements IdempotencyStore {
  readonly #maxKeys: number;
  readonly #ttlMs: number;
  readonly #clock: Clock;
  /** When each key was added; oldest first. */
  readonly #addedAt = new Map<string, number>();

  constructor({ maxKeys = 100_000, ttlMs = 86_400_000, clock = systemClock }: InMemoryIdempotencyOptions = {}) {
    this.#maxKeys = maxKeys;
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  /** Keys that are remembered. */
  get size(): number {
    this.#expire();
    return this.#addedAt.size;
  }

  has(key: string): boolean {
    this.#expire();
    return this.#addedAt.has(key);
  }

  add(key: string): void {
    this.#expire();
    if (this.#addedAt.has(key)) return;
    this.#addedAt.set(key, this.#clock.now());
    if (this.#addedAt.size > this.#maxKeys) this.#addedAt.delete(this.#addedAt.keys().next().value as string);
  }

  #expire(): void {
    const limit = this.#clock.now() - this.#ttlMs;
    for (const [key, addedAt] of this.#addedAt) {
      if (addedAt > limit) return;
      this.#addedAt.delete(key);
    }
  }
}
