/**
 * One pass over the partitions of a share session: reads what is free in each and locks it for the member, until it has
 * as many records or bytes as it asked for.
 *
 * Guarantees: nothing is locked that is not in the answer; what was read is cut to the batches that hold locked records.
 * Leaves out waiting: see handlers/78-share-fetch.ts.
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { Acquired } from '../../coordinator/share/partition/acquire.js';
import type { SharePartition } from '../../coordinator/share/partition/share-partition.js';
import type { SharedPartition } from '../../coordinator/share/partition/share-sessions.js';
import { SHARE_READ_BYTES_MAX } from '../../limits.js';
import type { Partition, ReadOutcome } from '../../replication/partition.js';
import type { BrokerServices } from '../context.js';
import { leaderHint, locateLeader, NO_EPOCH, type LeaderHint } from '../leader.js';
import { readBatches, type PlacedBatch } from './read-batches.js';

/** What a member asks for. */
export interface ShareFetchLimits {
  readonly groupId: string;
  readonly memberId: string;
  readonly maxBytes: number;
  readonly recordsMax: number;
  readonly batchSize: number;
  readonly strict: boolean;
  /** False when nobody would see the answer. */
  readonly isWanted: () => boolean;
}

/** What a pass found in a partition that has something to tell. */
export interface ShareFetched {
  readonly topicId: string;
  readonly partitionIndex: number;
  readonly errorCode: number;
  readonly hint: LeaderHint | undefined;
  readonly records: Buffer | null;
  readonly acquired: readonly Acquired[];
}

/** Where a pass found nothing yet: what to wait for. */
export interface Idle {
  readonly share: SharePartition;
  readonly seenOffset: number;
}

/** See the file comment. */
export class ShareFetchRead {
  readonly results: ShareFetched[] = [];
  readonly idle: Idle[] = [];
  /** Bytes of records in the results. */
  sizeBytes = 0;
  private records = 0;

  constructor(
    private readonly broker: BrokerServices,
    private readonly limits: ShareFetchLimits,
  ) {}

  /** Reads all partitions, in this order. */
  async run(partitions: Iterable<SharedPartition>): Promise<this> {
    for (const each of partitions) {
      if (this.records >= this.limits.recordsMax || this.sizeBytes >= this.limits.maxBytes) break;
      await this.read(each);
    }
    return this;
  }

  private async read({ topicId, partition: partitionIndex }: SharedPartition): Promise<void> {
    const topic = this.broker.controller.image.topicById(topicId);
    const failed = (errorCode: number): void => {
      const hint = leaderHint(topic, partitionIndex, errorCode);
      this.results.push({ topicId, partitionIndex, errorCode, hint, records: null, acquired: [] });
    };
    if (!topic) return failed(ErrorCode.UNKNOWN_TOPIC_ID);
    const located = locateLeader(this.broker, topic, partitionIndex, NO_EPOCH);
    if (!('partition' in located)) return failed(located.errorCode);
    const key = { groupId: this.limits.groupId, topicId, partition: partitionIndex };
    const opened = await this.broker.shares.find(key, located.partition);
    if (!opened.share) return failed(opened.errorCode);
    const errorCode = await this.take(opened.share, located.partition);
    if (errorCode !== ErrorCode.NONE) failed(errorCode);
  }

  /** Reads and locks. Only bytes of markers may lie where a read begins, so it goes on until something is found. */
  private async take(share: SharePartition, partition: Partition): Promise<number> {
    const { readCommitted } = this.broker.shares.rules(this.limits.groupId);
    for (;;) {
      const readOffset = share.fetchOffset();
      const end = readCommitted ? partition.lastStableOffset : partition.highWatermark;
      if (readOffset === null || readOffset >= end || !this.limits.isWanted()) {
        this.idle.push({ share, seenOffset: end });
        return ErrorCode.NONE;
      }
      const outcome = await partition.read({
        fetchOffset: readOffset,
        maxBytes: Math.max(0, Math.min(SHARE_READ_BYTES_MAX, this.limits.maxBytes - this.sizeBytes)),
        minOneBatch: this.sizeBytes === 0,
        readCommitted,
      });
      if (outcome.errorCode !== ErrorCode.NONE) return outcome.errorCode;
      // Somebody else may have decided about these records while they were read; or the share partition is another one.
      const done = share.isOpen ? this.acquire(share, readOffset, outcome) : true;
      outcome.release();
      if (done) return ErrorCode.NONE;
    }
  }

  /** False when the same should be tried further on. */
  private acquire(share: SharePartition, readOffset: number, outcome: ReadOutcome): boolean {
    const bytes = Buffer.concat(outcome.records);
    const batches = readBatches(bytes, outcome.abortedTransactions);
    if (batches.length === 0) return true;
    const { memberId, recordsMax, batchSize, strict } = this.limits;
    const left = recordsMax - this.records;
    const acquired = share.acquire({ memberId, readOffset, batches, recordsMax: left, batchSize, strict });
    if (acquired.length === 0) return false;
    const records = cut(bytes, batches, acquired);
    this.sizeBytes += records.length;
    for (const { firstOffset, lastOffset } of acquired) this.records += lastOffset - firstOffset + 1;
    const { topicId, partition: partitionIndex } = share.key;
    this.results.push({ topicId, partitionIndex, errorCode: ErrorCode.NONE, hint: undefined, records, acquired });
    return true;
  }
}

/** From the first to the last batch with something acquired. */
function cut(bytes: Buffer, batches: readonly PlacedBatch[], acquired: readonly Acquired[]): Buffer {
  const first = acquired[0]!.firstOffset;
  const last = acquired.at(-1)!.lastOffset;
  const wanted = batches.filter((batch) => batch.last >= first && batch.first <= last);
  const end = wanted.at(-1)!;
  return bytes.subarray(wanted[0]!.position, end.position + end.sizeBytes);
}
