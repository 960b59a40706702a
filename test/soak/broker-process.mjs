/** The bundled broker as a process that is killed and comes back on the same port with the same data. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const READY = /^broker \d+ ready on \S+:(\d+)$/m;

/** Starts it; resolves with `{ port, kill(signal) }` when clients can connect. `port` 0 is a free one. */
export function startBrokerProcess({ port, dataDir }) {
  const child = spawn(process.execPath, [MAIN, 'broker', '--port', String(port), '--data-dir', dataDir], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const dieWithUs = () => child.kill('SIGKILL');
  process.once('exit', dieWithUs);
  const ended = new Promise((resolve) =>
    child.once('close', (code) => {
      process.off('exit', dieWithUs);
      resolve(code);
    }),
  );
  const kill = async (signal) => {
    child.kill(signal);
    await ended;
  };
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
      const ready = READY.exec(output);
      if (ready !== null) resolve({ port: Number(ready[1]), kill });
    });
    void ended.then((code) => reject(new Error(`The broker ended with ${code} before it was ready.`)));
  });
}
