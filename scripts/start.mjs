/**
 * `npm start`: builds what changed, then runs the demo in this same process.
 *
 * One process, so that Ctrl-C and SIGTERM reach the application itself and its exit code is npm's. The script line
 * begins with `exec` for the same reason: a shell in between would die of the Ctrl-C and let npm end before us
 * (where there is no `exec`, as in Windows' cmd, the second half of the line runs instead).
 * The build is incremental and silent; when it fails its messages are shown and nothing is started.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A second Ctrl-C means "at once" to an application. Two within this time are one key press. */
const REPEATED_SIGNAL_MS = 200;

const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

const build = spawnSync(
  process.execPath,
  [path('node_modules/typescript7/bin/tsc'), '-b', path('tsconfig.build.json')],
  { stdio: 'inherit' },
);
if (build.status !== 0) {
  if (build.error) console.error(`The build could not be started: ${build.error.message}. Run \`npm ci\` first.`);
  process.exit(build.status ?? 1);
}
dropRepeatedSignals();
await import(new URL('../apps/demo/dist/main.js', import.meta.url));

/** The terminal sends Ctrl-C to this process and to npm, and npm passes its own on to us: drop the echo. */
function dropRepeatedSignals() {
  const emit = process.emit;
  const lastSeen = new Map();
  process.emit = function (event, ...parameters) {
    if (event === 'SIGINT' || event === 'SIGTERM') {
      const now = performance.now();
      const repeated = now - (lastSeen.get(event) ?? -Infinity) < REPEATED_SIGNAL_MS;
      lastSeen.set(event, now);
      if (repeated) return true;
    }
    return Reflect.apply(emit, process, [event, ...parameters]);
  };
}
