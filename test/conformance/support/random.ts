/**
 * Random numbers that a seed repeats.
 *
 * Guarantees the same sequence for the same seed on every machine; SEED in the environment sets it, else each run has its
 * own. A suite prints its seed in its title, so that a failure can be run again.
 */
import { randomInt } from 'node:crypto';

/** The seed of this run: SEED from the environment, or a new one. */
export function seedOfRun(): number {
  const given = process.env['SEED'];
  return given === undefined ? randomInt(2 ** 31) : Number(given);
}

/** A small generator (mulberry32) with the draws the tests need. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** 32 random bits as an unsigned integer. */
  bits(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** An integer from 0 up to, not including, the limit. */
  below(limit: number): number {
    return Math.floor((this.bits() / 0x1_0000_0000) * limit);
  }

  /** True once in so many draws. */
  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  /** One of the values. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  /** Random bytes. */
  bytes(length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length);
    for (let index = 0; index < length; index++) buffer[index] = this.bits() & 0xff;
    return buffer;
  }
}
