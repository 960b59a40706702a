/**
 * The outcome of `sendAll`: all records, or an error that tells which of them failed and which were stored.
 */
import { KafkaTemplateError, KafkaTemplateErrorCode } from '../errors.js';
import { counted, milliseconds } from '../io/wording.js';
import type { KafkaSendError } from './kafka-send-error.js';
import { Outcome, type OutcomeHost } from './outcome.js';
import type { SendFuture } from './send-future.js';
import type { SendResult } from './send-result.js';

/** One record of `sendAll` that was not sent. */
export interface SendFailure {
  /** Its place in the list, from 0. */
  readonly index: number;
  /** Why; `error.record` is the record. */
  readonly error: KafkaSendError;
}

/** Some records of a `sendAll` were not sent. The code is that of the first failure. */
export class KafkaSendAllError extends KafkaTemplateError {
  override name = 'KafkaSendAllError';

  constructor(
    /** What failed, in the order of the list. */
    readonly failures: readonly SendFailure[],
    /** By place in the list: what the broker answered, undefined for what failed. */
    readonly results: readonly (SendResult | undefined)[],
  ) {
    const first = failures[0]?.error;
    super(
      first?.code ?? KafkaTemplateErrorCode.SEND_FAILED,
      `${failures.length} of ${counted(results.length, 'record')} were not sent, the first because: ${first?.message}. ` +
        'The others are stored: send again only those in failures',
      first,
    );
  }
}

/** Completes when every record has its outcome: with all results, or a {@link KafkaSendAllError}. */
export class SendAllFuture<K = unknown, V = unknown> extends Outcome<readonly SendResult<K, V>[], KafkaSendAllError> {
  constructor(
    /** One for each record, in the order of the list. */
    readonly futures: readonly SendFuture<K, V>[],
    host: OutcomeHost,
  ) {
    super(host);
    const results = new Array<SendResult<K, V> | undefined>(futures.length).fill(undefined);
    const failures: SendFailure[] = [];
    let missing = futures.length;
    const onOutcome = () => {
      if (--missing > 0) return;
      failures.sort((one, other) => one.index - other.index);
      if (failures.length === 0) this.complete(undefined, results as SendResult<K, V>[]);
      else this.complete(new KafkaSendAllError(failures, results), undefined);
    };
    futures.forEach((future, index) => {
      future.addCallback(
        (result) => {
          results[index] = result;
          onOutcome();
        },
        (error) => {
          failures.push({ index, error });
          onOutcome();
        },
      );
    });
    if (missing === 0) this.complete(undefined, []);
  }

  protected override describe(): string {
    return `a send of ${counted(this.futures.length, 'record')}`;
  }

  protected override timeoutError(timeoutMs: number): Error {
    const open = this.futures.filter((future) => !future.isDone).length;
    return new KafkaTemplateError(
      KafkaTemplateErrorCode.SEND_TIMEOUT,
      `${open} of ${counted(this.futures.length, 'record')} were not acknowledged within ${milliseconds(timeoutMs)}. ` +
        'They may still arrive: look at futures before sending them again, or wait longer',
    );
  }
}
