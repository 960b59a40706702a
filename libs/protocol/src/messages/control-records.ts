/**
 * Control records: what a control batch holds instead of records of an application (KIP-98).
 *
 * The key says which kind it is, the value of a transaction marker which coordinator wrote it. Both begin with an int16
 * version, and newer versions may have more behind it, so anything from version 0 on is read. The markers of KRaft
 * controllers are known by their type alone.
 */
import { ProtocolError } from '../protocol-error.js';
import { BatchBuilder } from '../records/batch-builder.js';
import { type DecodedOf, int16, int32, message } from '../schema.js';
import { decodeVersioned, encodeVersioned, leadingInt16 } from '../versioned.js';

const VERSION = 0;

/** Kinds of control records by Kafka's names. Clients of transactions need the first two. */
export const ControlRecordType = {
  ABORT: 0,
  COMMIT: 1,
  LEADER_CHANGE: 2,
  SNAPSHOT_HEADER: 3,
  SNAPSHOT_FOOTER: 4,
  KRAFT_VERSION: 5,
  KRAFT_VOTERS: 6,
} as const;

/** The key of a control record, behind its version. */
export const ControlRecordTypeSchema = message({
  name: 'ControlRecordTypeSchema',
  versions: [VERSION, VERSION],
  flexible: null,
  fields: { type: int16 },
});

/** The value of a transaction marker, behind its version. */
export const EndTxnMarker = message({
  name: 'EndTxnMarker',
  versions: [VERSION, VERSION],
  flexible: null,
  fields: { coordinatorEpoch: int32 },
});

/** The key of a control record of this type; see {@link ControlRecordType}. */
export function encodeControlRecordKey(type: number): Buffer {
  return encodeVersioned(ControlRecordTypeSchema, VERSION, { type });
}

/**
 * The type of a control record from its key; one that {@link ControlRecordType} lacks comes from a newer Kafka.
 *
 * @throws ProtocolError when the key is null, too short, or of a negative version.
 */
export function decodeControlRecordKey(key: Buffer | null): number {
  if (key === null) throw new ProtocolError('INVALID_VALUE', 'a control record has no key');
  return decodeVersioned(ControlRecordTypeSchema, readableVersion(key), key).type;
}

/** The value of a transaction marker. `coordinatorEpoch` is that of the coordinator which decided. */
export function encodeEndTxnMarker(marker: DecodedOf<typeof EndTxnMarker>): Buffer {
  return encodeVersioned(EndTxnMarker, VERSION, marker);
}

/**
 * The value of a transaction marker.
 *
 * @throws ProtocolError when the value is null, too short, or of a negative version.
 */
export function decodeEndTxnMarker(value: Buffer | null): DecodedOf<typeof EndTxnMarker> {
  if (value === null) throw new ProtocolError('INVALID_VALUE', 'a transaction marker has no value');
  return decodeVersioned(EndTxnMarker, readableVersion(value), value);
}

function readableVersion(bytes: Buffer): number {
  const version = leadingInt16(bytes);
  if (version < VERSION) throw new ProtocolError('INVALID_VALUE', `control records have no version ${version}`);
  return VERSION;
}

/** What ends a transaction in one partition. */
export interface TransactionEnd {
  /** True for COMMIT, false for ABORT. */
  readonly committed: boolean;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly coordinatorEpoch: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
}

const MARKER_BATCH_BYTES = 128;

/** The control batch that ends a transaction: one record, no sequence, base offset 0. */
export function buildTransactionEnd(end: TransactionEnd): Buffer {
  const { committed, producerId, producerEpoch, coordinatorEpoch, timestamp } = end;
  const builder = new BatchBuilder({ capacityBytes: MARKER_BATCH_BYTES });
  const key = encodeControlRecordKey(committed ? ControlRecordType.COMMIT : ControlRecordType.ABORT);
  builder.append(timestamp, key, encodeEndTxnMarker({ coordinatorEpoch }), null);
  return builder.finish({ producerId, producerEpoch, transactional: true, control: true });
}
