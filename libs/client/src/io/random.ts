/**
 * The randomness port: jitter of back-off times and the choice of sticky partitions.
 *
 * Guarantees that a test or a simulation can replay a run from a seed. Leaves out anything secret: nothing here is fit for keys.
 */

/** A source of numbers. */
export interface Random {
  /** A number from 0 (included) to 1 (excluded). */
  next(): number;
}

/** The process's own randomness. */
export const systemRandom: Random = { next: () => Math.random() };

/** A repeatable sequence (mulberry32) for tests and simulations; the same seed gives the same numbers. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    },
  };
}
