/**
 * The command: starts the demo, says where it is, and ends it in order on Ctrl-C or SIGTERM with exit code 0.
 *
 * A second signal ends it at once. What cannot start is said in one sentence, with exit code 1.
 */
import 'reflect-metadata';
import { DemoLogger } from './demo-logger.js';
import { type Demo, startDemo } from './demo.js';
import { readSettings } from './settings.js';
import { StartError } from './start-error.js';

/** What shells report for a process that Ctrl-C has ended. */
const EXIT_INTERRUPTED = 130;

async function main(): Promise<void> {
  const demo = await startDemo(readSettings(process.env));
  // First what the user needs, then what the application has to say.
  process.stdout.write(demo.welcome);
  demo.app.useLogger(new DemoLogger());
  demo.app.flushLogs();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(demo));
}

let isStopping = false;

function stop(demo: Demo): void {
  if (isStopping) process.exit(EXIT_INTERRUPTED);
  isStopping = true;
  demo.close().then(
    () => process.exit(0),
    (error: unknown) => fail(error),
  );
}

function fail(error: unknown): never {
  const message = error instanceof StartError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

main().catch(fail);
