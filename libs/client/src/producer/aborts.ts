/**
 * Takes back records whose `AbortSignal` was raised, while they wait.
 *
 * Guarantees: a record that waits for metadata, memory or its turn in a batch that was not sent yet is taken out and
 * fails with ABORTED; one that is in a request is not touched, because nobody can take it back: its promise tells what
 * became of it. All records that one signal aborts are taken out in one pass, before anything else is sent.
 */
import { ClientErrorCode, KafkaError } from '../errors.js';
import type { Accumulator } from './accumulator.js';
import type { DeliveryCallback } from './producer-record.js';
import type { TopicQueues } from './topic-queues.js';

/** The error of a record that was taken back, or not even taken. */
export function abortedError(signal: AbortSignal): KafkaError {
  const cause: unknown = signal.reason;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KafkaError(ClientErrorCode.ABORTED, `The record was not sent, because its signal was aborted: ${reason}`, {
    cause,
  });
}

/** The records to be taken back by one producer. */
export class Aborts {
  private pending = new Map<DeliveryCallback, KafkaError>();
  /** What hangs on each signal: one listener per signal, however many records share it. */
  private readonly signals = new Map<AbortSignal, { callbacks: Set<DeliveryCallback>; forget: () => void }>();

  constructor(
    private readonly accumulator: Accumulator,
    private readonly topics: ReadonlyMap<string, TopicQueues>,
  ) {}

  /** Watches a signal until the record has its outcome. Returns the callback to append the record with. */
  watch(signal: AbortSignal, callback: DeliveryCallback): DeliveryCallback {
    const { callbacks, forget } = this.on(signal);
    const watched: DeliveryCallback = (error, metadata) => {
      callbacks.delete(watched);
      if (callbacks.size === 0) forget();
      callback(error, metadata);
    };
    callbacks.add(watched);
    return watched;
  }

  private on(signal: AbortSignal): { callbacks: Set<DeliveryCallback>; forget: () => void } {
    const known = this.signals.get(signal);
    if (known !== undefined) return known;
    const callbacks = new Set<DeliveryCallback>();
    const onAbort = (): void => this.abort(callbacks, abortedError(signal));
    const forget = (): void => {
      this.signals.delete(signal);
      signal.removeEventListener('abort', onAbort);
    };
    const created = { callbacks, forget };
    this.signals.set(signal, created);
    signal.addEventListener('abort', onAbort, { once: true });
    return created;
  }

  private abort(callbacks: ReadonlySet<DeliveryCallback>, error: KafkaError): void {
    // A microtask comes before the sender's turn, and after every listener of the same signal.
    if (this.pending.size === 0) void Promise.resolve().then(() => this.takeBack());
    for (const callback of callbacks) this.pending.set(callback, error);
  }

  private takeBack(): void {
    const { pending } = this;
    this.pending = new Map();
    this.accumulator.abort(this.topics.values(), pending);
  }
}
