/**
 * Record batches as KafkaRecords.java tells and takes them, and ours in the same form.
 *
 * Guarantees that two batches with equal forms carry the same records: bytes are base64, nothing is left out but where in
 * the batch a record lies.
 */
import {
  COMPRESSION_NAMES,
  type CompressionName,
  type RecordHeader,
  RecordReader,
  batchBaseOffset,
  batchBaseSequence,
  batchCompression,
  batchCrc,
  batchLastOffset,
  batchLeaderEpoch,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId,
  batchRecordCount,
  isControlBatch,
  isLogAppendTime,
  isTransactionalBatch,
} from '@kafka-template/protocol';
import { askKafka } from './kafka-codec.js';

/** [offset, timestamp, key, value, headers]. */
export type RecordForm = [number, number, string | null, string | null, [string, string | null][]];

/** A batch as Kafka tells it. */
export interface BatchForm {
  readonly sizeBytes: number;
  readonly crc: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  readonly codec: string;
  readonly timestampType: string;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly transactional: boolean;
  readonly control: boolean;
  readonly count: number;
  readonly records: RecordForm[];
  readonly marker?: { readonly type: string; readonly coordinatorEpoch: number };
}

/** A record to be written by either side. */
export interface TestRecord {
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

/** What Java is asked to write. */
export interface WriteRequest {
  readonly codec: CompressionName;
  readonly records: readonly TestRecord[];
  /** Offsets of the records; default: without gaps. */
  readonly offsets?: readonly number[];
  readonly level?: number;
  readonly timestampType?: 'CreateTime' | 'LogAppendTime';
  readonly logAppendTime?: number;
  readonly baseOffset?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly transactional?: boolean;
  readonly leaderEpoch?: number;
  readonly deleteHorizonMs?: number;
}

const SEQUENCES = 2 ** 31;

function base64(bytes: Buffer | string | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('base64');
}

/** A record in the form of both sides. */
export function recordForm(record: TestRecord, offset: number): RecordForm {
  const headers = record.headers.map(({ key, value }): [string, string | null] => [key, base64(value)]);
  return [offset, record.timestamp, base64(record.key), base64(record.value), headers];
}

/** Our reader's view of batches. */
export function readOurs(bytes: Buffer): BatchForm[] {
  const reader = new RecordReader(bytes);
  const forms: BatchForm[] = [];
  while (reader.nextBatch()) {
    if (!reader.checkCrc()) throw new Error(`the checksum of the batch at ${reader.batchPosition} is wrong`);
    const records: RecordForm[] = [];
    while (reader.nextRecord()) {
      const { offset, timestamp } = reader;
      const record = { timestamp, key: reader.key(), value: reader.value(), headers: reader.headers() };
      records.push(recordForm(record, offset));
    }
    forms.push({ ...headerForm(bytes, reader.batchPosition), sizeBytes: reader.batchBytes, records });
  }
  return forms;
}

function headerForm(bytes: Buffer, at: number): Omit<BatchForm, 'records' | 'sizeBytes'> {
  const baseSequence = batchBaseSequence(bytes, at);
  const lastOffset = batchLastOffset(bytes, at);
  const baseOffset = batchBaseOffset(bytes, at);
  return {
    crc: batchCrc(bytes, at),
    baseOffset,
    lastOffset,
    leaderEpoch: batchLeaderEpoch(bytes, at),
    codec: COMPRESSION_NAMES[batchCompression(bytes, at)] ?? 'unknown',
    timestampType: isLogAppendTime(bytes, at) ? 'LogAppendTime' : 'CreateTime',
    maxTimestamp: batchMaxTimestamp(bytes, at),
    producerId: batchProducerId(bytes, at),
    producerEpoch: batchProducerEpoch(bytes, at),
    baseSequence,
    lastSequence: baseSequence === -1 ? -1 : (baseSequence + lastOffset - baseOffset) % SEQUENCES,
    transactional: isTransactionalBatch(bytes, at),
    control: isControlBatch(bytes, at),
    count: batchRecordCount(bytes, at),
  };
}

/** Kafka's view of batches, each array of batches read on its own. */
export async function readByKafka(all: readonly Buffer[]): Promise<BatchForm[][]> {
  const requests = all.map((bytes) => JSON.stringify({ op: 'read', bytes: base64(bytes) }));
  const answers = await askKafka<{ batches?: BatchForm[]; error?: string }>(requests, 'KafkaRecords');
  return answers.map(({ batches, error }) => {
    if (batches === undefined) throw new Error(`Kafka cannot read a batch: ${error}`);
    return batches;
  });
}

/** Batches that Kafka writes. */
export async function writtenByKafka(requests: readonly WriteRequest[]): Promise<Buffer[]> {
  return bytesFromKafka(
    requests.map(({ records, offsets, baseOffset = 0, ...request }) => ({
      op: 'write',
      timestampType: 'CreateTime',
      logAppendTime: -1,
      producerId: -1,
      producerEpoch: -1,
      baseSequence: -1,
      transactional: false,
      leaderEpoch: -1,
      ...request,
      baseOffset,
      records: records.map((record, index) => recordForm(record, offsets?.[index] ?? baseOffset + index)),
    })),
  );
}

/** The bytes that Kafka answers requests with. */
export async function bytesFromKafka(requests: readonly object[]): Promise<Buffer[]> {
  const lines = requests.map((request) => JSON.stringify(request));
  const answers = await askKafka<{ bytes?: string; error?: string }>(lines, 'KafkaRecords');
  return answers.map(({ bytes, error }) => {
    if (bytes === undefined) throw new Error(`Kafka cannot write a batch: ${error}`);
    return Buffer.from(bytes, 'base64');
  });
}
