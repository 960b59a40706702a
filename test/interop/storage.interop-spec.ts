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
import { type DecodedRecord, decodeRecords } from '@kafka-template/protocol';
import { Kafka, logLevel } from 'kafkajs';
import { systemClock } from '../../libs/broker/src/io/clock.js';
import { silentLogger } from '../../libs/broker/src/io/logger.js';
import { DEFAULT_TOPIC_CONFIG } from '../../libs/broker/src/log/log-config.js';
import type { AppendOptions, AppendOutcome, Partition } from '../../libs/broker/src/replication/partition.js';
import { Partitions } from '../../libs/broker/src/replication/partitions.js';
import { testBatch, testMarker } from '../../libs/broker/src/testing/log-world.js';
import { installKafka, startKafka } from './kafka/start.mjs';

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
    const records = decodeRecords(Buffer.concat(outcome.records)).filter(({ offset }) => offset >= fetchOffset);
    expect(records.length).toBeGreaterThan(0);
    all.push(...records);
    fetchOffset = (records[records.length - 1]?.offset ?? 0) + 1;
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
