/**
 * Waiting for a promise, but not for ever.
 */
import type { Clock } from '../../io/clock.js';

/** The outcome of a promise; undefined when it has none after `timeoutMs`. What it rejects with later is nobody's business. */
export async function within<T>(promise: Promise<T>, timeoutMs: number, clock: Clock): Promise<T | undefined> {
  let timer: { cancel(): void } | undefined;
  const timeUp = new Promise<undefined>((resolve) => {
    timer = clock.setTimer(Math.max(0, timeoutMs), () => resolve(undefined));
  });
  try {
    return await Promise.race([promise, timeUp]);
  } finally {
    timer?.cancel();
    promise.catch(() => undefined);
  }
}
