/**
 * May this batch go into the log? Kafka's checks, in Kafka's order, on the 61 byte header and the checksum.
 * Guarantees: no record is looked at unless the topic makes that necessary (compaction, timestamps outside the limits);
 * nothing is allocated for a batch that passes.
 * Leaves out sequence numbers (producer-state.ts) and what concerns the whole request (acks, replicas).
 */
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  ErrorCode,
  ProtocolError,
  RecordReader,
  batchBaseOffset,
  batchBaseSequence,
  batchBaseTimestamp,
  batchCompression,
  batchLastOffsetDelta,
  batchMagic,
  batchMaxTimestamp,
  batchProducerId,
  batchRecordCount,
  batchSizeBytes,
  isControlBatch,
  isLogAppendTime,
  isTransactionalBatch,
  verifyBatchCrc,
} from '@kafka-template/protocol';
import { NO_LIMIT, type TopicConfig } from './log-config.js';
import type { Verification } from './producer-state.js';

/** Why a single record was refused; `batchIndex` counts from 0 inside the batch. */
export interface RecordError {
  readonly batchIndex: number;
  readonly message: string | null;
}

/** Why a batch was refused, in the words a client may see. */
export interface BatchRefusal {
  readonly errorCode: number;
  readonly message: string;
  readonly recordErrors: readonly RecordError[];
}

/** What the checks depend on besides the batch and the topic. */
export interface BatchRules {
  /** `client`: everything is checked. `coordinator`: our own records; control batches are allowed. */
  readonly origin: 'client' | 'coordinator';
  /** Version of the Produce request; some checks depend on it. Default: the newest. */
  readonly produceVersion?: number;
  /** Transactional id of the request; needed for transactional batches of clients. */
  readonly transactionalId?: string | null;
  /**
   * What `beginVerification` gave for the batch; a transactional batch that does not match it is refused with
   * INVALID_TXN_STATE. Absent: whoever appends answers for it.
   */
  readonly verification?: Verification | null;
  /** Of a marker: the version of transactions its transaction used. Default 0. */
  readonly transactionVersion?: number;
}

const ZSTD = 4;
const ZSTD_PRODUCE_VERSION = 7;
const NO_RECORD_ERRORS: readonly RecordError[] = [];
/** As many records of one batch are named when they are refused; the batch is refused as a whole anyway. */
const RECORD_ERRORS_MAX = 100;

function refuse(errorCode: number, message: string, recordErrors = NO_RECORD_ERRORS): BatchRefusal {
  return { errorCode, message, recordErrors };
}

/** The refusal of a batch, or null when it may be appended. `nowMs` is the wall clock. */
export function validateBatch(
  records: Buffer,
  rules: BatchRules,
  config: TopicConfig,
  nowMs: number,
): BatchRefusal | null {
  if (rules.origin === 'coordinator') {
    return validateEnvelope(records) ?? validateBounds(records, config) ?? validateSegmentSize(records, config);
  }
  return (
    validateEnvelope(records) ??
    validateClientRequest(records, rules) ??
    validateBounds(records, config) ??
    validateChecksum(records) ??
    validateClientHeader(records) ??
    validateTimestamps(records, config, nowMs) ??
    validateKeys(records, config) ??
    validateSegmentSize(records, config)
  );
}

function validateEnvelope(records: Buffer): BatchRefusal | null {
  if (records.length < BATCH_HEADER_BYTES) {
    return records.length === 0
      ? refuse(ErrorCode.INVALID_RECORD, 'A produce request must contain one record batch per partition, not none.')
      : refuse(ErrorCode.INVALID_RECORD, `A record batch needs ${BATCH_HEADER_BYTES} bytes, not ${records.length}.`);
  }
  const magic = batchMagic(records);
  if (magic !== BATCH_MAGIC) {
    return refuse(
      ErrorCode.INVALID_RECORD,
      `Record batches must have format ${BATCH_MAGIC} (Kafka 0.11 and later), not ${magic}.`,
    );
  }
  const sizeBytes = batchSizeBytes(records);
  if (sizeBytes < BATCH_HEADER_BYTES || sizeBytes > records.length) {
    // Kafka finds no whole batch in too few bytes. CORRUPT_MESSAGE would make clients send the same ones for ever.
    const isCut = sizeBytes > records.length;
    return refuse(
      isCut ? ErrorCode.INVALID_RECORD : ErrorCode.CORRUPT_MESSAGE,
      `The batch claims ${sizeBytes} bytes, of which ${records.length} were sent.`,
    );
  }
  if (sizeBytes < records.length) {
    return refuse(ErrorCode.INVALID_RECORD, 'A produce request must contain exactly one record batch per partition.');
  }
  return null;
}

function validateClientRequest(records: Buffer, rules: BatchRules): BatchRefusal | null {
  if (batchCompression(records) === ZSTD && (rules.produceVersion ?? ZSTD_PRODUCE_VERSION) < ZSTD_PRODUCE_VERSION) {
    return refuse(
      ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
      `Compression zstd needs Produce version ${ZSTD_PRODUCE_VERSION} or later.`,
    );
  }
  if (isTransactionalBatch(records) && (rules.transactionalId ?? null) === null) {
    return refuse(
      ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
      'The batch is part of a transaction but the request names no transactional id.',
    );
  }
  if (batchBaseOffset(records) !== 0) {
    return refuse(
      ErrorCode.INVALID_RECORD,
      `The base offset of a produced batch must be 0, the broker assigns offsets.`,
    );
  }
  return null;
}

function validateBounds(records: Buffer, config: TopicConfig): BatchRefusal | null {
  if (records.length <= config.maxMessageBytes) return null;
  return refuse(
    ErrorCode.MESSAGE_TOO_LARGE,
    `The batch has ${records.length} bytes; max.message.bytes of the topic allows ${config.maxMessageBytes}.`,
  );
}

function validateChecksum(records: Buffer): BatchRefusal | null {
  if (batchCompression(records) > ZSTD) {
    return refuse(ErrorCode.CORRUPT_MESSAGE, `The batch has the unknown compression ${batchCompression(records)}.`);
  }
  return verifyBatchCrc(records) ? null : refuse(ErrorCode.CORRUPT_MESSAGE, 'The checksum of the batch is wrong.');
}

function validateClientHeader(records: Buffer): BatchRefusal | null {
  const count = batchRecordCount(records);
  if (count <= 0 || batchLastOffsetDelta(records) + 1 !== count) {
    return refuse(
      ErrorCode.INVALID_RECORD,
      `The batch claims ${count} records but its last offset delta is ${batchLastOffsetDelta(records)}.`,
    );
  }
  if (isControlBatch(records)) return refuse(ErrorCode.INVALID_RECORD, 'Clients may not write control records.');
  if (batchProducerId(records) >= 0 && batchBaseSequence(records) < 0) {
    return refuse(ErrorCode.INVALID_RECORD, 'A batch with a producer id needs a sequence number.');
  }
  return null;
}

function validateTimestamps(records: Buffer, config: TopicConfig, nowMs: number): BatchRefusal | null {
  if (isLogAppendTime(records)) {
    return refuse(
      ErrorCode.INVALID_TIMESTAMP,
      'A producer may not send batches with append time; the topic decides with message.timestamp.type.',
    );
  }
  if (config.messageTimestampType === 'LogAppendTime') return null;
  const { messageTimestampBeforeMaxMs: beforeMaxMs, messageTimestampAfterMaxMs: afterMaxMs } = config;
  const latest = afterMaxMs >= NO_LIMIT ? Infinity : nowMs + afterMaxMs;
  const earliest = beforeMaxMs >= NO_LIMIT ? -Infinity : nowMs - beforeMaxMs;
  const isHeaderLate = batchMaxTimestamp(records) > latest || batchBaseTimestamp(records) > latest;
  if (!isHeaderLate && earliest === -Infinity) return null;
  const message =
    'Timestamps of the batch are outside message.timestamp.before.max.ms and message.timestamp.after.max.ms.';
  const check = (reader: RecordReader): string | null => outsideLimits(reader.timestamp, earliest, latest);
  const refusal = refuseRecords(records, check, ErrorCode.INVALID_TIMESTAMP, message);
  // A header that claims a later time than its records would keep the segment alive for ever.
  return refusal ?? (isHeaderLate ? refuse(ErrorCode.INVALID_TIMESTAMP, message) : null);
}

function outsideLimits(timestamp: number, earliest: number, latest: number): string | null {
  if (timestamp === -1 || (timestamp >= earliest && timestamp <= latest)) return null;
  return `Timestamp ${timestamp} is outside the allowed range from ${earliest} to ${latest}.`;
}

function validateKeys(records: Buffer, config: TopicConfig): BatchRefusal | null {
  if (!config.cleanupPolicy.includes('compact')) return null;
  return refuseRecords(
    records,
    (reader) => (reader.keyLength < 0 ? 'A compacted topic does not accept records without a key.' : null),
    ErrorCode.INVALID_RECORD,
    'A compacted topic does not accept records without a key.',
  );
}

/** Walks the records, decompressing if need be, and refuses the batch when `check` objects to one of them. */
function refuseRecords(
  records: Buffer,
  check: (reader: RecordReader) => string | null,
  errorCode: number,
  message: string,
): BatchRefusal | null {
  const errors: RecordError[] = [];
  try {
    const reader = new RecordReader(records);
    reader.nextBatch();
    for (let batchIndex = 0; reader.nextRecord() && errors.length < RECORD_ERRORS_MAX; batchIndex++) {
      const objection = check(reader);
      if (objection !== null) errors.push({ batchIndex, message: objection });
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return refuse(ErrorCode.CORRUPT_MESSAGE, `The records of the batch cannot be read: ${error.message}`);
  }
  return errors.length > 0 ? refuse(errorCode, message, errors) : null;
}

function validateSegmentSize(records: Buffer, config: TopicConfig): BatchRefusal | null {
  if (records.length <= config.segmentBytes) return null;
  return refuse(
    ErrorCode.RECORD_LIST_TOO_LARGE,
    `The batch has ${records.length} bytes; segment.bytes of the topic is ${config.segmentBytes}.`,
  );
}
