import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { createBroker, type Broker } from '@kafka-template/broker';
import { until } from '../../test/support/until.js';
import { createProgram } from '../program.js';
import { runProgram } from '../run-program.js';
import { endRuns, kt, runKt, type Finished } from '../testing/kt.js';

let broker: Broker;

beforeAll(async () => {
  broker = await createBroker();
});

afterEach(endRuns);

afterAll(() => broker.close());

/** Runs a command against the broker. */
function run(args: readonly string[], input?: string): Promise<Finished> {
  return runKt([...args, '--bootstrap-servers', broker.bootstrapServers], input);
}

const jsonLines = (text: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

describe('kt: topics, groups, produce, consume', () => {
  it('makes, shows and removes a topic', async () => {
    const created = await run(['topics', 'create', 'shown', '--partitions', '2', '--config', 'retention.ms=60000']);
    expect(created).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^NAME +PARTITIONS.*\nshown +2 /) as string,
    });
    const listed = await run(['topics', 'ls', '-o', 'json']);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ name: 'shown', partitions: 2, replicas: 1 }]);
    const described = await run(['topics', 'describe', 'shown', '-o', 'ndjson']);
    expect(jsonLines(described.stdout)).toMatchObject([
      { partition: 0, leader: 0, start: 0, end: 0 },
      { partition: 1, leader: 0, start: 0, end: 0 },
    ]);
    expect(await run(['topics', 'rm', 'shown'])).toMatchObject({ code: 0, stdout: '' });
    const again = await run(['topics', 'rm', 'shown']);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/^kt: .*shown.*UNKNOWN_TOPIC/) as string });
  });

  it('carries records from stdin through a topic, and from one topic to another', async () => {
    const written = await run(['produce', 'a', '--key-separator', ':'], 'k1:one\nk2:two\nthree\n');
    expect(written).toMatchObject({ code: 0, stdout: '', stderr: '3 records written to a\n' });
    const read = await run(['consume', 'a']);
    expect(jsonLines(read.stdout)).toMatchObject([
      { topic: 'a', partition: 0, offset: 0, key: 'k1', value: 'one', headers: [] },
      { topic: 'a', partition: 0, offset: 1, key: 'k2', value: 'two' },
      { topic: 'a', partition: 0, offset: 2, key: null, value: 'three' },
    ]);
    await run(['produce', 'b', '--json'], `${read.stdout}{"key":"bytes","value":{"$base64":"/w=="}}\n`);
    const copied = await run(['consume', 'b']);
    expect(jsonLines(copied.stdout)).toMatchObject([
      { key: 'k1', value: 'one' },
      { key: 'k2', value: 'two' },
      { key: null, value: 'three' },
      { key: 'bytes', value: { $base64: '/w==' } },
    ]);
    expect((await run(['consume', 'a', '--from', '-1', '-o', 'value'])).stdout).toBe('three\n');
    expect((await run(['consume', 'a', '--from', '1', '-o', 'value'])).stdout).toBe('two\nthree\n');
  });

  it('reads on where its group stopped, and shows how far that is', async () => {
    await run(['produce', 'g', 'one', 'two', 'three']);
    expect((await run(['consume', 'g', '--group', 'readers', '-n', '2', '-o', 'value'])).stdout).toBe('one\ntwo\n');
    const described = await run(['groups', 'describe', 'readers', '-o', 'ndjson']);
    expect(jsonLines(described.stdout)).toEqual([
      { topic: 'g', partition: 0, offset: 2, end: 3, lag: 1, member: null },
    ]);
    expect((await run(['consume', 'g', '--group', 'readers', '-o', 'value'])).stdout).toBe('three\n');
    const listed = await run(['groups', 'ls', '-o', 'ndjson']);
    expect(jsonLines(listed.stdout)).toMatchObject([{ group: 'readers', state: 'Empty' }]);
  });

  it('refuses a partition that is not there, at once', async () => {
    await run(['topics', 'create', 'three', '--partitions', '3']);
    expect(await run(['produce', 'three', 'x', '--partition', '77'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'kt: Topic three has 3 partitions, 0 to 2: there is no partition 77.\n',
    });
    expect((await run(['produce', 'three', 'x', '--partition', '2'])).code).toBe(0);
  });

  const badLines: [what: string, line: string, message: string][] = [
    ['no value', '{"key":"k"}', 'has no "value" (write "value": null for a tombstone)'],
    ['headers that are no list', '{"value":1,"headers":{"a":"b"}}', 'has "headers" that are no list of {"k": '],
    ['a header without a name', '{"value":1,"headers":[{"v":"b"}]}', 'has "headers" that are no list of {"k": '],
    ['a header that is null', '{"value":1,"headers":[null]}', 'has "headers" that are no list of {"k": '],
    ['bad base64', '{"value":{"$base64":"?"}}', 'has a "$base64" that is no base64'],
    ['no object', '[1]', 'is no JSON object'],
    ['no JSON', 'hello', 'is no JSON object'],
  ];
  it.each(badLines)('names the line with %s, and writes those before', async (_what, line, message) => {
    const topic = `bad-${badLines.findIndex(([, bad]) => bad === line)}`;
    const { code, stderr } = await run(['produce', topic, '--json'], `{"value":"good"}\n${line}\n`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^kt: Line 2 .* \(1 record written before\)\n$/);
    expect(stderr).toContain(`Line 2 ${message}`);
    expect((await run(['consume', topic, '-o', 'value'])).stdout).toBe('good\n');
  });

  it('writes a tombstone when it is asked for in so many words', async () => {
    await run(['produce', 'deleted', '--json'], '{"key":"k","value":null}\n');
    const { stdout } = await run(['consume', 'deleted']);
    expect(jsonLines(stdout)).toMatchObject([{ key: 'k', value: null }]);
  });

  it('says at once that there is no such topic or group', async () => {
    for (const group of [[], ['--group', 'g']]) {
      const { code, stderr } = await run(['consume', 'absent', ...group]);
      expect([code, stderr]).toEqual([1, "kt: There is no topic 'absent'. `kt topics ls` shows those there are.\n"]);
    }
    const { code, stderr } = await run(['groups', 'describe', 'absent']);
    expect([code, stderr]).toEqual([1, "kt: There is no group 'absent'. `kt groups ls` shows those there are.\n"]);
  });

  it('keeps to --timeout, and says so, when a broker takes connections and does not answer', async () => {
    const silent = createServer((socket) => void socket.on('error', () => undefined));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const at = ['-b', `127.0.0.1:${(silent.address() as AddressInfo).port}`, '--timeout', '300'];
    try {
      for (const args of [
        ['topics', 'ls'],
        ['groups', 'describe', 'g'],
        ['produce', 'a', 'x'],
        ['produce', 'a', 'x', '--partition', '1'],
        ['consume', 'a'],
        ['consume', 'a', '--group', 'g'],
      ]) {
        const { code, stdout, stderr } = await runKt([...args, ...at]);
        expect([args, code, stdout]).toEqual([args, 5, '']);
        expect(stderr).toMatch(/^kt: .*300 ms/);
        expect(stderr).not.toMatch(/\d\.\d+ ms/);
      }
    } finally {
      silent.close();
    }
  });

  it('ends quietly when its reader has read enough, and with 130 when it is interrupted', async () => {
    const many = Array.from({ length: 20_000 }, (_, index) => `${index} ${'x'.repeat(100)}\n`).join('');
    await run(['produce', 'many'], many);
    const at = ['-b', broker.bootstrapServers];
    const read = kt(['consume', 'many', ...at]);
    read.child.stdout!.once('data', () => read.child.stdout!.destroy());
    expect([await read.ended, read.output.stderr]).toEqual([{ code: 0, signal: null }, '']);
    const follow = kt(['consume', 'many', '--follow', '-o', 'value', ...at]);
    await until(() => follow.output.stdout.includes('19999 x'), 'all were printed');
    follow.child.kill('SIGINT');
    expect([await follow.ended, follow.output.stderr]).toEqual([{ code: 130, signal: null }, 'kt: interrupted\n']);
    expect(follow.output.stdout.trimEnd().split('\n')).toHaveLength(20_000);
  });

  it('says that it is no broker what answers, with the exit code for no broker', async () => {
    const web = createHttpServer((_request, response) => response.end()).listen(0, '127.0.0.1');
    await once(web, 'listening');
    const at = ['-b', `127.0.0.1:${(web.address() as AddressInfo).port}`, '--timeout', '300'];
    try {
      for (const args of [
        ['topics', 'ls'],
        ['produce', 'a', 'x'],
        ['consume', 'a'],
      ]) {
        const { code, stderr } = await runKt([...args, ...at]);
        expect([args, code]).toEqual([args, 3]);
        expect(stderr).toMatch(/^kt: .* 300 ms.*: an HTTP server answered, not a Kafka broker\./);
      }
    } finally {
      web.close();
    }
  });

  it.each([
    ['garbage', "'garbage' has no port"],
    ['127.0.0.1:1,localhost', "'localhost' has no port"],
    ['a:0', "'a:0' is none"],
  ])('refuses -b %s', async (servers, message) => {
    const { code, stderr } = await runKt(['topics', 'ls', '-b', servers]);
    expect(code).toBe(2);
    expect(stderr).toContain(`kt: --bootstrap-servers takes host:port, and ${message}. For example: localhost:9092`);
  });

  it('says that there is nothing from an offset on', async () => {
    await run(['produce', 'short', 'one']);
    const { code, stdout, stderr } = await run(['consume', 'short', '--from', '99']);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(/^No record of short has an offset from 99 on; /);
    expect((await run(['consume', 'short', '--from', '0'])).stderr).toBe('');
  });

  it('says on a terminal that it waits for lines', async () => {
    const stdin = Object.assign(Readable.from([Buffer.from('one\n')]), { isTTY: true });
    const io = { stdin, stdout: new PassThrough(), stderr: new PassThrough() };
    const args = ['produce', 'typed', '-b', broker.bootstrapServers];
    expect(await runProgram(createProgram(io), args, io)).toBe(0);
    expect(String(io.stderr.read())).toBe('Each line is a record for typed; Ctrl-D ends\n1 record written to typed\n');
  });

  it('says at once that no broker answers', async () => {
    const { code, stderr } = await runKt(['topics', 'ls', '-b', '127.0.0.1:1']);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^kt: No broker answers at 127\.0\.0\.1:1 \(ECONNREFUSED\)\. Start one with `kt broker`/);
  });

  const mistakes: [what: string, args: string[], message: RegExp][] = [
    ['an offset for a group', ['consume', 'a', '--group', 'g', '--from', '5'], /--from 5 and --group contradict/],
    ['an unknown option', ['topics', 'ls', '--frob'], /unknown option '--frob'/],
    ['a place that is none', ['consume', 'a', '--from', 'yesterday'], /--from takes earliest, latest, an offset/],
    ['a config without a value', ['topics', 'create', 'x', '--config', 'retention.ms'], /--config takes name=value/],
    ['a format that is none', ['topics', 'ls', '-o', 'xml'], /Allowed choices are table, json, ndjson/],
    ['no partitions', ['topics', 'create', 'x', '--partitions', '0'], /A number above 0 is needed/],
  ];
  it.each(mistakes)('refuses %s', async (_what, args, message) => {
    expect(await run(args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) as string });
  });
});
