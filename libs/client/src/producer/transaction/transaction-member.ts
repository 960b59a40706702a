/**
 * What the parts of a transaction need to know of it while it goes on.
 */

/** The transaction as its parts see it; one object per producer, its values change. */
export interface TransactionMember {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Whether brokers add partitions and offsets by themselves (KIP-890, transaction version 2). */
  readonly isVersion2: boolean;
  /** Whether the transaction will not be committed. */
  readonly isGivingUp: boolean;
  /** The coordinator knows of the transaction, or may know: it has to be told of the end. */
  markStarted(): void;
  /** Something failed for good: the transaction, or the producer. */
  fail(error: unknown): void;
}
