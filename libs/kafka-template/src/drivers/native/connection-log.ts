/**
 * The log of all clients of a driver: what all of them find out is said once.
 *
 * Each client warns of a broker it cannot reach, and says when it is back; an application has a producer, an admin client and
 * a consumer per listener. Guarantees at most one warning per address in {@link WARNING_PAUSE_MS}, the same for any other
 * warning of the same words, and one line when a broker is back after a warning. Bound: {@link WARNINGS_MAX} warnings.
 */
import type { ClientLogger, LogFields } from '@kafka-template/client';
import { reasonOf } from '../../io/error-report.js';
import type { Clock } from '../../io/clock.js';
import type { Log } from '../../io/log.js';

/** Pause between two warnings about the same: a little less than the clients' own. */
export const WARNING_PAUSE_MS = 29_000;

/** Warnings remembered; with more, the oldest is forgotten and may be said twice. */
export const WARNINGS_MAX = 1000;

/** The words of the client, which a spec compares with what it really says. */
const LOST = /^Connection to broker (\S+) (?:was lost|could not be established)\b/;
const BACK = /^Connection to broker (\S+) is established again\b/;

/** What was said of an address, or of anything else. */
interface Said {
  readonly atMs: number;
  isDown: boolean;
}

/** A logger for all clients of a driver, on one log. */
export function connectionLog(log: Log, clock: Clock): ClientLogger {
  const said = new Map<string, Said>();
  const isNews = (subject: string): boolean => {
    const last = said.get(subject);
    if (last !== undefined && clock.now() - last.atMs < WARNING_PAUSE_MS) return false;
    said.delete(subject);
    said.set(subject, { atMs: clock.now(), isDown: true });
    if (said.size > WARNINGS_MAX) for (const oldest of said.keys()) return said.delete(oldest);
    return true;
  };
  return {
    debug: (message, fields) => log.debug(withFields(message, fields)),
    info(message, fields) {
      const text = withFields(message, fields);
      const last = said.get(BACK.exec(message)?.[1] ?? '');
      // Milestones of a client are the listener's own (partitions, positions): it says them itself.
      if (last?.isDown !== true) return log.debug(text);
      last.isDown = false;
      log.info(text);
    },
    warn(message, fields) {
      const text = withFields(message, fields);
      if (isNews(LOST.exec(message)?.[1] ?? text)) log.warn(text);
      else log.debug(text);
    },
    error: (message, fields) => log.error(withFields(message, fields)),
  };
}

function withFields(message: string, fields: LogFields | undefined): string {
  if (fields === undefined) return message;
  const parts = Object.entries(fields).map(([name, value]) => `${name}=${describe(value)}`);
  return parts.length === 0 ? message : `${message} (${parts.join(', ')})`;
}

function describe(value: unknown): string {
  if (value instanceof Error) return reasonOf(value);
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');
}
