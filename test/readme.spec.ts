/**
 * The README's program and its commands run as they are printed there, and say what they promise.
 */
import { execFile, spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { createBroker } from '@kafka-template/broker';
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

it('the commands of the README make a topic, write, read and show how far was read', async () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const commands = /```sh\nexport KT_BOOTSTRAP_SERVERS=127\.0\.0\.1:9192 .*\n([^]*?)```/.exec(readme)?.[1];
  const broker = await createBroker();
  try {
    const kt = `npx() { shift; '${process.execPath}' --import ./test/support/typescript.mjs src/main.ts "$@"; }`;
    const { stdout } = await promisify(execFile)('bash', ['-euc', `${kt}\n${commands}`], {
      cwd: ROOT,
      env: { ...process.env, KT_BOOTSTRAP_SERVERS: broker.bootstrapServers },
    });
    expect(stdout).toMatch(/^NAME .*\ngreetings +3 .*\n\{"topic":"greetings",.*"key":"ann","value":"hello",.*\}\n/);
    expect(stdout).toMatch(/\nTOPIC +PARTITION +OFFSET +END +LAG +MEMBER\ngreetings +\d +1 +1 +0 +-\n$/);
  } finally {
    await broker.close();
  }
});
