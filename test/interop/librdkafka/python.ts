/**
 * Python programs of this folder, with librdkafka from the wheel that requirements.txt names.
 *
 * `installPython` puts it into test/interop/.cache on first use. It needs `python3` with the module `venv`.
 */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const HERE = import.meta.dirname;
const REQUIREMENTS = join(HERE, 'requirements.txt');
const DEADLINE_MS = 120_000;

/** Installs the wheel if it is not there; returns Python. */
export function installPython(): string {
  const wheel = readFileSync(REQUIREMENTS, 'utf8').trim().replace('==', '-');
  const home = join(HERE, '../.cache', wheel);
  const python = join(home, 'bin/python');
  // The marker is written last: an interrupted installation is not taken for a whole one.
  const done = join(home, 'done');
  if (existsSync(done)) return python;
  rmSync(home, { recursive: true, force: true });
  run('python3', ['-m', 'venv', home]);
  run(python, ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', '--requirement', REQUIREMENTS]);
  run(python, ['-c', 'import confluent_kafka']);
  writeFileSync(done, '');
  return python;
}

function run(command: string, parameters: readonly string[]): void {
  const { status, error, stdout, stderr } = spawnSync(command, parameters, { encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(
    `${command} ${parameters.join(' ')} failed: ${error?.message ?? ''}\n${stdout ?? ''}${stderr ?? ''}\n` +
      'Install Python 3 with its module venv (Debian: apt-get install python3-venv), and check that pip can reach its index.',
  );
}

/** Runs a program of this folder to its end; resolves with its lines, rejects with what it printed when it fails. */
export function python(program: string, ...parameters: readonly string[]): Promise<string[]> {
  const options = { timeout: DEADLINE_MS, encoding: 'utf8' } as const;
  return new Promise((resolve, reject) => {
    execFile(installPython(), [join(HERE, program), ...parameters], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.split('\n').filter((line) => line !== ''));
      else reject(new Error(`${program} ${parameters.join(' ')} failed: ${error.message}\n${stdout}\n${stderr}`));
    });
  });
}
