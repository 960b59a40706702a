/** The message whose codecs are compared, and how a message workload is measured. */
import { stopwatch } from '../support/stopwatch.mjs';

/** The first flexible version: tagged fields and compact lengths take part. */
export const FETCH_VERSION = 12;

const PARTITIONS = 20;
const RECORDS_BYTES = 1024;
const WARM_UP_MIN = 20_000;

/** A Fetch response for 20 partitions of one topic with 1 KiB of records each. */
export function fetchResponse() {
  const partitions = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({
    partitionIndex,
    errorCode: 0,
    highWatermark: 5_000_000_000 + partitionIndex,
    lastStableOffset: 5_000_000_000 + partitionIndex,
    logStartOffset: partitionIndex * 1000,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: Buffer.alloc(RECORDS_BYTES, partitionIndex),
  }));
  return { throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses: [{ topic: 'orders', partitions }] };
}

/** Calls `work` with 0, 1, 2, …; what it returns is summed up, so that no call can be left out. */
export function repeatMessages(messages, work) {
  let sum = 0;
  for (let warm = 0; warm < WARM_UP_MIN; warm++) sum += work(warm);
  const elapsed = stopwatch();
  for (let done = 0; done < messages; done++) sum += work(done);
  if (sum <= 0) throw new Error('nothing was done');
  return { records: messages, ...elapsed() };
}
