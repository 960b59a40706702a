/**
 * `npm start`: builds what changed, then runs the demo in this same process.
 *
 * One process, so that Ctrl-C and SIGTERM reach the application itself and its exit code is npm's. The script line
 * begins with `exec` for the same reason: a shell in between would die of the Ctrl-C and let npm end before us. What follows
 * `npm start --` is put at the end of that line, so nothing may follow the command there. Where the shell has no `exec`, as
 * Windows' cmd, `node scripts/start.mjs` does the same.
 * The build is incremental and silent; when it fails its messages are shown and nothing is started.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A second Ctrl-C means "at once" to an application. Two within this time are one key press. */
const REPEATED_SIGNAL_MS = 200;

const SIGNALS = new Set(['SIGINT', 'SIGTERM', 'SIGHUP']);

const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

const compiler = path('node_modules/typescript7/bin/tsc');
if (!existsSync(compiler)) {
  console.error('The packages are not installed yet: run `npm ci` first, then `npm start`.');
  process.exit(1);
}
const build = spawnSync(process.execPath, [compiler, '-b', path('tsconfig.build.json')], { stdio: 'inherit' });
if (build.status !== 0) {
  if (build.error) console.error(`The build could not be started: ${build.error.message}.`);
  process.exit(build.status ?? 1);
}
dropRepeatedSignals();
await import(new URL('../apps/demo/dist/main.js', import.meta.url));

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
