/**
 * The records of one topic on their way to the broker: in order, batch after batch, one request at a time.
 *
 * What is appended while a request is on its way makes the next batch, so that a slow broker means larger batches. One topic
 * per request: kafkajs fails all topics of a request when one of them fails. Every record is answered exactly once, at the
 * latest at its deadline. How a batch is sent is handed in.
 */
import type { Clock, Timer } from '../../io/clock.js';
import { KafkaJsError } from './kafkajs.error.js';
import type { Outgoing } from './kafkajs.outgoing.js';

/** Most records in one request: kafkajs copies all of a partition's records for each of them. */
const BATCH_RECORDS_MAX = 1000;

/** What a lane needs. */
export interface LaneParts {
  readonly clock: Clock;
  readonly lingerMs: number;
  /** Bytes in one request. */
  readonly maxRequestSize: number;
  /** Sends a batch and answers all of its records, whatever happens. */
  readonly send: (batch: readonly Outgoing[]) => Promise<void>;
  /** A record has left the queue, answered or not. */
  readonly onTaken: (outgoing: Outgoing) => void;
}

/** A queue with a sender. */
export class Lane {
  readonly #parts: LaneParts;
  #queue: Outgoing[] = [];
  #appended = 0;
  #answered = 0;
  #isSending = false;
  #isScheduled = false;
  #sweep: Timer | undefined;
  #flushes: { readonly upTo: number; readonly resolve: () => void }[] = [];

  constructor(parts: LaneParts) {
    this.#parts = parts;
  }

  /** Queues a record; it leaves after `lingerMs`, together with what else has been appended by then. */
  append(outgoing: Outgoing): void {
    this.#queue.push(outgoing);
    this.#appended++;
    this.#watch();
    this.#schedule();
  }

  /** Resolves when everything appended so far has been answered. */
  flush(): Promise<void> {
    if (this.#answered === this.#appended) return Promise.resolve();
    return new Promise((resolve) => {
      this.#flushes.push({ upTo: this.#appended, resolve });
      void this.#drain();
    });
  }

  /** Fails what waits. */
  abort(error: Error): void {
    for (const outgoing of this.#queue.splice(0)) this.#end(outgoing, error);
    this.#sweep?.cancel();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isSending) return;
    this.#isScheduled = true;
    const { clock, lingerMs } = this.#parts;
    if (lingerMs > 0) clock.setTimer(lingerMs, () => void this.#drain());
    else void clock.nextTurn().then(() => this.#drain());
  }

  async #drain(): Promise<void> {
    this.#isScheduled = false;
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#queue.length > 0) {
      const batch = this.#take();
      if (batch.length === 0) continue;
      await this.#parts.send(batch);
      this.#answered += batch.length;
      this.#tellFlushes();
    }
    this.#isSending = false;
    this.#sweep?.cancel();
    this.#sweep = undefined;
  }

  #take(): Outgoing[] {
    const { clock, maxRequestSize, onTaken } = this.#parts;
    const now = clock.now();
    const batch: Outgoing[] = [];
    let sizeBytes = 0;
    let taken = 0;
    for (const outgoing of this.#queue) {
      const isLate = Math.min(outgoing.deadlines.deliveryMs, outgoing.deadlines.roomMs) <= now;
      if (!isLate && batch.length > 0 && sizeBytes + outgoing.sizeBytes > maxRequestSize) break;
      if (batch.length === BATCH_RECORDS_MAX) break;
      taken++;
      if (isLate) {
        this.#end(outgoing, lateError(outgoing, now));
        continue;
      }
      onTaken(outgoing);
      sizeBytes += outgoing.sizeBytes;
      batch.push(outgoing);
    }
    this.#queue.splice(0, taken);
    return batch;
  }

  /** Deadlines pass while a request is on its way, too. They are in the order of the queue, but for the rare lack of room. */
  #watch(): void {
    const [first] = this.#queue;
    if (first === undefined || this.#sweep !== undefined) return;
    const { clock } = this.#parts;
    const dueMs = Math.min(first.deadlines.deliveryMs, first.deadlines.roomMs);
    this.#sweep = clock.setTimer(Math.max(1, dueMs - clock.now()), () => {
      this.#sweep = undefined;
      const now = clock.now();
      const isLate = ({ deadlines }: Outgoing): boolean => Math.min(deadlines.deliveryMs, deadlines.roomMs) <= now;
      const late = this.#queue.filter(isLate);
      this.#queue = this.#queue.filter((outgoing) => !isLate(outgoing));
      for (const outgoing of late) this.#end(outgoing, lateError(outgoing, now));
      this.#watch();
    });
  }

  #end(outgoing: Outgoing, error: Error): void {
    this.#parts.onTaken(outgoing);
    outgoing.fail(error);
    this.#answered++;
    this.#tellFlushes();
  }

  #tellFlushes(): void {
    const done = this.#flushes.filter(({ upTo }) => upTo <= this.#answered);
    if (done.length === 0) return;
    this.#flushes = this.#flushes.filter(({ upTo }) => upTo > this.#answered);
    for (const { resolve } of done) resolve();
  }
}

function lateError({ record, deadlines }: Outgoing, now: number): KafkaJsError {
  if (deadlines.deliveryMs > now) {
    return new KafkaJsError(
      'BUFFER_EXHAUSTED',
      `A record for ${record.topic} found no room in the buffer (bufferMemory) within maxBlockMs. Send more slowly: await sends.`,
      { retriable: true },
    );
  }
  return new KafkaJsError('TIMEOUT', `A record for ${record.topic} was not sent within deliveryTimeoutMs.`, {
    retriable: true,
  });
}
