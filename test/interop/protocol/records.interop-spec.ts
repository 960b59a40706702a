/**
 * Record batches, hashes and checksums: ours and those of Kafka's own classes are the same.
 *
 * Guarantees for every codec that Kafka reads what we write and we read what Kafka writes, to the last byte of keys, values
 * and headers, and that both see the same header of a batch.
 */
import {
  BatchBuilder,
  type BatchFinish,
  COMPRESSION_NAMES,
  type CompressionName,
  ControlRecordType,
  buildTransactionEnd,
  crc32c,
  decodeControlRecordKey,
  decodeEndTxnMarker,
  decodeRecords,
  decodeStickyUserData,
  encodeStickyUserData,
  javaStringHash,
  murmur2,
  sealBatch,
  setBatchBaseOffset,
  setBatchLeaderEpoch,
  setBatchLogAppendTime,
  setBatchProducer,
  splitBatch,
} from '@kafka-template/protocol';
import { Random, seedOfRun } from '../../conformance/support/random.js';
import { askKafka } from './kafka-codec.js';
import {
  type BatchForm,
  type TestRecord,
  type WriteRequest,
  bytesFromKafka,
  readByKafka,
  readOurs,
  recordForm,
  writtenByKafka,
} from './kafka-records.js';

const NOW = 1_790_000_000_000;
const MEGABYTE = 1024 * 1024;
const HASHED_KEYS = 10_000;
const TEXTS = ['', 'a', 'orders', 'Grüße', '主题', '\u{1f600}', '\u0000', 'x'.repeat(300)];
const seed = seedOfRun();
const random = new Random(seed);

/** Everything a record can be: null, empty, small, large, repeated headers, timestamps in both directions. */
const RECORDS: readonly TestRecord[] = [
  { timestamp: NOW, key: Buffer.from('key'), value: Buffer.from('value'), headers: [] },
  { timestamp: NOW, key: null, value: Buffer.from('no key'), headers: [] },
  { timestamp: NOW + 1, key: Buffer.from('no value'), value: null, headers: [] },
  { timestamp: NOW + 63, key: null, value: null, headers: [{ key: 'only', value: 'headers' }] },
  { timestamp: NOW + 64, key: Buffer.alloc(0), value: Buffer.alloc(0), headers: [{ key: '', value: Buffer.alloc(0) }] },
  {
    timestamp: NOW - 70_000_000_000,
    key: Buffer.from('ключ'),
    value: Buffer.from([0, 255, 128, 10]),
    headers: [
      { key: 'trace', value: 'first' },
      { key: 'trace', value: null },
      { key: 'trace', value: Buffer.from([0, 255]) },
      { key: 'Grüße', value: 'ä'.repeat(200) },
    ],
  },
  { timestamp: NOW + 2 ** 40, key: Buffer.from('far'), value: random.bytes(9000), headers: [] },
  { timestamp: 0, key: Buffer.from('1970'), value: random.bytes(100), headers: [] },
  { timestamp: NOW, key: Buffer.from('dense'), value: Buffer.alloc(MEGABYTE, 'kafka '), headers: [] },
  { timestamp: NOW, key: Buffer.from('noise'), value: random.bytes(MEGABYTE), headers: [] },
];

function build(codec: CompressionName, records: readonly TestRecord[], finish: BatchFinish = {}): Buffer {
  const builder = new BatchBuilder({ capacityBytes: 4096, compression: codec });
  for (const { timestamp, key, value, headers } of records) builder.append(timestamp, key, value, headers);
  return builder.finish(finish);
}

function manyRecords(count: number): TestRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    timestamp: NOW + random.below(100_000) - 50_000,
    key: random.oneIn(5) ? null : random.bytes(random.below(80)),
    value: random.oneIn(9) ? null : Buffer.from(`${index} `.repeat(random.below(100))),
    headers: random.oneIn(3) ? [{ key: random.pick(TEXTS), value: random.oneIn(2) ? null : random.bytes(70) }] : [],
  }));
}

/** Runs, repetitions at all distances, few letters and noise; short, and up to a few blocks of each codec long. */
function content(index: number): Buffer {
  const data = Buffer.alloc(index % 3 === 0 ? random.below(140_000) : random.below(400));
  const letters = random.pick([1, 2, 10, 256]);
  const distance = 1 + random.below(random.oneIn(2) ? 20 : 70_000);
  for (let at = 0; at < data.length; at++) {
    const repeated = at >= distance && index % 2 === 0 && !random.oneIn(40);
    data[at] = repeated ? (data[at - distance] as number) : random.below(letters);
  }
  return data;
}

/** Long texts say nothing when they differ; their beginning and length do. */
function short(form: BatchForm[]): unknown {
  const cut = (text: string | null) =>
    text === null || text.length < 200 ? text : `${text.slice(0, 80)}… ${text.length}`;
  return form.map(({ records, ...header }) => ({
    ...header,
    records: records.map(([offset, timestamp, key, value, headers]) => [
      offset,
      timestamp,
      cut(key),
      cut(value),
      headers,
    ]),
  }));
}

function expectEqual(ours: BatchForm[], theirs: BatchForm[]): void {
  if (JSON.stringify(ours) === JSON.stringify(theirs.map(inOurOrder))) return;
  expect(short(theirs)).toEqual(short(ours));
  throw new Error('the batches differ in a long key or value');
}

function inOurOrder(batch: BatchForm): object {
  const { sizeBytes, records, ...header } = batch;
  return { ...header, sizeBytes, records };
}

describe(`batches of ours, SEED=${seed}`, () => {
  it.each(COMPRESSION_NAMES)('%s: Kafka reads every record', async (codec) => {
    const plain = build(codec, RECORDS);
    const finish = { baseOffset: Number.MAX_SAFE_INTEGER - 100, leaderEpoch: 2 ** 31 - 1 };
    const idempotent = build(codec, manyRecords(3000), {
      ...finish,
      producerId: Number.MAX_SAFE_INTEGER,
      producerEpoch: 32767,
      baseSequence: 2 ** 31 - 2,
    });
    const transactional = build(codec, manyRecords(70), {
      producerId: 7,
      producerEpoch: 0,
      baseSequence: 0,
      transactional: true,
    });
    const appendTime = build(codec, RECORDS);
    setBatchLogAppendTime(appendTime, 0, NOW + 12_345);
    sealBatch(appendTime);
    const several = Buffer.concat([plain, transactional, idempotent]);
    const all = [plain, idempotent, transactional, appendTime, several];
    (await readByKafka(all)).forEach((theirs, index) => expectEqual(readOurs(all[index] as Buffer), theirs));
    const [ours] = readOurs(plain);
    expect(ours?.records.map((form) => form[4].length)).toEqual([0, 0, 0, 1, 1, 4, 0, 0, 0, 0]);
    expect(ours?.records).toEqual(RECORDS.map(recordForm));
  });

  it.each(COMPRESSION_NAMES.slice(1))(`%s: contents of every kind and length are read by both`, async (codec) => {
    const contents = Array.from({ length: 150 }, (_, index) => content(index));
    const ours = contents.map((value) => build(codec, [{ timestamp: NOW, key: null, value, headers: [] }]));
    const theirs = await writtenByKafka(
      contents.map((value) => ({ codec, records: [{ timestamp: NOW, key: null, value, headers: [] }] })),
    );
    const answers = await readByKafka(ours);
    contents.forEach((value, index) => {
      const expected = value.toString('base64');
      const readByThem = answers[index]?.[0]?.records[0]?.[3];
      const readByUs = decodeRecords(theirs[index] as Buffer)[0]?.value?.toString('base64');
      if (readByThem !== expected || readByUs !== expected) throw new Error(`${codec} differs for content ${index}`);
    });
  });

  it('are read after their header was patched', async () => {
    const patched = build('none', RECORDS.slice(0, 5));
    setBatchBaseOffset(patched, 0, 5_000_000_000);
    setBatchLeaderEpoch(patched, 0, 12);
    const sealed = build('gzip', RECORDS.slice(0, 5));
    setBatchProducer(sealed, 0, { producerId: 2 ** 40, producerEpoch: 3, baseSequence: 17 });
    sealBatch(sealed);
    const all = [patched, sealed];
    const answers = await readByKafka(all);
    answers.forEach((theirs, index) => expectEqual(readOurs(all[index] as Buffer), theirs));
    expect(answers[0]?.[0]).toMatchObject({ baseOffset: 5_000_000_000, leaderEpoch: 12 });
    expect(answers[1]?.[0]).toMatchObject({ producerId: 2 ** 40, lastSequence: 21 });
  });

  it.each(COMPRESSION_NAMES)('%s: are read after a split', async (codec) => {
    const whole = build(codec, manyRecords(500), {
      baseOffset: 40,
      producerId: 9,
      producerEpoch: 1,
      baseSequence: 2 ** 31 - 5,
    });
    const parts = splitBatch(whole, { bytesMax: Math.ceil(whole.length / 5) });
    expect(parts.length).toBeGreaterThan(4);
    const [before, after] = (await readByKafka([whole, Buffer.concat(parts)])) as [BatchForm[], BatchForm[]];
    expect(after.flatMap(({ records }) => records)).toEqual(before.flatMap(({ records }) => records));
    expect(after.at(-1)?.lastSequence).toBe(before[0]?.lastSequence);
  });

  it('end transactions', async () => {
    const ends = [true, false].map((committed) => ({
      committed,
      producerId: 4001,
      producerEpoch: 7,
      coordinatorEpoch: 19,
      timestamp: NOW,
    }));
    const [commit, abort] = await readByKafka(ends.map((end) => buildTransactionEnd(end)));
    expect(commit?.[0]).toMatchObject({
      control: true,
      transactional: true,
      producerId: 4001,
      producerEpoch: 7,
      count: 1,
    });
    expect(commit?.[0]?.marker).toEqual({ type: 'COMMIT', coordinatorEpoch: 19 });
    expect(abort?.[0]?.marker).toEqual({ type: 'ABORT', coordinatorEpoch: 19 });
  });
});

describe(`batches of Kafka, SEED=${seed}`, () => {
  it.each(COMPRESSION_NAMES)('%s: we read every record', async (codec) => {
    const many = manyRecords(3000);
    const producer = { producerId: 2 ** 52, producerEpoch: 32767, baseSequence: 2 ** 31 - 2, transactional: true };
    const requests: WriteRequest[] = [
      { codec, records: RECORDS },
      { codec, records: many, baseOffset: Number.MAX_SAFE_INTEGER - 3000, leaderEpoch: 2 ** 31 - 1, ...producer },
      { codec, records: RECORDS, timestampType: 'LogAppendTime', logAppendTime: NOW + 777 },
      { codec, records: many.slice(0, 3), offsets: [10, 500, 100_000], baseOffset: 10 },
      { codec, records: many, deleteHorizonMs: NOW + 5 },
    ];
    const batches = await writtenByKafka(requests);
    const answers = await readByKafka(batches);
    batches.forEach((bytes, index) => expectEqual(readOurs(bytes), answers[index] as BatchForm[]));
    const offsets = requests.map(({ baseOffset = 0 }) => baseOffset);
    expect(readOurs(batches[0] as Buffer)[0]?.records).toEqual(RECORDS.map(recordForm));
    expect(readOurs(batches[1] as Buffer)[0]?.records).toEqual(
      many.map((record, index) => recordForm(record, (offsets[1] as number) + index)),
    );
    expect(decodeRecords(batches[2] as Buffer).every(({ timestamp }) => timestamp === NOW + 777)).toBe(true);
    expect(decodeRecords(batches[3] as Buffer).map(({ offset }) => offset)).toEqual([10, 500, 100_000]);
    expect(readOurs(batches[4] as Buffer)[0]?.records).toEqual(many.map(recordForm));
  });

  it.each<[CompressionName, number[]]>([
    ['gzip', [1, 9]],
    ['lz4', [1, 17]],
    ['zstd', [-7, 1, 19, 22]],
  ])('%s of the levels %j is read', async (codec, levels) => {
    const records = [...RECORDS, ...manyRecords(500)];
    const batches = await writtenByKafka(levels.map((level) => ({ codec, records, level })));
    for (const batch of batches) {
      const [form, ...more] = readOurs(batch);
      expect(more).toEqual([]);
      expect(JSON.stringify(form?.records)).toBe(JSON.stringify(records.map(recordForm)));
    }
  });

  it('that compaction left empty have no records', async () => {
    const empty = { op: 'empty', producerId: 5, producerEpoch: 1, baseSequence: 10, baseOffset: 100, lastOffset: 149 };
    const [bytes] = await bytesFromKafka([{ ...empty, leaderEpoch: 3, timestamp: NOW }]);
    const [form] = readOurs(bytes as Buffer);
    expect(form).toMatchObject({ baseOffset: 100, lastOffset: 149, lastSequence: 59, count: 0, records: [] });
  });

  it('that end transactions are read', async () => {
    const marker = { op: 'marker', baseOffset: 3, timestamp: NOW, leaderEpoch: 2, producerId: 6, producerEpoch: 4 };
    const requests = ['COMMIT', 'ABORT'].map((type) => ({ ...marker, type, coordinatorEpoch: 11 }));
    const [commit, abort] = await bytesFromKafka(requests);
    for (const [bytes, type] of [
      [commit, ControlRecordType.COMMIT],
      [abort, ControlRecordType.ABORT],
    ] as const) {
      const [record] = decodeRecords(bytes as Buffer);
      expect(readOurs(bytes as Buffer)[0]).toMatchObject({ control: true, transactional: true, baseSequence: -1 });
      expect(decodeControlRecordKey(record?.key ?? null)).toBe(type);
      expect(decodeEndTxnMarker(record?.value ?? null)).toEqual({ coordinatorEpoch: 11 });
    }
  });
});

describe(`hashes, SEED=${seed}`, () => {
  it(`of ${HASHED_KEYS} keys and ${HASHED_KEYS} texts are Java's`, async () => {
    const texts = Array.from({ length: HASHED_KEYS }, () =>
      Array.from({ length: random.below(12) }, () => random.pick(TEXTS)).join(''),
    );
    const keys = Array.from({ length: HASHED_KEYS }, (_, index) => random.bytes(index % 100));
    const utf8 = texts.map((text) => Buffer.from(text));
    const request = { op: 'hash', keys: [...keys, ...utf8].map((key) => key.toString('base64')), texts };
    const [answer] = await askKafka<{ murmur2: number[]; crc32c: number[]; hashCode: number[] }>(
      [JSON.stringify(request)],
      'KafkaRecords',
    );
    expect([...keys, ...utf8].map((key) => murmur2(key))).toEqual(answer?.murmur2);
    expect([...keys, ...utf8].map((key) => crc32c(key))).toEqual(answer?.crc32c);
    expect(texts.map((text) => javaStringHash(text))).toEqual(answer?.hashCode);
    expect(new Set(answer?.murmur2).size).toBeGreaterThan(HASHED_KEYS);
  });
});

describe('user data of the sticky assignor', () => {
  it('is Kafka’s, and Kafka reads ours of both versions', async () => {
    const partitions = [
      ['a', 0],
      ['a', 2],
      ['b', 1],
    ] as const;
    const data = {
      previousAssignment: [
        { topic: 'a', partitions: [0, 2] },
        { topic: 'b', partitions: [1] },
      ],
      generation: 42,
    };
    const userData = [encodeStickyUserData(data), encodeStickyUserData(data, 0)].map((bytes) =>
      bytes.toString('base64'),
    );
    const [answer] = await askKafka<{ bytes: string; read: { generation: number; partitions: unknown[] }[] }>(
      [JSON.stringify({ op: 'sticky', partitions, generation: 42, userData })],
      'KafkaRecords',
    );
    expect(decodeStickyUserData(Buffer.from(answer?.bytes ?? '', 'base64'))).toEqual(data);
    expect(answer?.read).toEqual([
      { generation: 42, partitions },
      { generation: -1, partitions },
    ]);
  });
});
