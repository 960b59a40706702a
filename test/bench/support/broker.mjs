/** Starts the bundled broker as a process of its own on a free port, with its data in a temporary or a given directory. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
const READY = /^broker \d+ ready on (\S+)$/m;

/** Resolves with `{ bootstrapServers, pid, stop() }` when clients can connect. A given `dataDir` stays after `stop`. */
export function startBroker(options = {}) {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'kafka-template-bench-'));
  const child = spawn(process.execPath, [MAIN, 'broker', '--port', '0', '--data-dir', dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  };
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
      const ready = READY.exec(output);
      if (ready !== null) resolve({ bootstrapServers: ready[1], pid: child.pid, stop });
    });
    void ended.then((code) => reject(new Error(`the broker ended with exit code ${code} before it was ready`)));
  });
}
