/**
 * The README's program runs as it is printed there, and says what it promises.
 */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { until } from './support/until.js';

const ROOT = resolve(import.meta.dirname, '..');
/** Inside the repository, so that the packages of the workspace are found. */
const FILE = join(ROOT, 'test', `readme-program-${process.pid}.ts`);

it('the program of the README sends in three ways and receives', async () => {
  const program = /```ts\n([^]*?)```/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1];
  writeFileSync(FILE, program ?? '');
  const child = spawn(process.execPath, ['--import', './test/support/typescript.mjs', FILE], { cwd: ROOT });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  const ended = new Promise((done) => child.on('close', done));
  try {
    const said = [/received book/, /received pen/, /received cup/, /stored at \d \d/, /stored \d/];
    await until(() => said.every((line) => line.test(output)), 'the program has said everything').catch(() => {
      throw new Error(`the program said only:\n${output}`);
    });
    expect(output).not.toMatch(/failed|ERROR/);
  } finally {
    child.kill('SIGKILL');
    await ended;
    rmSync(FILE);
  }
});
