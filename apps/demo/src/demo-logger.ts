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
    // Nest itself colours whatever it writes, into files and pipes, too.
    super({ logLevels: ['log', 'warn', 'error', 'fatal'], colors: isColored(process.stdout) });
  }

  override log(message: unknown, ...rest: unknown[]): void {
    if (!FRAMEWORK_CONTEXTS.has(rest.at(-1))) super.log(message, ...rest);
  }

  override error(message: unknown, ...rest: unknown[]): void {
    // What a broker has refused is said by its message; where in the client that was noticed helps nobody here.
    const isExpected = /^Kafka\w*Error\b/.test(String(rest[0]));
    super.error(message, ...(isExpected ? rest.slice(1) : rest));
  }
}

/** A terminal that knows colours, and a user who wants them: NO_COLOR, FORCE_COLOR and TERM are heeded. */
function isColored(stream: NodeJS.WriteStream): boolean {
  // `isTTY` is undefined, and the method absent, where there is no terminal.
  return (stream as Partial<NodeJS.WriteStream>).hasColors?.() ?? false;
}
