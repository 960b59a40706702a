/**
 * Our broker as a user starts it: `node dist/main.js broker`, a process of its own.
 *
 * It relies on the contract of the command line and on nothing else: one line `broker <id> ready on <host>:<port>` on
 * stdout, logs on stderr, SIGTERM ends it in order with exit code 0. `npm run build` has to have run.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../../../dist/main.js');
const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 30_000;
const LOG_CHARS_MAX = 64 * 1024;
const READY = /^broker (\d+) ready on ([^\s:]+):(\d+)$/m;

/** How to start it. */
export interface BrokerProcessOptions {
  readonly dataDir: string;
  /** Default: a free port of the system. */
  readonly port?: number;
  /** Kafka's own names; given as --override. */
  readonly config?: Readonly<Record<string, string>>;
}

/** A running broker. */
export interface BrokerProcess {
  readonly host: string;
  readonly port: number;
  readonly bootstrapServers: string;
  readonly pid: number;
  /** SIGTERM; rejects when it does not end with code 0. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** The last 64 KiB of stdout and stderr. */
  log(): string;
}

/** Starts it and resolves when it says that clients can connect. */
export async function startBrokerProcess(options: BrokerProcessOptions): Promise<BrokerProcess> {
  if (!existsSync(MAIN)) throw new Error('dist/main.js is not there: run `npm run build` first.');
  const overrides = Object.entries(options.config ?? {}).flatMap(([name, value]) => ['--override', `${name}=${value}`]);
  const parameters = ['broker', '--port', String(options.port ?? 0), '--data-dir', options.dataDir, ...overrides];
  const child = spawn(process.execPath, [MAIN, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] });
  const dieWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', dieWithUs);
  const exited = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => {
      process.off('exit', dieWithUs);
      resolve(code ?? signal ?? 'unknown');
    });
  });

  const output = { stdout: '', all: '' };
  const [, , host = '', port = ''] = await untilReady(child, output);
  return {
    host,
    port: Number(port),
    bootstrapServers: `${host}:${port}`,
    pid: child.pid ?? 0,
    log: () => output.all,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop() {
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      child.kill('SIGTERM');
      const how = await exited;
      clearTimeout(force);
      if (how !== 0)
        throw new Error(`The broker ended with ${how} after SIGTERM, expected exit code 0:\n${output.all}`);
    },
  };
}

function untilReady(child: ChildProcess, output: { stdout: string; all: string }): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      clearTimeout(deadline);
      child.kill('SIGKILL');
      reject(new Error(`${reason}:\n${output.all}`));
    };
    const deadline = setTimeout(() => fail(`The broker was not ready in ${START_DEADLINE_MS} ms`), START_DEADLINE_MS);
    const keep = (text: string): void => {
      output.all = (output.all + text).slice(-LOG_CHARS_MAX);
    };
    child.stderr?.setEncoding('utf8').on('data', keep);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      keep(text);
      output.stdout = (output.stdout + text).slice(-LOG_CHARS_MAX);
      const ready = READY.exec(output.stdout);
      if (ready === null) return;
      clearTimeout(deadline);
      resolve(ready);
    });
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code, signal) => fail(`The broker ended while starting (${code ?? signal})`));
  });
}
