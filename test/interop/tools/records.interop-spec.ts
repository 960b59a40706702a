/**
 * Kafka's tools for records: the console, offsets, deleting records, log directories, and its test programs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTarget, type Target } from '../support/target.js';
import { brokerIdOf, lines, rows, toolsFor, type Tools } from './kafka-tool.js';

let target: Target;
let tools: Tools;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tools-'));
  target = await startTarget();
  tools = toolsFor(target.bootstrapServers);
});
afterAll(async () => {
  await target?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const readerProperties = (...properties: readonly string[]): string[] =>
  properties.flatMap((property) => ['--reader-property', property]);

const PRINT_ALL = ['partition', 'offset', 'timestamp', 'headers', 'key'].flatMap((part) => [
  '--formatter-property',
  `print.${part}=true`,
]);

describe('kafka-console-producer and kafka-console-consumer', () => {
  const produce = (topic: string, input: string, ...options: readonly string[]): Promise<string> =>
    tools.succeed('kafka-console-producer', ['--topic', topic, ...options], input);
  const consume = (topic: string, ...options: readonly string[]): Promise<string> =>
    tools.succeed('kafka-console-consumer', ['--topic', topic, ...options]);

  it('keep keys, headers and timestamps, from the beginning, from an offset, and as a group', async () => {
    await tools.succeed('kafka-topics', '--create --topic talk --partitions 1');
    const started = Date.now();
    await produce('talk', 'k1:v1\nk2:v2\n', ...readerProperties('parse.key=true', 'key.separator=:'));
    const withHeaders = readerProperties('parse.key=true', 'parse.headers=true', 'null.marker=NIL');
    await produce('talk', 'h1:a,h2:b\tk3\tv3\nh3:ü\tk4\tNIL\n', ...withHeaders, '--compression-codec', 'zstd');

    const all = lines(await consume('talk', '--from-beginning', '--max-messages', '4', ...PRINT_ALL));
    const seen = all.map((line) => /^CreateTime:(\d+)\t(.*)$/.exec(line));
    for (const match of seen) expect(Math.abs(Number(match?.[1]) - started)).toBeLessThan(120_000);
    expect(seen.map((match) => match?.[2])).toEqual([
      'Partition:0\tOffset:0\tNO_HEADERS\tk1\tv1',
      'Partition:0\tOffset:1\tNO_HEADERS\tk2\tv2',
      'Partition:0\tOffset:2\th1:a,h2:b\tk3\tv3',
      'Partition:0\tOffset:3\th3:ü\tk4\tnull',
    ]);

    expect(await consume('talk', '--partition', '0', '--offset', '2', '--max-messages', '1')).toBe('v3\n');
    const group = ['--group', 'talkers', '--from-beginning', '--max-messages', '2'];
    expect(await consume('talk', ...group)).toBe('v1\nv2\n');
    expect(await consume('talk', ...group)).toBe('v3\nnull\n');
  });

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('agree with compression %s', async (codec) => {
    const sent = Array.from({ length: 500 }, (_, index) => `${codec} ${index} ${'näïve ✓ '.repeat(index % 9)}\n`).join(
      '',
    );
    await produce(`talk-${codec}`, sent, '--compression-codec', codec);
    expect(await consume(`talk-${codec}`, '--from-beginning', '--max-messages', '500')).toBe(sent);
  });
});

describe('the tools for offsets and files', () => {
  it('kafka-get-offsets, kafka-delete-records and kafka-log-dirs agree about a topic', async () => {
    await tools.succeed('kafka-topics', '--create --topic places --partitions 2');
    await tools.succeed('kafka-console-producer', '--topic places', 'one\n');
    await tools.succeed('kafka-console-producer', '--topic places', 'two\n');
    const offsets = async (...options: readonly string[]): Promise<number[]> =>
      lines(await tools.succeed('kafka-get-offsets', options)).map((line) => Number(line.split(':')[2]));
    const latest = await offsets('--topic', 'places');
    expect(latest.reduce((sum, each) => sum + each, 0)).toBe(2);
    expect(await offsets('--topic', 'places', '--time', 'earliest')).toEqual([0, 0]);
    // The tool leaves out a partition that has no record from that time on; its producer chooses the partitions.
    expect(await offsets('--topic', 'places', '--time', '1000')).toEqual(latest.filter((end) => end > 0).map(() => 0));
    const newest = await offsets('--topic', 'places', '--time', 'max-timestamp');
    expect(newest).toEqual(latest.filter((end) => end > 0).map((end) => end - 1));

    const full = latest.indexOf(Math.max(...latest));
    const end = latest[full] ?? 0;
    const file = join(folder, 'delete.json');
    writeFileSync(
      file,
      JSON.stringify({ version: 1, partitions: [{ topic: 'places', partition: full, offset: end }] }),
    );
    expect(await tools.succeed('kafka-delete-records', ['--offset-json-file', file])).toContain(
      `partition: places-${full}\tlow_watermark: ${end}`,
    );
    expect(await offsets('--topic-partitions', `places:${full}`, '--time', 'earliest')).toEqual([end]);

    const [told = ''] = lines(await tools.succeed('kafka-log-dirs', '--describe --topic-list places')).slice(-1);
    const { brokers } = JSON.parse(told) as {
      brokers: { broker: number; logDirs: { error: null; partitions: { partition: string; size: number }[] }[] }[];
    };
    expect(String(brokers[0]?.broker)).toBe(await brokerIdOf(tools));
    const directory = brokers[0]?.logDirs[0];
    expect(directory?.error).toBeNull();
    expect(directory?.partitions.map(({ partition }) => partition).sort()).toEqual(['places-0', 'places-1']);
  });
});

describe("Kafka's test programs", () => {
  it('client-compatibility-test finds everything a client may need, except ACLs', async () => {
    await tools.succeed('kafka-topics', '--create --topic compatible');
    const isKafka = target.name === 'kafka';
    const supported = [
      ...['offsets-for-times', 'cluster-id', 'create-topics', 'describe-configs', 'idempotent-producer'],
    ].flatMap((name) => [`--${name}-supported`, 'true']);
    const output = await tools.succeed('client-compatibility-test', [
      ...['--topic', 'compatible', '--num-cluster-nodes', '1', '--expect-record-too-large-exception', 'false'],
      // Kafka without an authorizer refuses to describe ACLs.
      ...[...supported, '--describe-acls-supported', String(isKafka)],
    ]);
    expect(output).toContain('SUCCESS');
  });

  it('the performance tests move what they were asked to', async () => {
    const produced = await tools.succeed(
      'kafka-producer-perf-test',
      '--topic speed --num-records 20000 --record-size 100 --throughput -1',
    );
    expect(produced).toMatch(/^20000 records sent, .* 99\.9th\.$/m);
    const inTransactions = await tools.succeed(
      'kafka-producer-perf-test',
      '--topic speed --num-records 1000 --record-size 100 --throughput -1 ' +
        '--transactional-id fast --transaction-duration-ms 100',
    );
    expect(inTransactions).toMatch(/^1000 records sent/m);
    const consumed = await tools.succeed('kafka-consumer-perf-test', '--topic speed --num-records 21000');
    const [, values = ''] = lines(consumed);
    expect(Number(values.split(', ')[4])).toBe(21_000);
    expect(
      await tools.succeed('kafka-e2e-latency', '--topic round --num-records 100 --producer-acks all --record-size 100'),
    ).toMatch(/Percentiles: 50th = \d+, 99th = \d+/);
  });

  it('the verifiable producer and consumer see every record once', async () => {
    const sent = lines(
      await tools.succeed('kafka-verifiable-producer', '--topic sure --max-messages 1000 --acks -1'),
    ).map((line) => JSON.parse(line) as { name: string; value?: string; offset?: number });
    const acknowledged = sent.filter(({ name }) => name === 'producer_send_success');
    expect(acknowledged.map(({ value, offset }) => [value, offset])).toEqual(
      Array.from({ length: 1000 }, (_, index) => [String(index), index]),
    );
    const read = lines(
      await tools.succeed(
        'kafka-verifiable-consumer',
        '--topic sure --group-id sure --max-messages 1000 --reset-policy earliest',
      ),
    ).map((line) => JSON.parse(line) as { name: string; count?: number; success?: boolean });
    const counts = read.filter(({ name }) => name === 'records_consumed').map(({ count }) => count ?? 0);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1000);
    expect(read.find(({ name }) => name === 'offsets_committed')?.success).toBe(true);
  });
});

describe('kafka-transactions', () => {
  it('lists and describes a producer that has committed, and finds nothing hanging', async () => {
    await tools.succeed(
      'kafka-producer-perf-test',
      '--topic deals --num-records 500 --record-size 100 --throughput -1 --transactional-id deal --transaction-duration-ms 50',
    );
    const brokerId = await brokerIdOf(tools);
    const listed = rows(await tools.succeed('kafka-transactions', 'list'));
    expect(listed).toContainEqual(['deal', brokerId, expect.stringMatching(/^\d+$/), 'CompleteCommit']);
    const [described] = rows(await tools.succeed('kafka-transactions', 'describe --transactional-id deal'));
    expect(described?.slice(0, 2)).toEqual([brokerId, 'deal']);
    expect(described?.[4]).toBe('CompleteCommit');
    const producers = rows(await tools.succeed('kafka-transactions', 'describe-producers --topic deals --partition 0'));
    expect(producers).toHaveLength(1);
    expect(producers[0]?.at(-1)).toBe('None');
    expect(rows(await tools.succeed('kafka-transactions', `find-hanging --broker-id ${brokerId}`))).toEqual([]);
    expect(await tools.fail('kafka-transactions', 'describe --transactional-id nobody')).toContain(
      'DescribeTransactions request for transactionalId `nobody` failed because the ID could not be found.',
    );
  });
});
