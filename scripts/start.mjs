/**
 * `npm start`: builds what changed, then runs the demo in this same process.
 *
 * One process, so that Ctrl-C and SIGTERM reach the application itself and its exit code is npm's. The script line
 * begins with `exec` for the same reason: a shell in between would die of the Ctrl-C and let npm end before us. What follows
 * `npm start --` is put at the end of that line, so nothing may follow the command there. Where the shell has no `exec`, as
 * Windows' cmd, `node scripts/start.mjs` does the same.
 * The build is incremental and silent, except for one line on stderr when it takes a while; when it fails its messages are
 * shown and nothing is started.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A second Ctrl-C means "at once" to an application. Two within this time are one key press. */
const REPEATED_SIGNAL_MS = 200;

/** Nobody wonders before. */
const BUILD_NOTICE_MS = 1000;

const SIGNALS = new Set(['SIGINT', 'SIGTERM', 'SIGHUP']);

const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

const compiler = path('node_modules/typescript7/bin/tsc');
if (!existsSync(compiler)) {
  console.error('The packages are not installed yet: run `npm ci` first, then `npm start`.');
  process.exit(1);
}
await build();
dropRepeatedSignals();
await import(new URL('../apps/demo/dist/main.js', import.meta.url));

/** Ends the process when the build fails. Ctrl-C ends both, as they are. */
async function build() {
  const isFirst = !existsSync(path('apps/demo/dist/main.js'));
  const notice = setTimeout(() => {
    console.error(isFirst ? 'Building; this takes a while the first time…' : 'Building what has changed…');
  }, BUILD_NOTICE_MS);
  const compiling = spawn(process.execPath, [path('scripts/build.mjs')], { stdio: 'inherit' });
  try {
    const [code] = await once(compiling, 'close');
    if (code !== 0) process.exit(code ?? 1);
  } catch (error) {
    console.error(`The build could not be started: ${error.message}.`);
    process.exit(1);
  } finally {
    clearTimeout(notice);
  }
}

/** The terminal sends Ctrl-C to this process and to npm, and npm passes its own on to us: drop the echo. */
function dropRepeatedSignals() {
  const emit = process.emit;
  const lastSeen = new Map();
  process.emit = function (event, ...parameters) {
    if (SIGNALS.has(event)) {
      const now = performance.now();
      const repeated = now - (lastSeen.get(event) ?? -Infinity) < REPEATED_SIGNAL_MS;
      lastSeen.set(event, now);
      if (repeated) return true;
    }
    return Reflect.apply(emit, process, [event, ...parameters]);
  };
}
