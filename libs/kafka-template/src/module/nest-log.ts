/**
 * The library's log on Nest's Logger, so that an application's own logger gets everything.
 */
import { Logger } from '@nestjs/common';
import { reasonOf, stackOf } from '../io/error-report.js';
import type { Log } from '../io/log.js';

/** A log that writes to Nest's Logger under `context`. */
export function nestLog(context: string): Log {
  const logger = new Logger(context);
  return {
    debug: (message) => logger.debug(message),
    info: (message) => logger.log(message),
    warn: (message) => logger.warn(message),
    error(message, error) {
      const text = error === undefined ? message : `${message}: ${reasonOf(error)}`;
      const stack = stackOf(error);
      if (stack === undefined) logger.error(text);
      else logger.error(text, stack);
    },
  };
}
