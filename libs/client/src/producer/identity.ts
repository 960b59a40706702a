/**
 * By whom batches are sent: producer id and epoch, and what depends on how they are obtained.
 *
 * Two kinds: one that is only idempotent (producer-identity.ts), which helps itself to a higher epoch, and one with
 * transactions (transaction/transaction-manager.ts), where a new epoch comes with the end of a transaction only.
 */
import type { KafkaError } from '../errors.js';
import type { VersionBounds } from '../network/api-ranges.js';

/** The identity of one producer. */
export interface Identity {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Whether there is an id. */
  readonly isReady: boolean;
  /** Why records cannot be sent yet; null when nothing went wrong. */
  readonly lastError: KafkaError | null;
  /** Versions of Produce that mean what this identity needs. */
  readonly produceBounds: VersionBounds;
  /** Whether sequences go on for as long as the epoch does: then a partition's queue must not be forgotten. */
  readonly keepsSequences: boolean;
  /** A transaction will not be committed: only batches that may be stored already are sent again, to know for sure. */
  readonly isGivingUp: boolean;
  /** Asks for an id unless there is one. */
  obtain(): void;
  /** The sequences of a partition cannot go on in this epoch. The next epoch may come at once or later. */
  bump(): void;
  /** Whether batches of the partition may be sent now. If not, the sender is woken when they may. */
  admits(topic: string, partition: number): boolean;
  /** Records have failed for good. `hadSequence`: their sequence was used up and may be missing at the broker. */
  onFailed(error: KafkaError, hadSequence: boolean): void;
  /** Asks for nothing any more. */
  close(): void;
}
