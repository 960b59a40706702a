/**
 * The command: starts the demo, says where it is, and ends it in order on Ctrl-C, SIGTERM or SIGHUP with exit code 0.
 *
 * A second signal ends it at once. What cannot start is said in one sentence, with exit code 1.
 */
import 'reflect-metadata';
import { DemoLogger } from './demo-logger.js';
import { type Demo, startDemo } from './demo.js';
import { HELP, readSettings, wantsHelp } from './settings.js';
import { StartError } from './start-error.js';

/** What shells report for a process that Ctrl-C has ended. */
const EXIT_INTERRUPTED = 130;

/** How long a start that is under way may hold up the end; it waits when the broker is away. */
const START_LIMIT_MS = 1500;

/** SIGHUP: the terminal was closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

async function main(args: readonly string[]): Promise<void> {
  if (wantsHelp(args)) {
    process.stdout.write(HELP);
    return;
  }
  const starting = startDemo(readSettings(process.env, args));
  for (const signal of SIGNALS) process.on(signal, () => stop(starting));
  // Nobody reads any more (`| head`), or the terminal is gone: there is nothing to say, only to end.
  process.stdout.on('error', () => stop(starting, { isRepeatable: true }));
  process.stderr.on('error', () => undefined);
  const demo = await starting;
  isStarted = true;
  if (isStopping) return;
  // First what the user needs, then what the application has to say.
  process.stdout.write(demo.welcome);
  demo.app.useLogger(new DemoLogger());
  demo.app.flushLogs();
}

let isStarted = false;
let isStopping = false;

/** Also while the demo is starting: it then ends as soon as it has started, which takes it a second or two. */
function stop(starting: Promise<Demo>, { isRepeatable = false } = {}): void {
  if (isStopping && isRepeatable) return;
  if (isStopping) process.exit(EXIT_INTERRUPTED);
  isStopping = true;
  if (!isStarted) setTimeout(() => process.exit(0), START_LIMIT_MS).unref();
  starting
    .then((demo) => demo.close())
    .then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
}

function fail(error: unknown): never {
  const message = error instanceof StartError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

main(process.argv.slice(2)).catch(fail);
