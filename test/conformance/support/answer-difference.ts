/**
 * Compares an answer with a recorded one and says where they differ.
 *
 * Only the fields the recording has count. `<...>` in it matches anything; sentences are free as long as both sides have
 * one; rows of topics, partitions and groups may come in any order. Record batches are compared by what is in them; the
 * offsets of records count from their batch.
 */
import {
  COMPRESSION_NAMES,
  RecordReader,
  batchBaseOffset,
  batchBaseSequence,
  batchCompression,
  batchLastOffset,
  batchLeaderEpoch,
  batchMagic,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId,
  isControlBatch,
  isLogAppendTime,
  isTransactionalBatch,
} from '@kafka-template/protocol';
import type { Pattern } from './answer-steps.js';

/** Sentences, which are ours. */
const FREE_TEXTS = ['errorMessage', 'batchIndexErrorMessage', 'documentation'];

/** What identifies a row, the first that is there. */
const ROW_NAMES = [
  'name',
  'topic',
  'topicId',
  'key',
  'groupId',
  'transactionalId',
  'partitionIndex',
  'index',
  'partition',
  'memberId',
];

/** The places where `actual` is not what was recorded; empty when they agree. */
export function differences(expected: Pattern, actual: unknown, path = ''): string[] {
  if (typeof expected === 'string' && /^<.*>$/.test(expected)) return [];
  if (Array.isArray(expected)) {
    if (Buffer.isBuffer(actual)) return differences(expected, describeBatches(actual), path);
    return rowDifferences(expected as readonly Pattern[], actual, path);
  }
  if (typeof expected === 'object' && expected !== null) {
    return Object.entries(expected).flatMap(([name, value]) => {
      const given = (actual as Record<string, unknown> | null | undefined)?.[name];
      return isFree(name, value, actual as Record<string, unknown>) ? [] : differences(value, given, `${path}/${name}`);
    });
  }
  const given = Buffer.isBuffer(actual)
    ? actual.toString('base64')
    : typeof actual === 'bigint'
      ? Number(actual)
      : actual;
  return Object.is(expected, given)
    ? []
    : [`${path}: Kafka ${JSON.stringify(expected)}, here ${JSON.stringify(given)}`];
}

/**
 * What may differ: our sentence stands for Kafka's, an error of ours may have one where Kafka's has none, and a refused
 * batch may be told the log's start where Kafka refuses before it looks at the log.
 */
function isFree(name: string, expected: Pattern, row: Record<string, unknown> | null | undefined): boolean {
  const isError = row?.['errorCode'] !== undefined && row['errorCode'] !== 0;
  if (name === 'logStartOffset') return isError && expected === -1;
  if (!FREE_TEXTS.includes(name) || typeof row?.[name] !== 'string') return false;
  return typeof expected === 'string' || isError;
}

function rowDifferences(expected: readonly Pattern[], actual: unknown, path: string): string[] {
  if (!Array.isArray(actual)) return [`${path}: Kafka ${JSON.stringify(expected)}, here ${JSON.stringify(actual)}`];
  if (expected.length !== actual.length) {
    return [
      `${path}: Kafka has ${expected.length} rows, here ${actual.length}: ${JSON.stringify(actual).slice(0, 300)}`,
    ];
  }
  const [wanted, given] = [sorted(expected), sorted(actual as readonly unknown[])];
  return wanted.flatMap((row, index) => differences(row, given[index], `${path}/${index}`));
}

function sorted<T>(rows: readonly T[]): T[] {
  const keyOf = (row: unknown): string => {
    if (typeof row !== 'object' || row === null) return '';
    const parts = row as Record<string, unknown>;
    const name = ROW_NAMES.find((candidate) => parts[candidate] !== undefined && parts[candidate] !== null);
    const value = name === undefined ? '' : parts[name];
    return typeof value === 'number' ? String(value).padStart(9, '0') : String(value).replace(/^<.*/, '');
  };
  return [...rows].sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : keyOf(left) > keyOf(right) ? 1 : 0));
}

/** Batches in the form of the recording. */
function describeBatches(records: Buffer): unknown[] {
  const reader = new RecordReader(records);
  const batches: unknown[] = [];
  while (reader.nextBatch()) {
    const at = reader.batchPosition;
    const batch = {
      base: batchBaseOffset(records, at),
      last: batchLastOffset(records, at),
      magic: batchMagic(records, at),
      codec: COMPRESSION_NAMES[batchCompression(records, at)],
      leaderEpoch: batchLeaderEpoch(records, at),
      producerId: batchProducerId(records, at),
      producerEpoch: batchProducerEpoch(records, at),
      seq: batchBaseSequence(records, at),
      tx: isTransactionalBatch(records, at),
      control: isControlBatch(records, at),
      tsType: isLogAppendTime(records, at) ? 'LogAppendTime' : 'CreateTime',
      valid: reader.checkCrc(),
      maxTs: batchMaxTimestamp(records, at),
      recs: [] as unknown[],
    };
    while (reader.nextRecord()) {
      const headers = reader.headers().map(({ key, value }) => `${key}=${value === null ? 'null' : value.toString()}`);
      const [key, value] = [reader.key(), reader.value()];
      batch.recs.push([
        reader.offset - batch.base,
        reader.timestamp,
        key?.toString() ?? null,
        value?.toString() ?? null,
        ...headers,
      ]);
    }
    batches.push(batch);
  }
  return batches;
}
