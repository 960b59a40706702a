/**
 * Where the broker tells people what it does. One line per event, facts as fields.
 * Guarantees: logging never throws, never blocks a request, and never ends the process, also when nobody reads stderr.
 * Leaves out levels by configuration: whoever passes a logger decides what to keep.
 */

/** Facts of a log line; values are printed, errors with their message. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The port; most logging libraries fit with a two-line adapter. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Keeps quiet. The default of an in-process broker. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

function text(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
}

function line(level: string, message: string, fields: LogFields | undefined): string {
  let out = `${new Date().toISOString()} ${level} ${message}`;
  for (const [name, value] of Object.entries(fields ?? {})) out += ` ${name}=${text(value)}`;
  return out;
}

let isStderrGuarded = false;

/** Whoever read our lines may go away (a pipe, a terminal): then nobody reads them, and the broker goes on. */
function guardStderr(): void {
  if (isStderrGuarded) return;
  isStderrGuarded = true;
  process.stderr.on('error', () => undefined);
}

/** Writes lines to stderr, so that stdout stays free for what a command prints. `debug` lines only when asked for. */
export function stderrLogger(options: { debug?: boolean } = {}): Logger {
  guardStderr();
  const write = (level: string) => (message: string, fields?: LogFields) => {
    console.error(line(level, message, fields));
  };
  return {
    debug: options.debug === true ? write('DEBUG') : () => undefined,
    info: write('INFO'),
    warn: write('WARN'),
    error: write('ERROR'),
  };
}
