/**
 * One partition of an internal topic as a coordinator writes it: state goes ahead, answers wait for the log.
 *
 * Guarantees: what a write says is applied at once, so that the next decision builds on it; no answer that was given
 * after a write leaves before the log has that write; a write that is refused at once changes nothing. When an accepted
 * write fails, the state is ahead of the log: everything that waits fails and `onFailed` is called, once.
 * Leaves out what is written. Source: the runtime of Kafka's coordinators (KIP-848).
 */
import { BATCH_HEADER_BYTES, BatchBuilder, ErrorCode, recordSizeBound } from '@kafka-template/protocol';
import { GATED_ANSWERS_MAX } from '../../limits.js';
import type { AppendOutcome, Partition, Verification } from '../../replication/partition.js';

/** A record to be written. */
export interface LogRecord {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/** A batch of a transaction (TxnOffsetCommit). */
export interface TransactionalProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** What the partition gave out for it, see `Partition.beginVerification`. Absent: not asked for. */
  readonly verification?: Verification | null | undefined;
}

/** What becomes of a write: `refused`, or `applied` and then one of `stored` and `failed`. */
export interface WriteSteps {
  applied(): void;
  stored(): void;
  /** Kafka's code as the partition gave it. Nothing was changed. */
  refused(errorCode: number): void;
  /** Kafka's code as the partition gave it. The coordinator loads again. */
  failed(errorCode: number): void;
}

interface Gated {
  readonly write: number;
  stored(): void;
  failed(errorCode: number): void;
}

/** See the file comment. */
export class GatedLog {
  private writes = 0;
  private gated: Gated[] = [];
  private broken = false;

  constructor(
    private readonly partition: Partition,
    private readonly onFailed: (errorCode: number) => void,
  ) {}

  /** Writes the records as one batch. */
  write(
    records: readonly LogRecord[],
    options: { readonly nowEpochMs: number; readonly timeoutMs: number; readonly producer?: TransactionalProducer },
    steps: WriteSteps,
  ): void {
    if (this.broken) return steps.refused(ErrorCode.NOT_COORDINATOR);
    const batch = buildBatch(records, options.nowEpochMs, options.producer);
    const write = this.writes + 1;
    let early: AppendOutcome | null = null;
    let returned = false;
    const verification = options.producer?.verification;
    const origin = { origin: 'coordinator', acks: -1, timeoutMs: options.timeoutMs } as const;
    const appendOptions = verification === undefined ? origin : { ...origin, verification };
    this.partition.append(batch, appendOptions, (outcome) => {
      if (returned) this.settle(write, outcome.errorCode);
      else early = outcome;
    });
    returned = true;
    // Read through a function: the compiler does not see that the callback may have run.
    const outcome = ((): AppendOutcome | null => early)();
    if (outcome !== null && outcome.errorCode !== ErrorCode.NONE) return steps.refused(outcome.errorCode);
    this.writes = write;
    steps.applied();
    this.gated.push({ write, stored: () => steps.stored(), failed: (errorCode) => steps.failed(errorCode) });
    if (outcome !== null) this.settle(write, outcome.errorCode);
  }

  /** Runs `answer` when every write so far is in the log: now, if they are. `failed` instead when one of them fails. */
  afterWrites(answer: () => void, failed: (errorCode: number) => void): void {
    if (this.broken) return failed(ErrorCode.NOT_COORDINATOR);
    if (this.gated.length === 0) return answer();
    if (this.gated.length >= GATED_ANSWERS_MAX) return failed(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
    this.gated.push({ write: this.writes, stored: answer, failed });
  }

  /** Answers whatever waits with the code; nothing is written any more. */
  close(errorCode: number): void {
    this.broken = true;
    const gated = this.gated;
    this.gated = [];
    for (const waiting of gated) waiting.failed(errorCode);
  }

  private settle(write: number, errorCode: number): void {
    if (this.broken) return;
    if (errorCode !== ErrorCode.NONE) {
      this.close(errorCode);
      return this.onFailed(errorCode);
    }
    let count = 0;
    while (count < this.gated.length && (this.gated[count]?.write ?? Infinity) <= write) count += 1;
    for (const waiting of this.gated.splice(0, count)) waiting.stored();
  }
}

function buildBatch(
  records: readonly LogRecord[],
  nowEpochMs: number,
  producer: TransactionalProducer | undefined,
): Buffer {
  let capacityBytes = BATCH_HEADER_BYTES;
  for (const { key, value } of records) capacityBytes += recordSizeBound(key, value, null);
  const builder = new BatchBuilder({ capacityBytes });
  for (const { key, value } of records) builder.append(nowEpochMs, key, value, null);
  if (!producer) return builder.finish();
  const { producerId, producerEpoch } = producer;
  return builder.finish({ producerId, producerEpoch, baseSequence: -1, transactional: true });
}
