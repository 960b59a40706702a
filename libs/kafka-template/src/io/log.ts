/**
 * Where the library's own messages go. A port, because the listener container and the template do not know Nest:
 * `module/` binds it to Nest's Logger, specs collect what was said, and a program without Nest may bring its own.
 * Messages never contain record values; records are written as topic-partition@offset.
 */

/** The four levels the library uses. */
export interface Log {
  /** Details for whoever looks for a fault: commits, rebalances, retries of the client. */
  debug(message: string): void;
  /** Milestones: started, assigned, stopped. */
  info(message: string): void;
  /** Something is not as it should be and the library goes on by itself. */
  warn(message: string): void;
  /** Something was lost or has stopped; `error` is what caused it. */
  error(message: string, error?: unknown): void;
}

/** Says nothing. The default of programs that use the parts without the module. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
