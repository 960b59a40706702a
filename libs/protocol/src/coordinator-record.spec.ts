/**
 * Records of internal topics: type or version in front, then the fields; newer and broken ones are told apart.
 */
import {
  decodeRecordKey,
  decodeRecordValue,
  encodeRecordKey,
  encodeRecordValue,
  recordTypeOf,
} from './coordinator-record.js';
import { GroupMetadataRecord, OffsetCommitRecord } from './messages/group-records.js';

const key = { group: 'billing', topic: 'orders', partition: 3 };
const value = { offset: 42, metadata: '', commitTimestamp: 1_700_000_000_000 };

describe('coordinator records', () => {
  it('put the type in front of a key', () => {
    const bytes = encodeRecordKey(OffsetCommitRecord, key);
    expect(bytes.toString('hex')).toBe('0001000762696c6c696e6700066f726465727300000003');
    expect(recordTypeOf(bytes)).toBe(1);
    expect(decodeRecordKey(OffsetCommitRecord, bytes)).toEqual(key);
  });

  it('put the version in front of a value', () => {
    const bytes = encodeRecordValue(OffsetCommitRecord, 3, { ...value, leaderEpoch: 5 });
    expect(bytes.toString('hex')).toBe('0003000000000000002a0000000500000000018bcfe56800');
    expect(decodeRecordValue(OffsetCommitRecord, bytes)).toEqual({
      ...value,
      leaderEpoch: 5,
      expireTimestamp: -1,
      topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
    });
  });

  it('read a value of a version and drop what an older version lacks', () => {
    const bytes = encodeRecordValue(OffsetCommitRecord, 0, { ...value, leaderEpoch: 5 });
    expect(decodeRecordValue(OffsetCommitRecord, bytes)).toMatchObject({ ...value, leaderEpoch: -1 });
  });

  it('ignore what a newer writer put behind a value', () => {
    const bytes = Buffer.concat([encodeRecordValue(OffsetCommitRecord, 3, value), Buffer.of(1, 2, 3)]);
    expect(decodeRecordValue(OffsetCommitRecord, bytes)).toMatchObject(value);
  });

  it.each<[string, () => unknown, string]>([
    [
      'a key of another kind',
      () => decodeRecordKey(GroupMetadataRecord, encodeRecordKey(OffsetCommitRecord, key)),
      'INVALID_VALUE',
    ],
    [
      'a value of a newer version',
      () => decodeRecordValue(OffsetCommitRecord, Buffer.of(0, 99, 0)),
      'UNSUPPORTED_VERSION',
    ],
    [
      'a negative version',
      () => decodeRecordValue(OffsetCommitRecord, Buffer.of(0xff, 0xff, 0)),
      'UNSUPPORTED_VERSION',
    ],
    ['a value that is cut off', () => decodeRecordValue(OffsetCommitRecord, Buffer.of(0, 3, 0)), 'TRUNCATED'],
    ['no bytes at all', () => recordTypeOf(Buffer.alloc(0)), 'TRUNCATED'],
    [
      'a version to write that is not there',
      () => encodeRecordValue(OffsetCommitRecord, 5, value),
      'UNSUPPORTED_VERSION',
    ],
  ])('%s is an error', (_what, run, code) => {
    expect(run).toThrow(expect.objectContaining({ name: 'ProtocolError', code }) as Error);
  });
});
