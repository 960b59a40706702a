#!/usr/bin/env node
/**
 * The command `kt`. In an installed package it only loads dist/main.js. In a checkout that was never built it builds
 * first, so that `npm ci && npx kt broker` works; after a change of the sources, run `npm run build` yourself.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/main.js', import.meta.url);
const script = new URL('../scripts/build.mjs', import.meta.url);

if (!existsSync(main) && existsSync(script)) {
  console.error('kt: building once, this takes a few seconds');
  // What it says goes to stderr: stdout belongs to the command.
  const build = spawnSync(process.execPath, [fileURLToPath(script), 'tsconfig.cli.json'], { stdio: ['ignore', 2, 2] });
  if (build.status !== 0) process.exit(build.status ?? 1);
}
await import(main);
