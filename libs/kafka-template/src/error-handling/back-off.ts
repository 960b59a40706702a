/**
 * How long to wait before a failed record is delivered again, and when to give up.
 *
 * Pure: attempts in, delays out. Leaves out jitter, which would need randomness.
 */

/** A rule for delays between deliveries. */
export interface BackOff {
  /** Delay before the delivery that follows failure number `failures` (from 1), in milliseconds; undefined: give up. */
  delayMs(failures: number): number | undefined;
}

/** Retries without limit. */
export const UNLIMITED_ATTEMPTS = Number.POSITIVE_INFINITY;

/** The same delay each time. Spring's FixedBackOff: `maxRetries` is the number of deliveries after the first. */
export class FixedBackOff implements BackOff {
  readonly #intervalMs: number;
  readonly #maxRetries: number;

  constructor(intervalMs = 5000, maxRetries: number = UNLIMITED_ATTEMPTS) {
    this.#intervalMs = intervalMs;
    this.#maxRetries = maxRetries;
  }

  delayMs(failures: number): number | undefined {
    return failures <= this.#maxRetries ? this.#intervalMs : undefined;
  }
}

/** Settings of {@link ExponentialBackOff}. Times in milliseconds. */
export interface ExponentialBackOffOptions {
  /** First delay. Default 2000. */
  readonly initialIntervalMs?: number;
  /** Each delay is the one before times this. Default 1.5. */
  readonly multiplier?: number;
  /** Longest delay. Default 30000. */
  readonly maxIntervalMs?: number;
  /** Deliveries after the first. Default without limit. */
  readonly maxRetries?: number;
}

/** Growing delays. Spring's ExponentialBackOffWithMaxRetries. */
export class ExponentialBackOff implements BackOff {
  readonly #options: Required<ExponentialBackOffOptions>;

  constructor(options: ExponentialBackOffOptions = {}) {
    this.#options = {
      initialIntervalMs: options.initialIntervalMs ?? 2000,
      multiplier: options.multiplier ?? 1.5,
      maxIntervalMs: options.maxIntervalMs ?? 30_000,
      maxRetries: options.maxRetries ?? UNLIMITED_ATTEMPTS,
    };
  }

  delayMs(failures: number): number | undefined {
    const { initialIntervalMs, multiplier, maxIntervalMs, maxRetries } = this.#options;
    if (failures > maxRetries) return undefined;
    return Math.min(maxIntervalMs, Math.round(initialIntervalMs * multiplier ** (failures - 1)));
  }
}
