/**
 * Control records against the bytes that Kafka writes, and the batch that ends a transaction.
 */
import { ProtocolError } from '../protocol-error.js';
import { batchBaseSequence, isControlBatch, isTransactionalBatch, verifyBatchCrc } from '../records/batch.js';
import { decodeRecords } from '../records/record-reader.js';
import {
  ControlRecordType,
  buildTransactionEnd,
  decodeControlRecordKey,
  decodeEndTxnMarker,
  encodeControlRecordKey,
  encodeEndTxnMarker,
} from './control-records.js';

describe('control records', () => {
  it('have Kafka’s bytes', () => {
    expect(encodeControlRecordKey(ControlRecordType.ABORT).toString('hex')).toBe('00000000');
    expect(encodeControlRecordKey(ControlRecordType.COMMIT).toString('hex')).toBe('00000001');
    expect(encodeEndTxnMarker({ coordinatorEpoch: 17 }).toString('hex')).toBe('000000000011');
  });

  it('of newer versions and unknown types are read as far as they are known', () => {
    expect(decodeControlRecordKey(Buffer.from('000500630102', 'hex'))).toBe(99);
    expect(decodeEndTxnMarker(Buffer.from('00050000001109', 'hex'))).toEqual({ coordinatorEpoch: 17 });
  });

  it.each([null, Buffer.alloc(0), Buffer.from('000000', 'hex'), Buffer.from('ffff0001', 'hex')])(
    'that cannot be are a ProtocolError: %p',
    (bytes) => {
      expect(() => decodeControlRecordKey(bytes)).toThrow(ProtocolError);
      expect(() => decodeEndTxnMarker(bytes)).toThrow(ProtocolError);
    },
  );
});

describe('buildTransactionEnd', () => {
  it.each([
    [true, ControlRecordType.COMMIT],
    [false, ControlRecordType.ABORT],
  ])('committed %p', (committed, type) => {
    const end = { committed, producerId: 4001, producerEpoch: 7, coordinatorEpoch: 3, timestamp: 1_790_000_000_000 };
    const batch = buildTransactionEnd(end);
    expect([isControlBatch(batch), isTransactionalBatch(batch), verifyBatchCrc(batch)]).toEqual([true, true, true]);
    expect(batchBaseSequence(batch)).toBe(-1);
    const [record, ...more] = decodeRecords(batch);
    expect(more).toEqual([]);
    expect(record?.timestamp).toBe(end.timestamp);
    expect(decodeControlRecordKey(record?.key ?? null)).toBe(type);
    expect(decodeEndTxnMarker(record?.value ?? null)).toEqual({ coordinatorEpoch: 3 });
  });
});
