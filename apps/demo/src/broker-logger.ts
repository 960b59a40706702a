/**
 * What the bundled broker has to say, in the demo's log: warnings and errors, and what it did after a crash.
 */
import { Logger } from '@nestjs/common';
import type { BrokerOptions } from '@kafka-template/broker';

type BrokerLog = NonNullable<BrokerOptions['logger']>;
type Fields = Parameters<BrokerLog['warn']>[1];

/** The only milestone that is news to the user: everything else is in the welcome. */
const CHECKED = /had not stopped in order/;

/** A logger for the broker that writes to Nest's. */
export function brokerLogger(): BrokerLog {
  const log = new Logger('Broker');
  return {
    debug: () => undefined,
    info: (message, fields) => {
      if (CHECKED.test(message)) log.log(line(message, fields));
    },
    warn: (message, fields) => log.warn(line(message, fields)),
    error: (message, fields) => log.error(line(message, fields)),
  };
}

function line(message: string, fields: Fields): string {
  const facts = Object.entries(fields ?? {}).map(([name, value]) => `${name}=${text(value)}`);
  return [message, ...facts].join(' ');
}

function text(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
}
