/** The clients of `peers/package.json`: installed on first use, imported from there. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HOME = fileURLToPath(new URL('../peers/', import.meta.url));
const require = createRequire(`${HOME}package.json`);

/** Installs them from their lock file when they are not there. */
export function installPeers() {
  if (existsSync(`${HOME}node_modules/kafka-ts`)) return;
  process.stderr.write('installing the peers\n');
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: HOME,
    stdio: ['ignore', 2, 2],
  });
  if (npm.status !== 0) throw new Error('The peers could not be installed: see what npm said above.');
}

/** Imports a peer by its package name. */
export function importPeer(name) {
  return import(pathToFileURL(require.resolve(name)).href);
}
