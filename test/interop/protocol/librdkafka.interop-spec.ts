/**
 * Record batches and librdkafka (kcat): what it writes we read from the segment, what we write it reads, byte for byte.
 *
 * The bundled broker stands between them and stores batches as they come. Guarantees this for every codec, with headers,
 * null keys and values, repeated header keys, and values of a megabyte.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BatchBuilder,
  COMPRESSION_NAMES,
  type CompressionName,
  CreateTopics,
  ErrorCode,
  Produce,
  splitBatch,
} from '@kafka-template/protocol';
import { RawConnection } from '../../conformance/support/raw-connection.js';
import { Random, seedOfRun } from '../../conformance/support/random.js';
import { type BrokerProcess, startBrokerProcess } from '../support/broker-process.js';
import { kcat } from '../support/kcat.js';
import { type RecordForm, type TestRecord, readOurs, recordForm } from './kafka-records.js';

const MEGABYTE = 1024 * 1024;
const LINES = 2000;
const MESSAGE_BYTES_MAX = '4000000';
const PRODUCE_VERSION = 9;
const CREATE_TOPICS_VERSION = 5;
const SEGMENT = '00000000000000000000.log';
const seed = seedOfRun();
const random = new Random(seed);
const dense = Buffer.alloc(MEGABYTE, 'kafka ');
const noise = random.bytes(MEGABYTE);

/** A record as kcat prints it; `key` and `value` are null where it prints the length -1. */
interface Printed {
  readonly offset: number;
  readonly timestamp: number;
  readonly headers: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** Reads what kcat prints with FORMAT: lengths first, so that keys and values may be any bytes. */
function parsePrinted(output: Buffer): Printed[] {
  const printed: Printed[] = [];
  for (let position = 0; position < output.length;) {
    const lineEnd = output.indexOf('\n', position);
    const [offset, timestamp, keyBytes, valueBytes, ...headers] = output.toString('utf8', position, lineEnd).split('|');
    const take = (length: number): Buffer | null => {
      if (length < 0) return null;
      position += length;
      return output.subarray(position - length, position);
    };
    position = lineEnd + 1;
    const key = take(Number(keyBytes));
    const value = take(Number(valueBytes));
    printed.push({ offset: Number(offset), timestamp: Number(timestamp), headers: headers.join('|'), key, value });
    position++;
  }
  return printed;
}

const FORMAT = '%o|%T|%K|%S|%h\n%k%s\n';

describe(`librdkafka, SEED=${seed}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'librdkafka-'));
  const dataDir = join(folder, 'data');
  let broker: BrokerProcess;
  let connection: RawConnection;

  beforeAll(async () => {
    broker = await startBrokerProcess({ dataDir, config: { 'message.max.bytes': MESSAGE_BYTES_MAX } });
    connection = await RawConnection.open(broker.host, broker.port);
    writeFileSync(join(folder, 'dense'), dense);
    writeFileSync(join(folder, 'noise'), noise);
  });
  afterAll(async () => {
    connection?.close();
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function createTopic(name: string, configs: { name: string; value: string }[] = []): Promise<void> {
    const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs };
    const { topics } = await connection.call(CreateTopics, CREATE_TOPICS_VERSION, {
      topics: [topic],
      timeoutMs: 10_000,
    });
    expect(topics[0]?.errorCode).toBe(ErrorCode.NONE);
  }

  async function produce(topic: string, records: Buffer): Promise<void> {
    const { responses } = await connection.call(Produce, PRODUCE_VERSION, {
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: topic, partitionData: [{ index: 0, records }] }],
    });
    const { errorCode, errorMessage } = responses[0]?.partitionResponses[0] ?? {};
    expect({ errorCode, errorMessage }).toEqual({ errorCode: ErrorCode.NONE, errorMessage: null });
  }

  async function consume(topic: string): Promise<Printed[]> {
    const limits = ['-X', 'check.crcs=true', '-X', `fetch.message.max.bytes=${MESSAGE_BYTES_MAX}`];
    const parameters = ['-C', '-t', topic, '-o', 'beginning', '-e', '-q', ...limits, '-f', FORMAT];
    return parsePrinted(await kcat(broker.bootstrapServers, parameters));
  }

  it.each(COMPRESSION_NAMES)('%s: we read the segment that it filled', async (codec) => {
    const topic = `from-librdkafka-${codec}`;
    await createTopic(topic);
    const send = (parameters: readonly string[], input = ''): Promise<Buffer> =>
      kcat(
        broker.bootstrapServers,
        [
          '-P',
          '-t',
          topic,
          '-z',
          codec,
          '-X',
          'linger.ms=50',
          '-X',
          `message.max.bytes=${MESSAGE_BYTES_MAX}`,
          ...parameters,
        ],
        input,
      );
    const lines = Array.from({ length: LINES }, (_, index) => [
      `key ${index}`,
      `value ${index} ${'ü'.repeat(index % 40)}`,
    ]);
    const headers = ['-H', 'trace=first', '-H', 'trace=second', '-H', 'nothing', '-H', 'empty='];
    await send(['-K', ':', ...headers], lines.map((line) => `${line.join(':')}\n`).join(''));
    await send(['-K', ':', '-Z'], 'gone:\n');
    await send([join(folder, 'dense'), join(folder, 'noise')]);

    const batches = readOurs(readFileSync(join(dataDir, `${topic}-0`, SEGMENT)));
    const records = batches.flatMap((batch) => batch.records);
    expect(batches.length).toBeLessThan(LINES / 10);
    expect(batches.some((batch) => batch.codec === codec)).toBe(true);
    const expected: TestRecord[] = [
      ...lines.map(([key = '', value = '']) => ({
        timestamp: 0,
        key: Buffer.from(key),
        value: Buffer.from(value),
        headers: [
          { key: 'trace', value: 'first' },
          { key: 'trace', value: 'second' },
          { key: 'nothing', value: null },
          { key: 'empty', value: '' },
        ],
      })),
      { timestamp: 0, key: Buffer.from('gone'), value: null, headers: [] },
      { timestamp: 0, key: null, value: dense, headers: [] },
      { timestamp: 0, key: null, value: noise, headers: [] },
    ];
    const read = records.map(([offset, , ...rest]): RecordForm => [offset, 0, ...rest]);
    expect(read.slice(0, LINES + 1)).toEqual(expected.slice(0, LINES + 1).map(recordForm));
    // The large ones are compared as text: a difference would be printed otherwise.
    expect(JSON.stringify(read) === JSON.stringify(expected.map(recordForm))).toBe(true);
    expect(records.every(([, timestamp]) => Math.abs(timestamp - Date.now()) < 600_000)).toBe(true);
  });

  function ourRecords(now: number): TestRecord[] {
    return [
      { timestamp: now, key: Buffer.from('key'), value: Buffer.from('value'), headers: [] },
      { timestamp: now - 1000, key: null, value: Buffer.from([0, 10, 255, 124]), headers: [{ key: 'a', value: '1' }] },
      { timestamp: now + 1, key: Buffer.from([0, 10, 255]), value: null, headers: [] },
      { timestamp: now, key: null, value: null, headers: [] },
      { timestamp: now, key: Buffer.alloc(0), value: Buffer.alloc(0), headers: [{ key: 'empty', value: '' }] },
      {
        timestamp: now - 86_400_000,
        key: Buffer.from('headers'),
        value: Buffer.from('x'),
        headers: [
          { key: 'a', value: '1' },
          { key: 'a', value: null },
          { key: 'ключ', value: 'ü'.repeat(50) },
        ],
      },
      { timestamp: now, key: Buffer.from('dense'), value: dense, headers: [] },
      { timestamp: now, key: Buffer.from('noise'), value: noise, headers: [] },
    ];
  }

  function build(codec: CompressionName, records: readonly TestRecord[]): Buffer {
    const builder = new BatchBuilder({ capacityBytes: 65_536, compression: codec });
    for (const { timestamp, key, value, headers } of records) builder.append(timestamp, key, value, headers);
    return builder.finish();
  }

  function expectPrinted(printed: readonly Printed[], records: readonly TestRecord[]): void {
    expect(printed.map(({ offset, timestamp, headers }) => [offset, timestamp, headers])).toEqual(
      records.map(({ timestamp, headers }, index) => [
        index,
        timestamp,
        headers.map(({ key, value }) => `${key}=${value === null ? 'NULL' : String(value)}`).join(),
      ]),
    );
    const bytes = (part: Buffer | null | undefined): string | undefined => part?.toString('base64');
    records.forEach(({ key, value }, index) => {
      if (bytes(printed[index]?.key) === bytes(key) && bytes(printed[index]?.value) === bytes(value)) return;
      throw new Error(`key or value of record ${index} differ`);
    });
  }

  it.each(COMPRESSION_NAMES)('%s: it reads what we wrote, whole and split', async (codec) => {
    const topic = `to-librdkafka-${codec}`;
    await createTopic(topic);
    const records = ourRecords(Date.now());
    const batch = build(codec, records);
    await produce(topic, batch);
    const small = records.slice(0, 6);
    const parts = splitBatch(build(codec, small), { bytesMax: 150, offsetsFromZero: true });
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) await produce(topic, part);
    expectPrinted(await consume(topic), [...records, ...small]);
  });

  it('reads batches that carry the time of their append', async () => {
    const topic = 'append-time';
    await createTopic(topic, [{ name: 'message.timestamp.type', value: 'LogAppendTime' }]);
    const before = Date.now();
    await produce(topic, build('zstd', ourRecords(before - 500_000)));
    const printed = await consume(topic);
    expect(printed).toHaveLength(8);
    for (const { timestamp } of printed) {
      expect(timestamp).toBeGreaterThanOrEqual(before);
      expect(timestamp).toBeLessThanOrEqual(Date.now());
    }
  });
});
