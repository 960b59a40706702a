/**
 * Our logs on disk and those of Apache Kafka are the same files.
 *
 * Guarantees that Kafka's own dump tool finds no fault in what our broker wrote, and that our broker reads what Kafka
 * wrote, after a clean stop and after a kill. Our half runs in this process; Kafka's is the real thing.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConsumer } from '@kafka-template/client';
import { type DecodedRecord, RecordReader, batchLastOffset, decodeRecords } from '@kafka-template/protocol';
import { Kafka, logLevel } from 'kafkajs';
import { createBroker } from '../../../libs/broker/src/index.js';
import { systemClock } from '../../../libs/broker/src/io/clock.js';
import { silentLogger } from '../../../libs/broker/src/io/logger.js';
import { DEFAULT_TOPIC_CONFIG } from '../../../libs/broker/src/log/log-config.js';
import type { AppendOptions, AppendOutcome, Partition } from '../../../libs/broker/src/replication/partition.js';
import { Partitions } from '../../../libs/broker/src/replication/partitions.js';
import { testBatch, testMarker } from '../../../libs/broker/src/testing/log-world.js';
import { installKafka, startKafka } from '../kafka/start.mjs';

const CLUSTER_ID = 'abcdefghijklmnopqrstuA';
const TOPIC_ID = 'AAAAAAAAQACAAAAAAAAAAQ';
const CLIENT: AppendOptions = { origin: 'client', acks: -1, timeoutMs: 1000, transactionalId: 'tx' };

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'storage-'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function open(dataDir: string, owner: { brokerId: number; clusterId: string }): Promise<Partitions> {
  return Partitions.open({ dataDir, clock: systemClock, logger: silentLogger, ...owner });
}

async function append(partition: Partition, batch: Buffer, options: Partial<AppendOptions> = {}): Promise<number> {
  const outcome = await new Promise<AppendOutcome>((resolve) => {
    partition.append(batch, { ...CLIENT, ...options }, resolve);
  });
  expect(outcome.errorCode).toBe(0);
  return outcome.baseOffset;
}

/** What Kafka's dump tool prints about files, faults included: its exit code is 0 whatever it finds. */
function dump(files: readonly string[], ...options: string[]): string {
  const tool = 'org.apache.kafka.tools.DumpLogSegments';
  const parameters = ['-cp', installKafka(), tool, '--files', files.join(','), ...options];
  const { stdout, stderr } = spawnSync('java', parameters, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  expect(stdout).toContain('Dumping');
  return stdout + stderr;
}

async function readAll(partition: Partition): Promise<DecodedRecord[]> {
  const all: DecodedRecord[] = [];
  for (let fetchOffset = partition.logStartOffset; fetchOffset < partition.highWatermark;) {
    const outcome = await partition.read({ fetchOffset, maxBytes: 50_000, minOneBatch: true, readCommitted: false });
    expect(outcome.errorCode).toBe(0);
    expect(outcome.sizeBytes).toBeGreaterThan(0);
    const reader = new RecordReader(Buffer.concat(outcome.records));
    const from = fetchOffset;
    all.push(...decodeRecords(reader.buffer).filter(({ offset }) => offset >= from));
    // Compaction leaves batches without records.
    while (reader.nextBatch()) fetchOffset = batchLastOffset(reader.buffer, reader.batchPosition) + 1;
    outcome.release();
  }
  return all;
}

/** Several segments: compressed and plain batches of an idempotent producer, an aborted and an open transaction. */
async function writeOurs(dataDir: string): Promise<number> {
  const partitions = await open(dataDir, { brokerId: 1, clusterId: CLUSTER_ID });
  const config = { ...DEFAULT_TOPIC_CONFIG, segmentBytes: 20_000, indexIntervalBytes: 1000 };
  const partition = await partitions.create('orders', 0, TOPIC_ID, config);
  const producer = { producerId: 7, producerEpoch: 0 };
  const compressions = ['none', 'gzip', 'snappy', 'lz4'] as const;
  for (let index = 0; index < 120; index++) {
    const compression = compressions[index % compressions.length] ?? 'none';
    const timestamp = Date.now() + index;
    const baseSequence = index * 10;
    await append(
      partition,
      testBatch({ ...producer, records: 10, valueBytes: 150, timestamp, compression, baseSequence }),
    );
  }
  const transaction = { producerId: 8, producerEpoch: 0, transactional: true };
  await append(partition, testBatch({ ...transaction, records: 5, baseSequence: 0 }));
  await append(partition, testMarker({ ...transaction, isAbort: true }), { origin: 'coordinator' });
  await append(partition, testBatch({ ...transaction, records: 5, baseSequence: 5 }));
  const { logEndOffset } = partition;
  await partitions.close();
  return logEndOffset;
}

describe('storage: what we write, read by the dump tool of Apache Kafka', () => {
  it('is without fault: batches, indexes, time indexes, transaction index and producer snapshots', async () => {
    const end = await writeOurs(join(root, 'ours'));
    const directory = join(root, 'ours', 'orders-0');
    const filesOf = (suffix: string): string[] =>
      readdirSync(directory)
        .filter((name) => name.endsWith(suffix))
        .sort()
        .map((name) => join(directory, name));

    const batches = dump(filesOf('.log'), '--deep-iteration').split('\n');
    expect(batches.filter((line) => line.startsWith('baseOffset:') && !line.endsWith('isvalid: true'))).toEqual([]);
    const offsets = batches.flatMap((line) => /^\| offset: (\d+) /.exec(line)?.[1] ?? []);
    expect(offsets.map(Number)).toEqual(Array.from({ length: end }, (_, index) => index));

    for (const suffix of ['.index', '.timeindex']) {
      const files = filesOf(suffix);
      expect(files.length).toBeGreaterThan(2);
      // Says so when an entry does not name the batch it points at.
      expect(dump(files, '--verify-index-only')).not.toMatch(/mismatch|Found timestamp|out of order|not found/i);
      const sane = dump(files, '--index-sanity-check').match(/passed sanity check|is empty/g);
      expect(sane).toHaveLength(files.length);
    }

    const snapshot = dump(filesOf('.snapshot').slice(-1));
    expect(snapshot).toMatch(
      /producerId: 7 producerEpoch: 0 .*firstSequence: 1190 lastSequence: 1199 lastOffset: 1199/,
    );
    expect(snapshot).toMatch(/producerId: 8 .*currentTxnFirstOffset: OptionalLong\[1206\]/);
    expect(dump(filesOf('.txnindex'))).toContain(
      'version: 0 producerId: 8 firstOffset: 1200 lastOffset: 1205 lastStableOffset: 1206',
    );
  });
});

/** The batches and indexes of a directory, dumped: what is wrong with them, and the data records in them. */
function dumped(directory: string): { faults: string[]; records: { offset: number; key: string }[]; text: string } {
  const filesOf = (suffix: string): string[] =>
    readdirSync(directory)
      .filter((name) => name.endsWith(suffix))
      .sort()
      .map((name) => join(directory, name));
  const text = dump(filesOf('.log'), '--deep-iteration', '--print-data-log');
  const faults = text.split('\n').filter((line) => line.startsWith('baseOffset:') && !line.endsWith('isvalid: true'));
  for (const suffix of ['.index', '.timeindex']) {
    const verified = dump(filesOf(suffix), '--verify-index-only');
    faults.push(
      ...verified.split('\n').filter((line) => /mismatch|Found timestamp|out of order|not found/i.test(line)),
    );
    const sane = dump(filesOf(suffix), '--index-sanity-check').match(/passed sanity check|is empty/g) ?? [];
    if (sane.length !== filesOf(suffix).length)
      faults.push(`${suffix}: ${sane.length} of ${filesOf(suffix).length} sane`);
  }
  for (const suffix of ['.txnindex', '.snapshot']) if (filesOf(suffix).length > 0) dump(filesOf(suffix));
  const records = [...text.matchAll(/^\| offset: (\d+) .* key: (k\d+)/gm)].map(([, offset, key]) => ({
    offset: Number(offset),
    key: String(key),
  }));
  return { faults, records, text };
}

const COMPACTED = { ...DEFAULT_TOPIC_CONFIG, cleanupPolicy: ['compact'] as const, minCleanableDirtyRatio: 0 };

/** A compacted topic of many small segments: all codecs, tombstones, a committed and an aborted transaction. */
async function writeCompacted(dataDir: string): Promise<DecodedRecord[]> {
  const partitions = await open(dataDir, { brokerId: 1, clusterId: CLUSTER_ID });
  const config = { ...COMPACTED, segmentBytes: 4000, indexIntervalBytes: 200 };
  const partition = await partitions.create('compacted', 0, TOPIC_ID, config);
  const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
  // The last batch of its producer stays as an empty one.
  const once = { producerId: 9, producerEpoch: 0, baseSequence: 0 };
  await append(partition, testBatch({ ...once, records: [{ key: 'k1', value: 'x' }] }));
  for (let index = 0; index < 100; index++) {
    const records = Array.from({ length: 5 }, (_, at) => {
      const key = `k${(index * 3 + at * 7) % 40}`;
      return { key, value: at === 4 ? null : `v${index}.${at}`.padEnd(60, '.') };
    });
    const compression = compressions[index % compressions.length] ?? 'none';
    const timestamp = Date.now() + index;
    await append(
      partition,
      testBatch({ records, compression, timestamp, producerId: 7, producerEpoch: 0, baseSequence: index * 5 }),
    );
    if (index % 20 !== 10) continue;
    const transaction = { producerId: 8, producerEpoch: 0, transactional: true };
    const baseSequence = Math.floor(index / 20);
    await append(partition, testBatch({ ...transaction, records: [{ key: `k${index}`, value: 'x' }], baseSequence }));
    await append(partition, testMarker({ ...transaction, isAbort: index % 40 === 10 }), { origin: 'coordinator' });
  }
  const before = partition.sizeBytes;
  // A full segment is completed, and so ready to be compacted, in the background.
  await eventually(async () => {
    await partitions.compact();
    expect(partition.sizeBytes).toBeLessThan(before / 2);
  });
  const records = await readAll(partition);
  await partitions.close();
  return records;
}

describe('storage: what we have compacted', () => {
  it('is without fault for the dump tool: batches with gaps, empty ones, delete horizons, indexes', async () => {
    const ours = await writeCompacted(join(root, 'ours'));
    const { faults, records, text } = dumped(join(root, 'ours', 'compacted-0'));
    expect(faults).toEqual([]);
    const expected = ours.filter(({ key }) => key?.toString().startsWith('k'));
    expect(records).toEqual(expected.map(({ offset, key }) => ({ offset, key: key?.toString() })));
    expect(text).toMatch(/deleteHorizonMs: OptionalLong\[\d+\]/);
    expect(text).toMatch(/count: 0 /);
    const checkpoint = readFileSync(join(root, 'ours', 'cleaner-offset-checkpoint'), 'utf8');
    expect(checkpoint).toMatch(/^0\n1\ncompacted 0 \d+\n$/);
  });

  it('is taken over by Apache Kafka, which serves it to a consumer', async () => {
    const ours = await writeCompacted(join(root, 'ours'));
    const dataDir = join(root, 'kafka');
    const first = await startKafka({ dataDir });
    const configEntries = [{ name: 'cleanup.policy', value: 'compact' }];
    try {
      const admin = new Kafka({ brokers: [first.bootstrapServers], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      await admin.createTopics({ topics: [{ topic: 'compacted', numPartitions: 1, configEntries }] });
      await admin.disconnect();
    } finally {
      await first.stop({ keepData: true });
    }
    const theirs = join(dataDir, 'log', 'compacted-0');
    for (const name of readdirSync(theirs)) if (name !== 'partition.metadata') rmSync(join(theirs, name));
    for (const name of readdirSync(join(root, 'ours', 'compacted-0'))) {
      if (name !== 'partition.metadata') cpSync(join(root, 'ours', 'compacted-0', name), join(theirs, name));
    }
    const second = await startKafka({ dataDir });
    try {
      const expected = ours.filter(({ key }) => key?.toString().startsWith('k')).map(({ offset }) => offset);
      const from = ['--bootstrap-server', second.bootstrapServers, '--topic', 'compacted', '--from-beginning'];
      const until = ['--max-messages', String(expected.length), '--timeout-ms', '30000'];
      const tool = 'org.apache.kafka.tools.consumer.ConsoleConsumer';
      const shown = ['--formatter-property', 'print.offset=true', '--formatter-property', 'print.key=true'];
      const { stdout } = spawnSync('java', ['-cp', installKafka(), tool, ...from, ...until, ...shown], {
        encoding: 'utf8',
      });
      expect([...stdout.matchAll(/^Offset:(\d+)\t/gm)].map(([, offset]) => Number(offset))).toEqual(expected);
    } finally {
      await second.stop({ keepData: true });
    }
  });

  it('holds the internal topics, which the decoders of the dump tool read', async () => {
    const dataDir = join(root, 'broker');
    const broker = await createBroker({
      dataDir,
      config: {
        'offsets.topic.num.partitions': '1',
        'offsets.topic.segment.bytes': '2000',
        'transaction.state.log.num.partitions': '1',
        'transaction.state.log.segment.bytes': '2000',
        'log.cleaner.backoff.ms': '20',
        'log.cleaner.min.cleanable.ratio': '0',
      },
    });
    try {
      const kafka = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING });
      const admin = kafka.admin();
      await admin.connect();
      await admin.createTopics({ topics: [{ topic: 't', numPartitions: 1 }] });
      const consumer = createConsumer({
        bootstrapServers: broker.bootstrapServers,
        groupId: 'g',
        enableAutoCommit: false,
      });
      consumer.assign([{ topic: 't', partition: 0 }]);
      for (let offset = 0; offset < 60; offset++) await consumer.commitSync([{ topic: 't', partition: 0, offset }]);
      await consumer.close();
      const producer = kafka.producer({ idempotent: true, transactionalId: 'tx', maxInFlightRequests: 1 });
      await producer.connect();
      for (let round = 0; round < 20; round++) {
        const transaction = await producer.transaction();
        await transaction.send({ topic: 't', messages: [{ value: 'v' }] });
        await transaction.commit();
      }
      await producer.disconnect();
      await admin.disconnect();
      await eventually(() => {
        const checkpoint = readFileSync(join(dataDir, 'cleaner-offset-checkpoint'), 'utf8');
        expect(checkpoint).toMatch(/__consumer_offsets 0 [1-9]/);
        expect(checkpoint).toMatch(/__transaction_state 0 [1-9]/);
      });
    } finally {
      await broker.close();
    }
    for (const [topic, option, pattern] of [
      ['__consumer_offsets', '--offsets-decoder', /"group":"g","topic":"t","partition":0.*"offset":59/],
      ['__transaction_state', '--transaction-log-decoder', /"transactionalId":"tx"/],
    ] as const) {
      const directory = join(dataDir, `${topic}-0`);
      expect(dumped(directory).faults).toEqual([]);
      const logs = readdirSync(directory).filter((name) => name.endsWith('.log'));
      const text = dump(
        logs.sort().map((name) => join(directory, name)),
        option,
      );
      expect(text).toMatch(pattern);
      expect(text).not.toMatch(/exception|could not|unknown/i);
    }
  });
});

/** Tries until it does not throw any more. */
async function eventually(check: () => void | Promise<void>): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

describe('storage: what Apache Kafka has compacted', () => {
  it('is read by us, and compacted further', async () => {
    const dataDir = join(root, 'kafka');
    const node = await startKafka({ dataDir, config: { 'log.cleaner.backoff.ms': '100' } });
    const newest = new Map<string, string>();
    try {
      const kafka = new Kafka({ brokers: [node.bootstrapServers], logLevel: logLevel.NOTHING });
      const admin = kafka.admin();
      await admin.connect();
      const configs = {
        'cleanup.policy': 'compact',
        'segment.bytes': String(1024 * 1024),
        'min.cleanable.dirty.ratio': '0.01',
      };
      const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
      await admin.createTopics({ topics: [{ topic: 'c', numPartitions: 1, configEntries }] });
      await admin.disconnect();
      const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
      await producer.connect();
      for (let batch = 0; batch < 40; batch++) {
        const messages = Array.from({ length: 100 }, (_, index) => {
          const key = `k${(batch * 7 + index) % 150}`;
          const value = (batch + index) % 50 === 49 ? null : `v${batch}.${index}`.padEnd(1000, '.');
          newest.set(key, value ?? '');
          return { key, value };
        });
        await producer.send({ topic: 'c', messages });
      }
      await producer.disconnect();
      await eventually(() => {
        expect(readFileSync(join(dataDir, 'log', 'cleaner-offset-checkpoint'), 'utf8')).toMatch(/^c 0 [1-9]/m);
      });
    } finally {
      await node.stop({ keepData: true });
    }
    const copy = join(root, 'copy');
    cpSync(join(dataDir, 'log'), copy, { recursive: true });
    const clusterId = /^cluster\.id=(.+)$/m.exec(readFileSync(join(copy, 'meta.properties'), 'utf8'))?.[1] ?? '';
    const partitions = await open(copy, { brokerId: 1, clusterId });
    const found = async (partition: Partition): Promise<Map<string, string>> => {
      const records = await readAll(partition);
      return new Map(records.map(({ key, value }) => [String(key), value?.toString() ?? '']));
    };
    try {
      const partition = partitions.get('c', 0);
      if (!partition) throw new Error('The partition of Kafka was not found.');
      expect(await found(partition)).toEqual(newest);
      partitions.updateConfig('c', { ...COMPACTED, segmentBytes: 1024 * 1024 });
      for (let index = 0; index < 3; index++) {
        await append(partition, testBatch({ records: [{ key: 'big', value: '.'.repeat(900_000) }] }));
        newest.set('big', '.'.repeat(900_000));
      }
      const before = partition.sizeBytes;
      await eventually(async () => {
        await partitions.compact();
        expect(partition.sizeBytes).toBeLessThan(before);
      });
      expect(await found(partition)).toEqual(newest);
    } finally {
      await partitions.close();
    }
    expect(dumped(join(copy, 'c-0')).faults).toEqual([]);
  });
});

describe('storage: what Apache Kafka writes, opened by us', () => {
  it.each(['stop', 'kill'] as const)(
    'is read record by record, with its producers and transactions (%s)',
    async (end) => {
      const dataDir = join(root, 'kafka');
      const values = await writeKafkas(dataDir, end);
      const copy = join(root, 'copy');
      cpSync(join(dataDir, 'log'), copy, { recursive: true });
      const properties = readFileSync(join(copy, 'meta.properties'), 'utf8');
      const brokerId = Number(/^node\.id=(\d+)$/m.exec(properties)?.[1]);
      const clusterId = /^cluster\.id=(.+)$/m.exec(properties)?.[1] ?? '';
      const partitions = await open(copy, { brokerId, clusterId });
      try {
        const partition = partitions.get('t', 0);
        if (!partition) throw new Error('The partition of Kafka was not found.');
        const records = await readAll(partition);
        expect(records.map(({ offset }) => offset)).toEqual(
          Array.from({ length: partition.logEndOffset }, (_, i) => i),
        );
        expect(records.flatMap(({ value }) => (value?.toString().startsWith('v') ? [value.toString()] : []))).toEqual(
          values,
        );
        // A killed broker may not have written the marker of the last transaction yet.
        if (end === 'stop') expect(partition.lastStableOffset).toBe(partition.highWatermark);
        const committed = { fetchOffset: 0, maxBytes: 100_000_000, minOneBatch: true, readCommitted: true };
        const { abortedTransactions } = await partition.read({ ...committed, fetchOffset: values.length - 2 });
        expect(abortedTransactions).toHaveLength(1);
        const first = records[0];
        expect(await partition.offsetForTimestamp(first?.timestamp ?? 0)).toMatchObject({ offset: 0 });
        expect(await append(partition, testBatch())).toBe(records.length);
      } finally {
        await partitions.close();
      }
    },
  );

  /** Two segments and two transactions, the first aborted. Returns the values in offset order, the aborted one included. */
  async function writeKafkas(dataDir: string, end: 'stop' | 'kill'): Promise<string[]> {
    const node = await startKafka({ dataDir });
    const values: string[] = [];
    try {
      const kafka = new Kafka({ brokers: [node.bootstrapServers], logLevel: logLevel.NOTHING });
      const admin = kafka.admin();
      await admin.connect();
      const configEntries = [{ name: 'segment.bytes', value: String(1024 * 1024) }];
      await admin.createTopics({ topics: [{ topic: 't', numPartitions: 1, configEntries }] });
      await admin.disconnect();
      const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
      await producer.connect();
      for (let batch = 0; batch < 20; batch++) {
        const messages = Array.from({ length: 100 }, (_, index) => ({ value: `v${batch}.${index}`.padEnd(1000, '.') }));
        await producer.send({ topic: 't', messages });
        values.push(...messages.map(({ value }) => value));
      }
      await producer.disconnect();
      const transactional = kafka.producer({ idempotent: true, transactionalId: 'tx', maxInFlightRequests: 1 });
      await transactional.connect();
      for (const [value, outcome] of [
        ['v aborted', 'abort'],
        ['v committed', 'commit'],
      ] as const) {
        const transaction = await transactional.transaction();
        await transaction.send({ topic: 't', messages: [{ value }] });
        await transaction[outcome]();
        values.push(value);
      }
      await transactional.disconnect();
    } finally {
      if (end === 'kill') await node.kill();
      else await node.stop({ keepData: true });
    }
    return values;
  }
});
