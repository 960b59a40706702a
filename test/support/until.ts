/**
 * Waiting in tests: for a condition, never for a time.
 */
const POLL_MS = 20;
const DEADLINE_MS = 60_000;

/**
 * Resolves as soon as `condition` is true; rejects with `what` when it is not within `deadlineMs`, on a machine however
 * slow: the deadline is for tests that hang, not for measuring.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  deadlineMs: number = DEADLINE_MS,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited ${deadlineMs} ms in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
