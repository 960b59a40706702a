/**
 * One pass over the partitions of a fetch: reads each in the order of the request until the byte limits are used up.
 *
 * Guarantees Kafka's limits: the request's maximum, each partition's maximum, and at least one batch from the first
 * partition that has any, however large it is. Synchronous as long as every read is served from memory.
 * Nothing is read for a connection that is closed. Leaves out waiting: see handlers/01-fetch.ts.
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { Partition, ReadOutcome } from '../../replication/partition.js';
import type { BrokerServices, ClientConnection } from '../context.js';
import { locateLeader, unknownTopic, type Located } from '../leader.js';
import type { FetchPartition } from './fetch-entry.js';
import type { FetchGrant } from './fetch-memory.js';
import type { FetchResult, FetchTarget } from './fetch-result.js';

/** Bounds of one pass, in bytes, and whom it is for. */
export interface FetchLimits {
  readonly maxBytes: number;
  readonly connection: Pick<ClientConnection, 'isOpen'>;
  /** The memory it reads into; given back by `release`. */
  readonly grant: FetchGrant;
  readonly readCommitted: boolean;
}

const NO_EPOCH = -1;

/** A pass that is done, or as far as it got. */
export class FetchRead {
  readonly results: FetchResult[] = [];
  /** Bytes of records read. */
  sizeBytes = 0;
  /** Something must be said at once: an error, a divergence, or bytes that the limits cut off. */
  isUrgent = false;

  constructor(
    private readonly broker: BrokerServices,
    private readonly limits: FetchLimits,
  ) {}

  /** Reads all targets. */
  run(targets: readonly FetchTarget[]): this | Promise<this> {
    try {
      for (let index = 0; index < targets.length; index++) {
        const result = this.read(targets[index]!);
        if (result instanceof Promise) return this.goOn(targets, index, result);
        this.add(result);
      }
    } catch (error) {
      this.release();
      throw error;
    }
    this.limits.grant.settle(this.sizeBytes);
    return this;
  }

  /** The answer is on its way: its memory is in use until the client has taken it, or is gone. */
  sendTo(connection: ClientConnection): void {
    this.limits.grant.sendTo(connection);
  }

  /** Nobody looks at the records any more: their memory can be used again. */
  release(): void {
    for (const { outcome } of this.results) outcome?.release();
    this.limits.grant.release();
  }

  private async goOn(targets: readonly FetchTarget[], from: number, first: Promise<FetchResult>): Promise<this> {
    try {
      this.add(await first);
      for (let index = from + 1; index < targets.length; index++) this.add(await this.read(targets[index]!));
    } catch (error) {
      this.release();
      throw error;
    }
    this.limits.grant.settle(this.sizeBytes);
    return this;
  }

  private add(result: FetchResult): void {
    this.results.push(result);
    if (result.outcome !== null) {
      this.sizeBytes += result.outcome.sizeBytes;
      if (result.outcome.hasMore) this.isUrgent = true;
    }
    if (result.errorCode !== ErrorCode.NONE || result.diverging !== null) this.isUrgent = true;
  }

  private read(target: FetchTarget): FetchResult | Promise<FetchResult> {
    // Nobody would see it.
    if (!this.limits.connection.isOpen) return failed(target, ErrorCode.NETWORK_EXCEPTION);
    const { topic } = target;
    const { data } = target.entry;
    const located: Located =
      topic === undefined
        ? { errorCode: unknownTopic(target.byId) }
        : locateLeader(this.broker, topic, data.partition, data.currentLeaderEpoch);
    if (!('partition' in located)) return failed(target, located.errorCode);
    const { partition } = located;
    const diverging = divergence(partition, data);
    if (typeof diverging === 'number') return failed(target, diverging);
    if (diverging !== null) return { target, partition, errorCode: ErrorCode.NONE, outcome: null, diverging };
    const outcome = partition.read({
      fetchOffset: data.fetchOffset,
      maxBytes: Math.max(0, Math.min(data.partitionMaxBytes, this.limits.maxBytes - this.sizeBytes)),
      minOneBatch: this.sizeBytes === 0,
      readCommitted: this.limits.readCommitted,
    });
    if (outcome instanceof Promise) return outcome.then((late) => resultOf(target, partition, late));
    return resultOf(target, partition, outcome);
  }
}

function resultOf(target: FetchTarget, partition: Partition, outcome: ReadOutcome): FetchResult {
  const { errorCode } = outcome;
  return { target, partition, errorCode, outcome: errorCode === ErrorCode.NONE ? outcome : null, diverging: null };
}

function failed(target: FetchTarget, errorCode: number): FetchResult {
  return { target, partition: null, errorCode, outcome: null, diverging: null };
}

/** Compares the epoch of the reader's last record with ours: null if they agree, an error code if we cannot tell. */
function divergence(partition: Partition, data: FetchPartition): { epoch: number; endOffset: number } | number | null {
  const { lastFetchedEpoch, fetchOffset } = data;
  if (lastFetchedEpoch === NO_EPOCH) return null;
  const end = partition.epochEndOffset(lastFetchedEpoch);
  if (end.leaderEpoch < 0 || end.endOffset < 0) return ErrorCode.OFFSET_OUT_OF_RANGE;
  if (fetchOffset < partition.logStartOffset) return ErrorCode.OFFSET_OUT_OF_RANGE;
  if (end.leaderEpoch >= lastFetchedEpoch && end.endOffset >= fetchOffset) return null;
  return { epoch: end.leaderEpoch, endOffset: end.endOffset };
}
