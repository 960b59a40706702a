/**
 * Runs what a request handler returned and sends its values as replies, the last one marked as such.
 *
 * Resolves when the handler is done and every reply is stored: only then does the request count as handled. A value is sent as
 * soon as it is there; one that is followed by the end at once is the last.
 */
import type { Observable } from 'rxjs';
import type { Reply } from './wire-format.js';

/** What a responder needs. */
export interface ResponderParts {
  readonly send: (reply: Reply) => PromiseLike<unknown>;
  /** Whether a failure is for the error handler, and not an answer. Asked while nothing has been sent. */
  readonly isRetriable: (error: unknown) => boolean;
}

/** Replies with everything the stream gives. Rejects when a reply cannot be sent, or with a retriable failure. */
export function respond(stream: Observable<unknown>, { send, isRetriable }: ResponderParts): Promise<void> {
  return new Promise((resolve, reject) => {
    let held: { readonly response: unknown } | undefined;
    let count = 0;
    let tail: Promise<unknown> = Promise.resolve();
    const push = (reply: Reply): void => {
      count++;
      // Replies of one request keep their order whatever partition they go to.
      tail = tail.then(() => send(reply));
      tail.catch(() => undefined);
    };
    const release = (): void => {
      if (held === undefined) return;
      push({ response: held.response, isDisposed: false });
      held = undefined;
    };
    const finish = (): void => void tail.then(() => resolve(), reject);
    stream.subscribe({
      next: (response) => {
        release();
        const own = { response };
        held = own;
        queueMicrotask(() => {
          if (held === own) release();
        });
      },
      error: (error: unknown) => {
        if (count === 0 && held === undefined && isRetriable(error)) {
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a filter may have made anything of it
          reject(error);
          return;
        }
        release();
        push({ error, isDisposed: true });
        finish();
      },
      complete: () => {
        push({ response: held?.response, isDisposed: true });
        held = undefined;
        finish();
      },
    });
  });
}
