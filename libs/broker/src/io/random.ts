/**
 * Randomness for the broker: identifiers and jitter come through here, so that a seed can replay a run.
 * Guarantees: `systemRandom` is unpredictable (node:crypto); `seededRandom` repeats itself for a seed.
 */
import { randomBytes } from 'node:crypto';

/** The port. */
export interface Random {
  /** `count` random bytes. */
  bytes(count: number): Buffer;
  /** A whole number from 0 up to, not including, `limit` (1 to 2^32). */
  below(limit: number): number;
}

/** Unpredictable bytes of this machine. */
export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  below: (limit) => randomBytes(6).readUIntBE(0, 6) % limit,
};

/** A small repeatable generator (mulberry32) for tests and simulations; never for identifiers that must not collide. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return {
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => next() & 0xff)),
    below: (limit) => next() % limit,
  };
}

/** A random uuid (version 4) in Kafka's 22 character base64url form, never one of Kafka's two reserved values. */
export function randomUuid(random: Random): string {
  for (;;) {
    const bytes = random.bytes(16);
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    const text = bytes.toString('base64url');
    // Kafka avoids a leading dash, which command lines take for an option.
    if (!text.startsWith('-')) return text;
  }
}
