/**
 * `npm start`: builds what changed, then runs the demo in this same process.
 *
 * One process, so that Ctrl-C and SIGTERM reach the application itself and its exit code is npm's.
 * The build is incremental and silent; when it fails its messages are shown and nothing is started.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

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
await import(new URL('../apps/demo/dist/main.js', import.meta.url));
