/**
 * Interceptors of a producer: others' code that sees records before they are encoded, and outcomes after.
 *
 * Guarantees that what an interceptor throws is logged and breaks nothing: the record goes on as the one before left it,
 * and its outcome stands. Costs nothing without interceptors; with them, one closure per record.
 */
import { ClientErrorCode, KafkaError } from '../errors.js';
import type { ClientLogger } from '../io/logger.js';
import { type DeliveryCallback, type ProducerRecord, type RecordMetadata, callSafely } from './producer-record.js';

/** Sees every record of a producer twice. All methods are optional, and called in the order of the option `interceptors`. */
export interface ProducerInterceptor {
  /**
   * Called during `append` and `send`, before the record is encoded; what it returns is sent instead (the same record, or
   * one like it: more headers, another value). Keep it short: it runs on the path of every record.
   */
  onSend?(record: ProducerRecord): ProducerRecord;
  /** Called with the outcome, before the record's own callback. `record` is the one that was sent. */
  onAcknowledgement?(error: KafkaError | null, metadata: RecordMetadata | null, record: ProducerRecord): void;
  /** The producer is closed; nothing is called any more. */
  close?(): void | Promise<void>;
}

/** The interceptors of one producer. */
export class Interceptors {
  constructor(
    private readonly all: readonly ProducerInterceptor[],
    private readonly logger: ClientLogger,
  ) {}

  /** The record to send instead. */
  onSend(record: ProducerRecord): ProducerRecord {
    let current = record;
    for (const interceptor of this.all) {
      if (interceptor.onSend === undefined) continue;
      try {
        const next: unknown = interceptor.onSend(current);
        if (next === null || typeof next !== 'object') {
          throw new KafkaError(
            ClientErrorCode.INVALID_ARGUMENT,
            `onSend returned ${String(next)} instead of a record.`,
          );
        }
        current = next as ProducerRecord;
      } catch (error) {
        this.failed('onSend', 'the record is sent as it was before', error);
      }
    }
    return current;
  }

  /** A callback that tells the interceptors first. */
  watch(record: ProducerRecord, callback: DeliveryCallback | undefined): DeliveryCallback {
    return (error, metadata) => {
      for (const interceptor of this.all) {
        try {
          interceptor.onAcknowledgement?.(error, metadata, record);
        } catch (thrown) {
          this.failed('onAcknowledgement', 'the outcome of the record stands', thrown);
        }
      }
      if (callback !== undefined) callSafely(callback, this.logger, error, metadata);
    };
  }

  /** The producer is closed. Never rejects. */
  async close(): Promise<void> {
    for (const interceptor of this.all) {
      try {
        await interceptor.close?.();
      } catch (error) {
        this.failed('close', 'the producer is closed all the same', error);
      }
    }
  }

  private failed(method: keyof ProducerInterceptor, consequence: string, error: unknown): void {
    this.logger.error(`The ${method} of a producer interceptor threw; ${consequence}.`, { error });
  }
}
