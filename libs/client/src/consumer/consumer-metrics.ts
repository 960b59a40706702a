/**
 * What a consumer has done, in numbers.
 *
 * Guarantees that counting costs nothing per record: counters move once per poll, fetch, commit, heartbeat or rebalance. A
 * snapshot is a plain object, made when it is asked for. Names are Kafka's (`records-consumed-total` →
 * `recordsConsumedTotal`).
 */

/** A snapshot of a consumer's numbers. Totals count from its creation; times are milliseconds, sizes bytes. */
export interface ConsumerMetrics {
  /** Records handed out. */
  readonly recordsConsumedTotal: number;
  /** Bytes of record batches fetched, as they came. */
  readonly bytesFetchedTotal: number;
  /** Fetch requests answered. */
  readonly fetchTotal: number;
  /** Mean time from a fetch to its answer, what the broker waited for records included; 0 before the first. */
  readonly fetchLatencyAvgMs: number;
  /** Longest such time. */
  readonly fetchLatencyMaxMs: number;
  /** Partitions assigned now. */
  readonly assignedPartitions: number;
  /** Records behind the position in the partition that has most of them; null while nothing is known of any. */
  readonly recordsLagMax: number | null;
  /** Commit requests answered without an error, and the others. */
  readonly commitTotal: number;
  readonly commitFailedTotal: number;
  /** Heartbeats sent to the coordinator. */
  readonly heartbeatTotal: number;
  /** Assignments that were put in force. */
  readonly rebalanceTotal: number;
  /** Time since `poll` was left last; 0 inside it, null before the first. */
  readonly lastPollAgoMs: number | null;
}

/** Moved by the parts of a consumer. */
export class ConsumerCounters {
  records = 0;
  bytes = 0;
  fetches = 0;
  fetchSumMs = 0;
  fetchMaxMs = 0;
  commits = 0;
  commitsFailed = 0;
  heartbeats = 0;
  rebalances = 0;

  /** A fetch was answered after this long. */
  fetched(latencyMs: number): void {
    this.fetches += 1;
    this.fetchSumMs += latencyMs;
    if (latencyMs > this.fetchMaxMs) this.fetchMaxMs = latencyMs;
  }

  /** The counters, with what others know. */
  snapshot(now: Pick<ConsumerMetrics, 'assignedPartitions' | 'recordsLagMax' | 'lastPollAgoMs'>): ConsumerMetrics {
    return {
      recordsConsumedTotal: this.records,
      bytesFetchedTotal: this.bytes,
      fetchTotal: this.fetches,
      fetchLatencyAvgMs: this.fetches === 0 ? 0 : this.fetchSumMs / this.fetches,
      fetchLatencyMaxMs: this.fetchMaxMs,
      commitTotal: this.commits,
      commitFailedTotal: this.commitsFailed,
      heartbeatTotal: this.heartbeats,
      rebalanceTotal: this.rebalances,
      ...now,
    };
  }
}
