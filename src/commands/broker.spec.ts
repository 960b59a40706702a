import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { whenStopped } from './broker.js';
import { endRuns, kt, runKt, type Run } from '../testing/kt.js';

const READY = /^broker (\d+) ready on (\S+):(\d+)\n$/;

const directories: string[] = [];

afterEach(async () => {
  await endRuns();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

async function ready(run: Run): Promise<{ id: number; host: string; port: number }> {
  const said = new Promise<boolean>((resolve) => {
    const look = (): void => (READY.test(run.output.stdout) ? resolve(true) : undefined);
    run.child.stdout?.on('data', look);
    look();
  });
  const started = await Promise.race([said, run.ended.then(() => false)]);
  if (!started) throw new Error(`The broker did not start: ${run.output.stderr}`);
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

/** Opens a connection, says something on it, and answers what came back when it closed. */
function say(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket: Socket = connect(port, '127.0.0.1', () => void socket.write(text));
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

describe('kt broker: ending', () => {
  it('goes on when nobody reads what it prints any more', async () => {
    const run = kt(['broker', '--port', '0']);
    const { port } = await ready(run);
    run.child.stdout!.destroy();
    run.child.stderr!.destroy();
    for (let time = 0; time < 3; time++) {
      // Each is worth a warning on stderr.
      expect(await say(port, 'GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
    }
    run.child.kill('SIGTERM');
    expect(await run.ended).toEqual({ code: 0, signal: null });
  });

  it('stops in order on SIGHUP', async () => {
    const run = kt(['broker', '--port', '0']);
    await ready(run);
    run.child.kill('SIGHUP');
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(run.output.stderr).toMatch(/INFO Stopped/);
  });

  it('ends at once on a second signal, however soon it comes', async () => {
    // Long recovery, clients that do not go, a slow disk: whatever the reason, the second one counts.
    const codes: number[] = [];
    const stop = whenStopped({ isUnderNpm: false, exit: (code) => void codes.push(code) });
    stop.onSignal('SIGINT', 0);
    await stop.first;
    stop.onSignal('SIGINT', 1);
    stop.onSignal('SIGTERM', 2);
    stop.onSignal('SIGHUP', 3);
    expect(codes).toEqual([130, 143, 129]);
  });

  it('takes one key press for one signal under npm, which passes it on a second time', () => {
    const codes: number[] = [];
    const stop = whenStopped({ isUnderNpm: true, exit: (code) => void codes.push(code) });
    stop.onSignal('SIGINT', 1000);
    stop.onSignal('SIGINT', 1010);
    expect(codes).toEqual([]);
    stop.onSignal('SIGINT', 1300);
    expect(codes).toEqual([130]);
  });
});

/** What Apache Kafka 4.3 ships as config/server.properties, without its comments; the port and the directory are ours. */
const STOCK = (dataDir: string): string => `
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:0,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs=${dataDir}
num.partitions=1
num.recovery.threads.per.data.dir=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
`;

describe('kt broker: a server.properties of Apache Kafka', () => {
  it('is taken as it is, and what has no effect is told once', async () => {
    const dataDir = join(temporaryDirectory(), 'logs');
    const run = kt(['broker', propertiesFile(STOCK(dataDir))]);
    expect(await ready(run)).toMatchObject({ id: 1 });
    expect(existsSync(join(dataDir, 'meta.properties'))).toBe(true);
    const told = run.output.stderr.split('\n').filter((line) => line.includes('no effect'));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/"num\.io\.threads".*"socket\.send\.buffer\.bytes"/);
    expect(told[0]).not.toMatch(/num\.partitions|log\.dirs/);
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
    [
      'security that it does not have',
      () => ['broker', propertiesFile('ssl.keystore.location=k\nauthorizer.class.name=A\nsasl.jaas.config=x\n')],
      2,
      /^kt: Broker configs 'ssl\.keystore\.location', 'authorizer\.class\.name', 'sasl\.jaas\.config' are known to Kafka, not served by this broker: it has no TLS; it has no ACLs; it has no SASL\. Remove them/,
    ],
    [
      'a data directory that cannot be made',
      () => ['broker', '--port', '0', '--data-dir', join(propertiesFile(''), 'x')],
      1,
      /^kt: The data directory \S+ cannot be used: a file is in the way, there or above\. Mend that, or choose another directory \(option dataDir, on the command line --data-dir\)\.\n$/,
    ],
    ...(existsSync('/proc/version')
      ? [
          [
            'a data directory where the system makes none',
            () => ['broker', '--port', '0', '--data-dir', '/proc/x/y'],
            1,
            /^kt: The data directory \/proc\/x\/y cannot be used: it does not exist, and its file system refuses to make it\. Mend that/,
          ] as [string, () => string[], number, RegExp],
        ]
      : []),
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
    expect(stderr).toContain(`kt: The data directory ${dataDir} is in use by another broker, process `);
    expect(stderr.split(dataDir)).toHaveLength(2);
    expect(stderr).toContain('--data-dir');
  });
});
