/**
 * The records of one partition in one fetch response, handed out piece by piece.
 *
 * Guarantees: nothing is decoded before it is asked for and no piece is copied; records before the position, control
 * batches and (read_committed) aborted data are passed over; a batch is checked (CRC) before its first record is handed
 * out. What comes before a bad batch is still handed out; the error comes when it is reached, and stays.
 */
import {
  batchBaseOffset,
  batchBaseTimestamp,
  batchLastOffset,
  batchLeaderEpoch,
  batchProducerId,
  isControlBatch,
  isLogAppendTime,
  isTransactionalBatch,
  ProtocolError,
  RecordReader,
  wholeBatchBytes,
} from '@kafka-template/protocol';
import { KafkaError } from '../../errors.js';
import { ConsumerRecord, type RecordBatchContext } from '../consumer-record.js';
import { partitionKey, type TopicPartition } from '../topic-partition.js';
import { AbortedFilter, type AbortedTransaction } from './aborted.js';

/** How records are read; the same for all chunks of a consumer. */
export interface ChunkRules {
  readonly checkCrcs: boolean;
  readonly readCommitted: boolean;
}

/** What a fetch response holds for one partition. */
export interface ChunkContent {
  readonly records: Buffer;
  /** Null or empty unless the response was read_committed and has aborted transactions. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null;
}

/** Second field of a control record's key: the transaction was aborted. */
const ABORT_MARKER_TYPE = 0;

/** Records of one partition that have been fetched and not yet been handed out completely. */
export class FetchedChunk {
  /** Offset at which handing out goes on: one past the last record handed out or passed over. */
  nextOffset: number;
  /** Leader epoch of the last batch that was entered, -1 when unknown. */
  lastEpoch = -1;
  /** True once nothing is left. */
  drained = false;
  /** What is wrong with the batch at `nextOffset`, once it was reached. */
  failure: KafkaError | null = null;
  /** One past the last offset in here: where the next fetch goes on. */
  readonly endOffset: number;
  readonly sizeBytes: number;

  private readonly reader: RecordReader;
  private readonly filter: AbortedFilter | null;
  private batch: RecordBatchContext | null = null;
  private inBatch = false;

  constructor(
    readonly topicPartition: TopicPartition,
    fetchOffset: number,
    content: ChunkContent,
    private readonly rules: ChunkRules,
  ) {
    this.nextOffset = fetchOffset;
    this.sizeBytes = content.records.length;
    this.reader = new RecordReader(content.records);
    this.filter = rules.readCommitted ? new AbortedFilter(content.abortedTransactions ?? []) : null;
    this.endOffset = this.findEnd(content.records, fetchOffset);
  }

  /** Appends records until `into` has `recordsMax` of them or nothing is left; look at `drained` and `failure` then. */
  take(recordsMax: number, into: ConsumerRecord[]): void {
    try {
      while (into.length < recordsMax && this.failure === null) {
        if (!this.inBatch && !this.enterBatch()) {
          this.drained = true;
          return;
        }
        this.takeFromBatch(recordsMax, into);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.failure = this.corrupt(error.message, error);
    }
  }

  private takeFromBatch(recordsMax: number, into: ConsumerRecord[]): void {
    const { reader } = this;
    while (into.length < recordsMax) {
      if (!reader.nextRecord()) {
        this.leaveBatch();
        return;
      }
      if (reader.offset < this.nextOffset) continue;
      const batch = (this.batch ??= this.batchContext());
      into.push(
        new ConsumerRecord(
          batch,
          reader.offset - batch.baseOffset,
          reader.timestamp - batch.baseTimestamp,
          reader.keyStart,
          reader.keyLength,
          reader.valueStart,
          reader.valueLength,
          reader.headersStart,
          reader.recordEnd,
        ),
      );
      this.nextOffset = reader.offset + 1;
    }
  }

  /** Moves to the next batch that has something to hand out. */
  private enterBatch(): boolean {
    const { reader } = this;
    while (reader.nextBatch()) {
      const { buffer, batchPosition } = reader;
      if (batchLastOffset(buffer, batchPosition) < this.nextOffset) continue;
      if (this.rules.checkCrcs && !reader.checkCrc()) throw this.crcError();
      if (!this.filtered()) {
        this.inBatch = true;
        this.lastEpoch = batchLeaderEpoch(buffer, batchPosition);
        return true;
      }
      this.leaveBatch();
    }
    return false;
  }

  /** Whether the current batch holds nothing for the application. */
  private filtered(): boolean {
    const { buffer, batchPosition } = this.reader;
    const control = isControlBatch(buffer, batchPosition);
    const aborted = this.filter?.drops({
      producerId: batchProducerId(buffer, batchPosition),
      lastOffset: batchLastOffset(buffer, batchPosition),
      transactional: isTransactionalBatch(buffer, batchPosition),
      abortMarker: control && this.isAbortMarker(),
    });
    return control || aborted === true;
  }

  private isAbortMarker(): boolean {
    const key = this.reader.nextRecord() ? this.reader.key() : null;
    return key !== null && key.length >= 4 && key.readInt16BE(2) === ABORT_MARKER_TYPE;
  }

  /** A batch may end behind its last record (compaction), so the position is the batch's end, not the last record's. */
  private leaveBatch(): void {
    const { buffer, batchPosition } = this.reader;
    this.nextOffset = Math.max(this.nextOffset, batchLastOffset(buffer, batchPosition) + 1);
    this.inBatch = false;
    this.batch = null;
  }

  private batchContext(): RecordBatchContext {
    const { buffer, batchPosition, data } = this.reader;
    return {
      topic: this.topicPartition.topic,
      partition: this.topicPartition.partition,
      baseOffset: batchBaseOffset(buffer, batchPosition),
      baseTimestamp: batchBaseTimestamp(buffer, batchPosition),
      timestampType: isLogAppendTime(buffer, batchPosition) ? 'LogAppendTime' : 'CreateTime',
      leaderEpoch: batchLeaderEpoch(buffer, batchPosition),
      data,
    };
  }

  /** Looks at the headers of all batches; what cannot be a batch becomes the failure when nothing comes before it. */
  private findEnd(records: Buffer, fetchOffset: number): number {
    let endOffset = fetchOffset;
    try {
      let position = 0;
      for (let size = wholeBatchBytes(records, 0); size !== -1; size = wholeBatchBytes(records, position)) {
        endOffset = Math.max(endOffset, batchLastOffset(records, position) + 1);
        position += size;
      }
      if (position === 0 && records.length > 0) {
        this.failure = this.corrupt(`the response has ${records.length} bytes, which is not one whole batch`);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      // Reached again, and reported, once everything before it has been handed out.
    }
    return endOffset;
  }

  private crcError(): ProtocolError {
    const offset = batchBaseOffset(this.reader.buffer, this.reader.batchPosition);
    return new ProtocolError('CORRUPT_BATCH', `the CRC of the batch at offset ${offset} does not match its bytes`);
  }

  private corrupt(reason: string, cause?: ProtocolError): KafkaError {
    const where = `${partitionKey(this.topicPartition)} at offset ${this.nextOffset}`;
    if (cause?.code === 'UNSUPPORTED_COMPRESSION') {
      const message = `The records of ${where} cannot be read: ${reason}. seek() past the batch to go on without it.`;
      return new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', message, { cause });
    }
    return new KafkaError(
      'CORRUPT_MESSAGE',
      `The records of ${where} cannot be read: ${reason}. ` +
        'poll() fetches them again; if the error stays, seek() past the batch to go on without it.',
      { retriable: true, cause },
    );
  }
}
