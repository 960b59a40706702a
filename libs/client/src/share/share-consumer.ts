/**
 * What an application sees of a share consumer (KIP-932): a member of a group that takes records out of partitions like out
 * of a queue. No behaviour.
 */
import type { KafkaError } from '../errors.js';
import type { ShareRecord } from './share-record.js';
import type { ShareRecords } from './share-records.js';

/**
 * What becomes of a record: `accept` it was dealt with; `release` somebody may try again; `reject` nobody ever shall;
 * `renew` it takes longer, keep the lock (Kafka 4.2 and later).
 */
export type AcknowledgeType = 'accept' | 'release' | 'reject' | 'renew';

/** How the acknowledgements of one partition fared. */
export interface ShareCommitOutcome {
  readonly topic: string;
  readonly partition: number;
  /** Offsets of the records, ascending. */
  readonly offsets: readonly number[];
  /** Null when the broker has them. `INVALID_RECORD_STATE`: the lock was over; somebody else may have the records. */
  readonly error: KafkaError | null;
}

/** Told about every answer to acknowledgements, within `poll`, `commitSync` or `close`. Must not throw. */
export type AcknowledgementCommitCallback = (outcomes: readonly ShareCommitOutcome[]) => void;

/** A member of a share group. One call of `poll`, `commitSync` and `close` at a time. */
export interface ShareConsumer {
  /** Takes part in the group for these topics, in place of those before. An empty list leaves the group. */
  subscribe(topics: string | readonly string[]): void;
  /** The topics. */
  subscription(): string[];
  /** Leaves the group with the next turn; records that were not acknowledged are for others. */
  unsubscribe(): void;
  /**
   * Waits for records, at most `timeoutMs`. In `implicit` mode it accepts what the poll before gave; in `explicit` mode
   * all of that must have been acknowledged.
   *
   * @throws KafkaError INVALID_ARGUMENT when it was not, or nothing is subscribed; WAKEUP; CLOSED; errors of the group
   */
  poll(timeoutMs: number): Promise<ShareRecords>;
  /**
   * Says what became of a record that `poll` gave; default `accept`. Sent with the next `poll` or commit. In `explicit` mode
   * only.
   *
   * @throws KafkaError INVALID_ARGUMENT when the record is not in hand
   */
  acknowledge(record: Pick<ShareRecord, 'topic' | 'partition' | 'offset'>, type?: AcknowledgeType): void;
  /** Sends what was acknowledged (in `implicit` mode: accepts everything) and waits. One outcome for each partition. */
  commitSync(timeoutMs?: number): Promise<ShareCommitOutcome[]>;
  /** The same without waiting: the callback is told. */
  commitAsync(): void;
  /** Told about every answer to acknowledgements from now on; null for nobody. */
  setAcknowledgementCommitCallback(callback: AcknowledgementCommitCallback | null): void;
  /** How long the broker keeps a record locked for a member, in milliseconds; null before it was heard. */
  acquisitionLockTimeoutMs(): number | null;
  /** Interrupts the `poll` under way, or the next one, with WAKEUP. */
  wakeup(): void;
  /** Sends what was acknowledged, gives the rest back, leaves the group. Default limit 30000. */
  close(timeoutMs?: number): Promise<void>;
  readonly closed: boolean;
}
