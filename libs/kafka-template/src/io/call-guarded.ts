/**
 * Calls what an application handed in: what it throws, now or by the promise it returns, goes to the log and nowhere else.
 *
 * A callback is typed to return nothing, but an async function fits that type; its rejection would otherwise end the process.
 */

/** Calls `callback`; `onError` hears of what it throws or rejects with. */
export function callGuarded(callback: () => unknown, onError: (error: unknown) => void): void {
  try {
    const returned = callback();
    if (returned instanceof Promise) returned.catch(onError);
  } catch (error) {
    onError(error);
  }
}
