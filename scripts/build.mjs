/**
 * `npm run build [-- tsconfig.json…]`: compiles what changed, then bundles each library whose modules changed.
 *
 * The compiler writes a library's modules to `dist/modules` and its declarations to `dist`; the bundler makes one file for
 * each entry of the library's `exports` out of them, in `dist` as well, with what entries share and what is loaded later
 * in `dist/chunks`. Hundreds of small modules take longer to load than a client takes to connect and send. Other packages
 * stay imports, so that every library exists once in a process. What is in `dist` is what is published, tested and measured.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const OLDEST_NODE = 'node20.19';

const asked = process.argv.slice(2);
const projects = (asked.length > 0 ? asked : ['tsconfig.build.json']).map((file) => join(ROOT, file));
compile(projects);
for (const library of librariesOf(projects)) if (isOutdated(library)) await bundle(library);

/** Ends the process when it fails. Its messages go to stderr: stdout belongs to the command that wants the build. */
function compile(configs) {
  const compiler = join(ROOT, 'node_modules/typescript7/bin/tsc');
  const { status, error } = spawnSync(process.execPath, [compiler, '-b', ...configs], { stdio: ['ignore', 2, 2] });
  if (error) console.error(`The compiler could not be started: ${error.message}.`);
  if (status !== 0) process.exit(status ?? 1);
}

/** The folders of the libraries among the projects and what these refer to. */
function librariesOf(configs) {
  const seen = new Set(configs);
  for (const config of seen) {
    const { references = [] } = JSON.parse(readFileSync(config, 'utf8'));
    for (const { path } of references) seen.add(join(dirname(config), path));
  }
  return [...seen].filter((config) => basename(config) === 'tsconfig.lib.json').map((config) => dirname(config));
}

/** Whether the compiler, or a change of this file, came after the bundle. */
function isOutdated(library) {
  const compiled = join(library, 'dist/.tsbuildinfo');
  const entry = join(library, 'dist/index.js');
  if (!existsSync(compiled)) return false;
  if (!existsSync(entry)) return true;
  const bundledMs = statSync(entry).mtimeMs;
  return [compiled, fileURLToPath(import.meta.url)].some((file) => statSync(file).mtimeMs > bundledMs);
}

async function bundle(library) {
  const { build } = await import('esbuild');
  const dist = join(library, 'dist');
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: entriesOf(library).map((path) => join(dist, 'modules', path)),
    outbase: join(dist, 'modules'),
    outdir: dist,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: OLDEST_NODE,
    packages: 'external',
    sourcemap: true,
    // The sources are in the package.
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
  });
  removeOldChunks(join(dist, 'chunks'), new Set(Object.keys(metafile.outputs)));
}

/** The compiled files that `exports` names, relative to `dist`. */
function entriesOf(library) {
  const { exports } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8'));
  return Object.values(exports)
    .filter((entry) => typeof entry === 'object')
    .map((entry) => relative('dist', entry.default));
}

/** Their names change with their contents. */
function removeOldChunks(folder, outputs) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!outputs.has(relative(ROOT, path).replaceAll('\\', '/'))) rmSync(path);
  }
}
