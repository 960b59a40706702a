/**
 * The demo's log: what the application and Kafka have to say, without Nest's list of everything it has put together.
 */
import { ConsoleLogger } from '@nestjs/common';

/** Where Nest reports how it starts. */
const FRAMEWORK_CONTEXTS: ReadonlySet<unknown> = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** Logs milestones, warnings and errors. */
export class DemoLogger extends ConsoleLogger {
  constructor() {
    super({ logLevels: ['log', 'warn', 'error', 'fatal'] });
  }

  override log(message: unknown, ...rest: unknown[]): void {
    if (!FRAMEWORK_CONTEXTS.has(rest.at(-1))) super.log(message, ...rest);
  }
}
