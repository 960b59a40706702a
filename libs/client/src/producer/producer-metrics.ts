/**
 * What a producer has done, in numbers.
 *
 * Guarantees that counting costs nothing per record: counters move once per batch or per request. A snapshot is a plain
 * object of numbers, made when it is asked for. Names are Kafka's (`record-send-total` → `recordSendTotal`).
 */

/** A snapshot of a producer's numbers. Totals count from its creation; times are milliseconds, sizes bytes. */
export interface ProducerMetrics {
  /** Records a broker has acknowledged (with `acks` 0: that were sent). */
  readonly recordSendTotal: number;
  /** Records that were in a batch and failed. */
  readonly recordErrorTotal: number;
  /** Records sent again. */
  readonly recordRetryTotal: number;
  /** Batches acknowledged. */
  readonly batchTotal: number;
  /** Batches divided because a broker found them too large. */
  readonly batchSplitTotal: number;
  /** Bytes of the batches sent, after compression, repetitions included. */
  readonly byteTotal: number;
  /** Produce requests sent. */
  readonly requestTotal: number;
  /** Produce requests on their way now. */
  readonly requestsInFlight: number;
  /** Mean time from a request to its answer; 0 before the first. */
  readonly requestLatencyAvgMs: number;
  /** Longest such time. */
  readonly requestLatencyMaxMs: number;
  /** Records without an outcome now. */
  readonly recordsPending: number;
  /** Records that wait now for metadata or memory. */
  readonly recordsWaiting: number;
  /** `bufferMemory`. */
  readonly bufferTotalBytes: number;
  /** What of it is free now. */
  readonly bufferAvailableBytes: number;
}

/** Moved by the sender, once per batch or request. */
export class ProducerCounters {
  recordsSent = 0;
  recordsFailed = 0;
  recordsRetried = 0;
  batches = 0;
  splits = 0;
  bytes = 0;
  requests = 0;
  answers = 0;
  latencySumMs = 0;
  latencyMaxMs = 0;

  /** A request was answered or lost after this long. */
  answered(latencyMs: number): void {
    this.answers += 1;
    this.latencySumMs += latencyMs;
    if (latencyMs > this.latencyMaxMs) this.latencyMaxMs = latencyMs;
  }

  /** The counters, with what others know. */
  snapshot(
    now: Pick<ProducerMetrics, 'recordsPending' | 'recordsWaiting' | 'bufferTotalBytes' | 'bufferAvailableBytes'>,
  ): ProducerMetrics {
    return {
      recordSendTotal: this.recordsSent,
      recordErrorTotal: this.recordsFailed,
      recordRetryTotal: this.recordsRetried,
      batchTotal: this.batches,
      batchSplitTotal: this.splits,
      byteTotal: this.bytes,
      requestTotal: this.requests,
      requestsInFlight: this.requests - this.answers,
      requestLatencyAvgMs: this.answers === 0 ? 0 : this.latencySumMs / this.answers,
      requestLatencyMaxMs: this.latencyMaxMs,
      ...now,
    };
  }
}
