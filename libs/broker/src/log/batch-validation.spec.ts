import { ErrorCode, sealBatch, setBatchLogAppendTime } from '@kafka-template/protocol';
import { FakeClock } from '../testing/fake-clock.js';
import { type TestBatch, testBatch, testMarker } from '../testing/log-world.js';
import { type BatchRules, validateBatch } from './batch-validation.js';
import { DEFAULT_TOPIC_CONFIG, type TopicConfig } from './log-config.js';

const NOW = FakeClock.START_MS;
const CLIENT: BatchRules = { origin: 'client' };

function check(batch: Buffer, config: Partial<TopicConfig> = {}, rules = CLIENT): number {
  return validateBatch(batch, rules, { ...DEFAULT_TOPIC_CONFIG, ...config }, NOW)?.errorCode ?? ErrorCode.NONE;
}

/** A batch with some bytes changed and the checksum right again. */
function changed(change: (batch: Buffer) => void, options: TestBatch = { records: 3 }): Buffer {
  const batch = testBatch(options);
  change(batch);
  sealBatch(batch);
  return batch;
}

describe('batch validation', () => {
  it('accepts what a producer sends', () => {
    expect(check(testBatch())).toBe(0);
    expect(check(testBatch({ records: 100, compression: 'gzip' }))).toBe(0);
    expect(check(testBatch({ producerId: 7, producerEpoch: 1, baseSequence: 0 }))).toBe(0);
    expect(check(testBatch({ records: [{ key: null, value: null }] }))).toBe(0);
  });

  it.each<[string, () => Buffer, number]>([
    ['no bytes', () => Buffer.alloc(0), ErrorCode.INVALID_RECORD],
    ['half a header', () => testBatch().subarray(0, 60), ErrorCode.INVALID_RECORD],
    ['format 1', () => changed((batch) => batch.writeInt8(1, 16)), ErrorCode.INVALID_RECORD],
    ['two batches', () => Buffer.concat([testBatch(), testBatch()]), ErrorCode.INVALID_RECORD],
    ['trailing bytes', () => Buffer.concat([testBatch(), Buffer.alloc(1)]), ErrorCode.INVALID_RECORD],
    ['a length beyond its bytes', () => testBatch().subarray(0, 65), ErrorCode.INVALID_RECORD],
    [
      'a negative length',
      () => {
        const batch = testBatch();
        batch.writeInt32BE(-5, 8);
        return batch;
      },
      ErrorCode.CORRUPT_MESSAGE,
    ],
    ['a base offset', () => changed((batch) => batch.writeInt32BE(1, 4)), ErrorCode.INVALID_RECORD],
    [
      'a wrong checksum',
      () => {
        const batch = testBatch();
        batch.writeUInt8(1, 70);
        return batch;
      },
      ErrorCode.CORRUPT_MESSAGE,
    ],
    ['an unknown compression', () => changed((batch) => batch.writeInt16BE(5, 21)), ErrorCode.CORRUPT_MESSAGE],
    ['no records', () => changed((batch) => batch.writeInt32BE(0, 57)), ErrorCode.INVALID_RECORD],
    ['a count unlike its offsets', () => changed((batch) => batch.writeInt32BE(2, 57)), ErrorCode.INVALID_RECORD],
    ['a negative last offset delta', () => changed((batch) => batch.writeInt32BE(-1, 23)), ErrorCode.INVALID_RECORD],
    [
      'the control bit',
      () => testMarker({ producerId: 1, producerEpoch: 0, isAbort: true }),
      ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    ],
    ['the control bit alone', () => changed((batch) => batch.writeInt16BE(0x20, 21)), ErrorCode.INVALID_RECORD],
    ['a producer id without sequence', () => testBatch({ producerId: 1, producerEpoch: 0 }), ErrorCode.INVALID_RECORD],
    [
      'append time of its own',
      () => changed((batch) => setBatchLogAppendTime(batch, 0, NOW)),
      ErrorCode.INVALID_TIMESTAMP,
    ],
    [
      'a transaction without id',
      () => testBatch({ producerId: 1, producerEpoch: 0, baseSequence: 0, transactional: true }),
      ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    ],
  ])('refuses a batch with %s', (_what, make, errorCode) => {
    expect(check(make())).toBe(errorCode);
  });

  it('takes zstd from Produce 7 on', () => {
    const batch = changed((made) => made.writeInt16BE(4, 21));
    expect(check(batch, {}, { origin: 'client', produceVersion: 6 })).toBe(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE);
    expect(check(batch, {}, { origin: 'client', produceVersion: 7 })).toBe(0);
    expect(check(batch)).toBe(0);
  });

  it('bounds the size of a batch by max.message.bytes, then by segment.bytes', () => {
    const batch = testBatch({ valueBytes: 1000 });
    expect(check(batch, { maxMessageBytes: batch.length })).toBe(0);
    expect(check(batch, { maxMessageBytes: batch.length - 1 })).toBe(ErrorCode.MESSAGE_TOO_LARGE);
    expect(check(batch, { segmentBytes: batch.length - 1 })).toBe(ErrorCode.RECORD_LIST_TOO_LARGE);
    expect(check(batch, { maxMessageBytes: 10, segmentBytes: 10 })).toBe(ErrorCode.MESSAGE_TOO_LARGE);
    expect(check(batch, { maxMessageBytes: 10 }, { origin: 'coordinator' })).toBe(ErrorCode.MESSAGE_TOO_LARGE);
  });

  it('lets the coordinator write markers, and asks it for no keys', () => {
    const rules: BatchRules = { origin: 'coordinator' };
    expect(check(testMarker({ producerId: 1, producerEpoch: 0, isAbort: false }), {}, rules)).toBe(0);
    expect(check(testBatch(), { cleanupPolicy: ['compact'] }, rules)).toBe(0);
  });
});

describe('batch validation: timestamps', () => {
  const HOUR = 3_600_000;

  it('refuses records from too far in the future, one hour by default, and names them', () => {
    expect(check(testBatch({ timestamp: NOW + HOUR }))).toBe(0);
    const records = [{ timestamp: NOW }, { timestamp: NOW + HOUR + 1 }, { timestamp: NOW + 2 * HOUR }];
    const refusal = validateBatch(testBatch({ records }), CLIENT, DEFAULT_TOPIC_CONFIG, NOW);
    expect(refusal?.errorCode).toBe(ErrorCode.INVALID_TIMESTAMP);
    expect(refusal?.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1, 2]);
  });

  it('refuses records that are too old when the topic says so', () => {
    const config = { messageTimestampBeforeMaxMs: 1000 };
    expect(check(testBatch({ timestamp: NOW - 1000 }), config)).toBe(0);
    expect(check(testBatch({ timestamp: NOW - 1001 }), config)).toBe(ErrorCode.INVALID_TIMESTAMP);
    expect(check(testBatch({ records: [{ timestamp: NOW }, { timestamp: NOW - 1001 }] }), config)).toBe(
      ErrorCode.INVALID_TIMESTAMP,
    );
  });

  it('refuses a header that claims a later time than its records have', () => {
    const batch = changed((made) => made.writeBigInt64BE(BigInt(NOW + 10 * HOUR), 35));
    expect(check(batch)).toBe(ErrorCode.INVALID_TIMESTAMP);
  });

  it('accepts records without timestamp, and any timestamp when the topic dates them itself', () => {
    expect(check(testBatch({ timestamp: -1 }), { messageTimestampBeforeMaxMs: 1000 })).toBe(0);
    expect(check(testBatch({ timestamp: NOW + 10 * HOUR }), { messageTimestampType: 'LogAppendTime' })).toBe(0);
  });
});

describe('batch validation: compacted topics', () => {
  it.each(['none', 'gzip'] as const)('refuses records without key and names them (%s)', (compression) => {
    const config: TopicConfig = { ...DEFAULT_TOPIC_CONFIG, cleanupPolicy: ['compact'] };
    const good = testBatch({
      records: [
        { key: 'a', value: '1' },
        { key: '', value: null },
      ],
      compression,
    });
    expect(validateBatch(good, CLIENT, config, NOW)).toBeNull();
    const bad = testBatch({ records: [{ key: 'a' }, { value: 'b' }, { key: null }], compression });
    const refusal = validateBatch(bad, CLIENT, config, NOW);
    expect(refusal?.errorCode).toBe(ErrorCode.INVALID_RECORD);
    expect(refusal?.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1, 2]);
  });

  it('calls records that cannot be read corrupt', () => {
    const batch = changed((made) => made.writeInt16BE(1, 21));
    expect(check(batch, { cleanupPolicy: ['compact'] })).toBe(ErrorCode.CORRUPT_MESSAGE);
  });
});
