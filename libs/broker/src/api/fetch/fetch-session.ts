/**
 * One incremental fetch session: the partitions a client fetches again and again, and what it was last told of each.
 *
 * Guarantees: an answer names only partitions with news (records, an error, a divergence, a moved high watermark or log
 * start); a partition that answered with an error is named again when it is well; partitions that gave records go to the
 * end, so that each gets its turn. Source: KIP-227. Leaves out where sessions are kept: see fetch-sessions.ts.
 */
import { ErrorCode, type FetchRequest } from '@kafka-template/protocol';
import type { FetchResult } from './fetch-result.js';
import type { FetchEntry, FetchPartition } from './fetch-entry.js';

/** What the client was last told; -1 when it must be told again. */
interface CachedPartition {
  entry: FetchEntry;
  highWatermark: number;
  logStartOffset: number;
}

const EPOCH_MAX = 0x7fff_ffff;
const UNKNOWN = -1;

/** See the head of this file. */
export class FetchSession {
  /** The epoch the next request must carry. */
  epoch = 1;
  lastUsedMs: number;
  private readonly partitions = new Map<string, CachedPartition>();

  constructor(
    readonly id: number,
    /** Topics are named by id (Fetch 13 and later). One session never mixes both. */
    readonly byId: boolean,
    entries: Iterable<FetchEntry>,
    nowMs: number,
  ) {
    this.lastUsedMs = nowMs;
    for (const entry of entries) this.set(entry);
  }

  get size(): number {
    return this.partitions.size;
  }

  /** The partitions, in the order in which they are to be read. */
  entries(): FetchEntry[] {
    return [...this.partitions.values()].map(({ entry }) => entry);
  }

  /** Takes what a request changes: partitions that are new or at another offset, and partitions to forget. */
  update(request: FetchRequest, nowMs: number): void {
    this.lastUsedMs = nowMs;
    this.epoch = this.epoch === EPOCH_MAX ? 1 : this.epoch + 1;
    for (const { topic, topicId, partitions } of request.topics) {
      for (const data of partitions) this.set({ topic, topicId, data });
    }
    for (const { topic, topicId, partitions } of request.forgottenTopicsData) {
      for (const partition of partitions) this.partitions.delete(this.keyOf(topic, topicId, partition));
    }
  }

  /** The results the client must hear of. Remembers that it has. */
  news(results: readonly FetchResult[]): FetchResult[] {
    return results.filter((result) => this.isNews(result));
  }

  /** Remembers what the first, full answer said. */
  told(results: readonly FetchResult[]): void {
    this.news(results);
  }

  private isNews(result: FetchResult): boolean {
    const { topic, topicId, data } = result.target.entry;
    const key = this.keyOf(topic, topicId, data.partition);
    const cached = this.partitions.get(key);
    if (cached === undefined) return true;
    const { outcome } = result;
    const highWatermark = outcome?.highWatermark ?? UNKNOWN;
    const logStartOffset = outcome?.logStartOffset ?? UNKNOWN;
    const hasMoved = highWatermark !== cached.highWatermark || logStartOffset !== cached.logStartOffset;
    cached.highWatermark = highWatermark;
    cached.logStartOffset = logStartOffset;
    if (outcome !== null && outcome.sizeBytes > 0) {
      this.partitions.delete(key);
      this.partitions.set(key, cached);
      return true;
    }
    return hasMoved || result.errorCode !== ErrorCode.NONE || result.diverging !== null;
  }

  private set(entry: FetchEntry): void {
    const key = this.keyOf(entry.topic, entry.topicId, entry.data.partition);
    const cached = this.partitions.get(key);
    const kept: FetchEntry = { ...entry, data: ownCopy(entry.data) };
    if (cached !== undefined) cached.entry = kept;
    else this.partitions.set(key, { entry: kept, highWatermark: UNKNOWN, logStartOffset: UNKNOWN });
  }

  private keyOf(topic: string, topicId: string, partition: number): string {
    return `${this.byId ? topicId : topic} ${partition}`;
  }
}

/** Only what reading needs: a session lives long. */
function ownCopy(data: FetchPartition): FetchPartition {
  return { ...data };
}
