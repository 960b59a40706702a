/**
 * Where the client's own messages go.
 *
 * Guarantees that a logger never breaks the client: it is called for things worth knowing (a lost connection, a retry,
 * a callback that threw), never per record. Default: warnings and errors to standard error.
 */

/** Named values that belong to a message. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Four levels; each takes a sentence and the values in it. Must not throw. */
export interface ClientLogger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

function write(level: string, message: string, fields?: LogFields): void {
  if (fields === undefined) console.error(`[kafka] ${level} ${message}`);
  else console.error(`[kafka] ${level} ${message}`, fields);
}

/** Warnings and errors to standard error; debug and info nowhere. The default. */
export const consoleLogger: ClientLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message, fields) => write('warn', message, fields),
  error: (message, fields) => write('error', message, fields),
};

/** Says nothing. For tests, and for hosts that watch events instead. */
export const silentLogger: ClientLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
