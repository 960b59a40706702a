/**
 * kcat (librdkafka) as a process: input in, output out, as bytes.
 */
import { spawn } from 'node:child_process';

/** Long enough for 200,000 records on a slow machine. */
const DEADLINE_MS = 60_000;

/** Runs kcat against a broker; rejects with what it printed when it fails. */
export function kcat(
  bootstrapServers: string,
  parameters: readonly string[],
  input: string | Buffer = '',
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn('kcat', ['-b', bootstrapServers, ...parameters], { stdio: ['pipe', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    let stderr = '';
    const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-16_384);
    });
    child.once('error', (error) => {
      clearTimeout(deadline);
      reject(new Error(`kcat could not be started: ${error.message}`));
    });
    child.once('close', (code, signal) => {
      clearTimeout(deadline);
      if (code === 0) resolve(Buffer.concat(stdout));
      else reject(new Error(`kcat ${parameters.join(' ')} ended with ${code ?? signal}:\n${stderr}`));
    });
    // It may end before it has read everything; its exit code says more than EPIPE.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
