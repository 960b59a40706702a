import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endRuns, kt, runKt, type Run } from '../testing/kt.js';

const READY = /^broker (\d+) ready on (\S+):(\d+)\n$/;

const directories: string[] = [];

afterEach(async () => {
  await endRuns();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

async function ready(run: Run): Promise<{ id: number; host: string; port: number }> {
  const deadline = Date.now() + 20_000;
  while (!READY.test(run.output.stdout)) {
    const ended = await Promise.race([run.ended, new Promise((resolve) => setImmediate(resolve, null))]);
    if (ended !== null || Date.now() > deadline) throw new Error(`The broker did not start: ${run.output.stderr}`);
  }
  const [, id, host, port] = READY.exec(run.output.stdout)!;
  return { id: Number(id), host: host!, port: Number(port) };
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kafka-template-kt-'));
  directories.push(directory);
  return directory;
}

function propertiesFile(text: string): string {
  const file = join(temporaryDirectory(), 'server.properties');
  writeFileSync(file, text);
  return file;
}

describe('kt broker: running', () => {
  it('prints one line on stdout when clients can connect, and ends with 0 on SIGTERM', async () => {
    const run = kt(['broker', '--port', '0']);
    const { id, host, port } = await ready(run);
    expect({ id, host }).toEqual({ id: 0, host: '127.0.0.1' });
    await new Promise<void>((resolve, reject) => {
      const socket = connect(port, host, () => resolve(void socket.destroy()));
      socket.on('error', reject);
    });
    run.child.kill('SIGTERM');
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(run.output.stdout).toMatch(READY);
    expect(run.output.stderr).toMatch(/INFO Stopped/);
  });

  it('lets flags win over --override, and that over the file', async () => {
    const dataDir = temporaryDirectory();
    const file = propertiesFile(
      'broker.id=3\nlisteners=PLAINTEXT://127.0.0.1:1\nnum.partitions=2\nlog.dirs=/nowhere/at/all\n',
    );
    const run = kt(['broker', file, '--override', 'broker.id=5', '--port', '0', '--data-dir', dataDir]);
    const { id, port } = await ready(run);
    expect(id).toBe(5);
    expect(port).not.toBe(1);
    run.child.kill('SIGINT');
    expect(await run.ended).toEqual({ code: 0, signal: null });
  });
});

describe('kt broker: what it refuses', () => {
  const mistakes: [what: string, args: () => string[], code: number, message: RegExp][] = [
    [
      'an unknown flag',
      () => ['broker', '--prot', '1'],
      2,
      /error: unknown option '--prot'\n\(Did you mean --port\?\)/,
    ],
    ['an unknown command', () => ['brokr'], 2, /error: unknown command 'brokr'\n\(Did you mean broker\?\)/],
    ['a port that is none', () => ['broker', '--port', 'many'], 2, /A port is a whole number from 0 to 65535/],
    [
      'an unknown config',
      () => ['broker', '--override', 'num.partition=3'],
      2,
      /^kt: Unknown broker config 'num\.partition'\. Did you mean 'num\.partitions'\?\n$/,
    ],
    [
      'an unknown config in the file',
      () => ['broker', propertiesFile('auto.create.topic.enable=true\n')],
      2,
      /^kt: Unknown broker config 'auto\.create\.topic\.enable'\. Did you mean 'auto\.create\.topics\.enable'\?\n$/,
    ],
    ['a config of the wrong type', () => ['broker', '--override', 'num.partitions=x'], 2, /num\.partitions/],
    ['an override without a value', () => ['broker', '--override', 'num.partitions'], 2, /--override takes name=value/],
    [
      'a file that is not there',
      () => ['broker', 'no-such.properties'],
      2,
      /Cannot read no-such\.properties: there is no/,
    ],
    ['TLS', () => ['broker', '--override', 'listeners=SSL://h:1'], 2, /this broker speaks PLAINTEXT only/],
  ];
  it.each(mistakes)('says what is wrong with %s', async (_what, args, code, message) => {
    const run = await runKt(args());
    expect(run).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) as string });
  });

  it('says which option to change when the port is taken', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    try {
      const { code, stderr } = await runKt(['broker', '--port', String(port)]);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        new RegExp(`^kt: Cannot listen on 127\\.0\\.0\\.1:${port}: the port is in use by another process\\. .*--port`),
      );
    } finally {
      server.close();
    }
  });

  it('says who has the data directory', async () => {
    const dataDir = temporaryDirectory();
    await ready(kt(['broker', '--port', '0', '--data-dir', dataDir]));
    const { code, stderr } = await runKt(['broker', '--port', '0', '--data-dir', dataDir]);
    expect(code).toBe(1);
    expect(stderr).toContain(`kt: The data directory ${dataDir} is in use by another broker.`);
    expect(stderr).toContain('--data-dir');
  });
});
