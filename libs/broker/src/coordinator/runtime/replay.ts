/**
 * Reads one partition of an internal topic from its start to its end, record by record: how a coordinator wakes up.
 *
 * Guarantees: every record that was in the log when the replay began is handed over once, in order, with its producer id
 * when it belongs to a transaction; ends of transactions come in their place.
 */
import {
  batchLastOffset,
  batchProducerId,
  ErrorCode,
  errorName,
  isControlBatch,
  isTransactionalBatch,
  RecordReader,
} from '@kafka-template/protocol';
import type { Clock } from '../../io/clock.js';
import type { Partition } from '../../replication/partition.js';

/** Pause before asking again for records that are written but not yet visible. */
export const REPLAY_RETRY_MS = 10;

/** What a replay finds. `producerId` -1: not in a transaction. Buffers are views, valid only during the call. */
export interface ReplayTarget {
  record(key: Buffer, value: Buffer | null, producerId: number): void;
  transactionEnd(producerId: number, committed: boolean): void;
}

/** The partition could not be read. `errorCode` is Kafka's. */
export class ReplayError extends Error {
  override readonly name = 'ReplayError';
  readonly code = 'REPLAY';

  constructor(
    partition: Partition,
    readonly errorCode: number,
  ) {
    const name = `${partition.topic}-${partition.partition}`;
    super(
      `${name} could not be read: ${errorName(errorCode)}. See the log of the broker for the disk error before it.`,
    );
  }
}

/** Marker keys are an int16 version and an int16 type. Source: KIP-98. */
const MARKER_TYPE_POSITION = 2;
const MARKER_COMMIT = 1;

function replayBatch(reader: RecordReader, target: ReplayTarget, fromOffset: number): void {
  const { buffer, batchPosition } = reader;
  const producerId = isTransactionalBatch(buffer, batchPosition) ? batchProducerId(buffer, batchPosition) : -1;
  const control = isControlBatch(buffer, batchPosition);
  while (reader.nextRecord()) {
    const key = reader.key();
    if (reader.offset < fromOffset || key === null) continue;
    if (!control) target.record(key, reader.value(), producerId);
    else target.transactionEnd(producerId, key.readInt16BE(MARKER_TYPE_POSITION) === MARKER_COMMIT);
  }
}

/** Resolves with the number of batches; rejects with a {@link ReplayError}, or with what `target` throws. */
export async function replay(
  partition: Partition,
  options: { readonly maxBytes: number; readonly clock: Clock; readonly cancelled: () => boolean },
  target: ReplayTarget,
): Promise<number> {
  const endOffset = partition.logEndOffset;
  let offset = partition.logStartOffset;
  let batches = 0;
  while (offset < endOffset && !options.cancelled()) {
    const outcome = await partition.read({
      fetchOffset: offset,
      maxBytes: options.maxBytes,
      minOneBatch: true,
      readCommitted: false,
    });
    if (outcome.errorCode !== ErrorCode.NONE) throw new ReplayError(partition, outcome.errorCode);
    const before = offset;
    const reader = new RecordReader(Buffer.concat(outcome.records));
    while (reader.nextBatch()) {
      replayBatch(reader, target, before);
      offset = batchLastOffset(reader.buffer, reader.batchPosition) + 1;
      batches += 1;
    }
    // Written but not yet on enough replicas: it will be, or this broker stops leading.
    if (offset === before) await pause(options.clock);
  }
  return batches;
}

function pause(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(REPLAY_RETRY_MS, resolve);
  });
}
