/**
 * Exponential back-off with jitter: how long to pause after the n-th failure in a row.
 *
 * Guarantees a pause between 80 and 120 percent of `initialMs * 2^(failures - 1)`, never above `maxMs`. The jitter keeps
 * many clients from coming back at the same moment (KIP-580, KIP-601).
 */
import type { Random } from '../io/random.js';

const JITTER = 0.2;

/** The two bounds of a back-off. */
export interface BackoffLimits {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** The pause after `failures` failures in a row (1 or more), in milliseconds. */
export function backoffMs(limits: BackoffLimits, failures: number, random: Random): number {
  const initial = Math.min(limits.initialMs, limits.maxMs);
  const exponential = initial * 2 ** Math.min(Math.max(failures, 1) - 1, 31);
  const jittered = exponential * (1 - JITTER + 2 * JITTER * random.next());
  return Math.min(Math.round(jittered), limits.maxMs);
}
