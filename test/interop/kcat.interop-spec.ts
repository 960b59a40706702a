/**
 * kcat (librdkafka) from Debian against a broker process: listing, producing and consuming byte for byte, groups.
 */
import { createHash } from 'node:crypto';
import { kcat } from './support/kcat.js';
import { startTarget, type Target } from './support/target.js';

const MANY = 200_000;
const SOME = 20_000;

/** Lines of 10 to about 130 bytes, some outside ASCII. None is empty: kcat does not send empty lines. */
function lines(count: number, salt = ''): string {
  const parts: string[] = [];
  for (let index = 0; index < count; index++) {
    parts.push(`${salt}${index} ${'näïve ✓ '.repeat(index % 9)}${(index * 2_654_435_761) % 4_294_967_296}\n`);
  }
  return parts.join('');
}

/** Compared as a hash: a difference in 20 MB would otherwise be printed. */
function digest(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex');
}

const FROM_START = ['-o', 'beginning', '-e', '-q'];

describe('kcat', () => {
  let target: Target;

  beforeAll(async () => {
    target = await startTarget({ 'num.partitions': '1' });
  });
  afterAll(async () => {
    await target?.stop();
  });

  const run = (parameters: readonly string[], input?: string | Buffer): Promise<Buffer> =>
    kcat(target.bootstrapServers, parameters, input);

  it('lists the broker, and a topic after the first record', async () => {
    await run(['-P', '-t', 'listed'], 'hello\n');
    const listing = (await run(['-L'])).toString();
    expect(listing).toContain(`at ${target.bootstrapServers}`);
    expect(listing).toMatch(/topic "listed" with 1 partitions:\n\s+partition 0, leader \d+, replicas: \d+, isrs: \d+/);
    expect(JSON.parse((await run(['-L', '-J', '-t', 'listed'])).toString())).toMatchObject({
      topics: [{ topic: 'listed', partitions: [{ partition: 0 }] }],
    });
  });

  it.each([
    ['none', MANY],
    ['gzip', MANY],
    ['snappy', SOME],
    ['lz4', SOME],
    ['zstd', SOME],
  ])('gives back what was sent, byte for byte: compression %s, %i lines', async (codec, count) => {
    const topic = `exact-${codec}`;
    const sent = lines(count);
    await run(['-P', '-t', topic, '-z', codec], sent);
    const received = await run(['-C', '-t', topic, ...FROM_START]);
    expect(received.length).toBe(Buffer.byteLength(sent));
    expect(digest(received)).toBe(digest(sent));
    expect((await run(['-Q', '-t', `${topic}:0:-1`])).toString()).toContain(`offset ${count}`);
  });

  it('keeps keys, headers, null values and timestamps', async () => {
    await run(['-P', '-t', 'parts', '-K', ':', '-H', 'trace=abc', '-H', 'empty'], 'key:value\n');
    await run(['-P', '-t', 'parts', '-K', ':', '-Z'], 'gone:\n');
    const out = await run(['-C', '-t', 'parts', ...FROM_START, '-f', '%o|%k|%s|%S|%h\n']);
    expect(out.toString()).toBe('0|key|value|5|trace=abc,empty=NULL\n1|gone||-1|\n');
    const times = (await run(['-C', '-t', 'parts', ...FROM_START, '-f', '%T\n'])).toString().trim().split('\n');
    for (const time of times) expect(Math.abs(Number(time) - Date.now())).toBeLessThan(600_000);
  });

  it('finds offsets by time', async () => {
    await run(['-P', '-t', 'timed'], 'one\ntwo\n');
    expect((await run(['-Q', '-t', 'timed:0:0'])).toString()).toContain('offset 0');
    expect((await run(['-Q', '-t', `timed:0:${Date.now() + 3_600_000}`])).toString()).toMatch(/offset (-1|2)\b/);
    expect((await run(['-C', '-t', 'timed', '-o', 's@0', '-e', '-q'])).toString()).toBe('one\ntwo\n');
  });

  it('sends with idempotence and all acknowledgements', async () => {
    const sent = lines(SOME, 'idempotent ');
    await run(['-P', '-t', 'idempotent', '-X', 'enable.idempotence=true', '-X', 'acks=all'], sent);
    expect(digest(await run(['-C', '-t', 'idempotent', ...FROM_START]))).toBe(digest(sent));
  });

  it('sends without waiting for acknowledgements (acks=0)', async () => {
    await run(['-P', '-t', 'unacknowledged', '-X', 'acks=0'], lines(100));
    expect(digest(await run(['-C', '-t', 'unacknowledged', '-o', 'beginning', '-c', '100', '-q']))).toBe(
      digest(lines(100)),
    );
  });

  it('consumes in a group and goes on where the group stopped', async () => {
    const group = ['-G', 'readers', '-q', '-e', '-X', 'auto.offset.reset=earliest', 'grouped'];
    await run(['-P', '-t', 'grouped'], lines(1_000, 'first '));
    expect(digest(await run(group))).toBe(digest(lines(1_000, 'first ')));
    await run(['-P', '-t', 'grouped'], lines(500, 'second '));
    expect(digest(await run(group))).toBe(digest(lines(500, 'second ')));
    const others = group.with(1, 'other-readers');
    expect(digest(await run(others))).toBe(digest(lines(1_000, 'first ') + lines(500, 'second ')));
  });

  it('finds records and group offsets again after a restart and after a crash', async () => {
    const group = ['-G', 'survivors', '-q', '-e', '-X', 'auto.offset.reset=earliest', 'durable'];
    await run(['-P', '-t', 'durable'], lines(SOME, 'a '));
    expect(digest(await run(group))).toBe(digest(lines(SOME, 'a ')));
    await target.restart();
    await run(['-P', '-t', 'durable'], lines(SOME, 'b '));
    expect(digest(await run(group))).toBe(digest(lines(SOME, 'b ')));
    await run(['-P', '-t', 'durable'], lines(SOME, 'c '));
    await target.crash();
    expect(digest(await run(group))).toBe(digest(lines(SOME, 'c ')));
    const all = lines(SOME, 'a ') + lines(SOME, 'b ') + lines(SOME, 'c ');
    expect(digest(await run(['-C', '-t', 'durable', ...FROM_START]))).toBe(digest(all));
  });
});
