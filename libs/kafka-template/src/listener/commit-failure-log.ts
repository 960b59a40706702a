/**
 * What is said of failed commits: one line per cause, not one per commit.
 *
 * A broker that goes away fails every commit on its way. The first failure of a cause is logged, the others are counted; the
 * count is told with the next failure or success {@link COMMIT_LOG_PAUSE_MS} later, or at the end. Causes are error codes, and
 * shared by all consumers of a listener.
 */
import { errorCodeOf, messageOf } from '../errors.js';
import type { Clock } from '../io/clock.js';
import type { Log } from '../io/log.js';

/** Pause between two lines about the same cause. */
export const COMMIT_LOG_PAUSE_MS = 30_000;

interface Said {
  atMs: number;
  /** Failures since then. */
  more: number;
  readonly text: string;
}

/** Logs the failed commits of one listener. */
export class CommitFailureLog {
  readonly #listenerId: string;
  readonly #log: Log;
  readonly #clock: Clock;
  /** By cause; as many as there are error codes. */
  readonly #said = new Map<string, Said>();

  constructor(listenerId: string, log: Log, clock: Clock) {
    this.#listenerId = listenerId;
    this.#log = log;
    this.#clock = clock;
  }

  /** A commit failed: an error, or a warning when the same commit may succeed later. */
  failed(what: string, error: unknown): void {
    const text = `${this.#listenerId}: ${what}`;
    const cause = errorCodeOf(error) ?? messageOf(error);
    const last = this.#said.get(cause);
    const now = this.#clock.now();
    if (last !== undefined && now - last.atMs < COMMIT_LOG_PAUSE_MS) {
      last.more++;
      return;
    }
    this.#said.set(cause, { atMs: now, more: 0, text });
    const line = `${text}${andMore(last?.more ?? 0)}`;
    if ((error as { retriable?: unknown } | null | undefined)?.retriable === true) {
      this.#log.warn(`${line}: ${messageOf(error)}`);
    } else {
      this.#log.error(line, error);
    }
  }

  /** A commit succeeded. */
  succeeded(): void {
    if (this.#said.size > 0) this.#tell(this.#clock.now() - COMMIT_LOG_PAUSE_MS);
  }

  /** No commit follows: what was counted is told. */
  end(): void {
    this.#tell(Infinity);
  }

  #tell(untilMs: number): void {
    for (const [cause, { atMs, more, text }] of this.#said) {
      if (atMs > untilMs) continue;
      this.#said.delete(cause);
      if (more > 0) this.#log.warn(`${text}${andMore(more)} (${cause})`);
    }
  }
}

function andMore(count: number): string {
  return count === 0 ? '' : ` … and ${count} more`;
}
