import { createBroker, type Broker } from '@kafka-template/broker';
import { runKt, type Finished } from '../testing/kt.js';

let broker: Broker;

beforeAll(async () => {
  broker = await createBroker();
});

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

  it('says at once that no broker answers', async () => {
    const { code, stderr } = await runKt(['topics', 'ls', '-b', '127.0.0.1:1']);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^kt: No broker answers at 127\.0\.0\.1:1 \(ECONNREFUSED\)\. Start one with `kt broker`/);
  });

  const mistakes: [what: string, args: string[], message: RegExp][] = [
    ['a place that is none', ['consume', 'a', '--from', 'yesterday'], /--from takes earliest, latest, an offset/],
    ['a config without a value', ['topics', 'create', 'x', '--config', 'retention.ms'], /--config takes name=value/],
    ['a format that is none', ['topics', 'ls', '-o', 'xml'], /Allowed choices are table, json, ndjson/],
    ['no partitions', ['topics', 'create', 'x', '--partitions', '0'], /A number above 0 is needed/],
  ];
  it.each(mistakes)('refuses %s', async (_what, args, message) => {
    expect(await run(args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) as string });
  });
});
