/**
 * The gate before a partition: the first batch of a transaction waits here until the coordinator has said that the
 * partition belongs to it, or has added it (KIP-890).
 *
 * Guarantees: batches of one producer for one partition pass in the order they came, also those that come while the first
 * one waits; the coordinator is asked once for all of them; a partition takes them only with the verification that was
 * begun before the question, so that an end of the transaction in between is not missed.
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { EnterRequest } from '../coordinator/transaction/remote-brokers.js';
import type { Transactions } from '../coordinator/transaction/transaction-coordinator.js';
import type { Partition, Verification } from '../replication/partition.js';

/** A batch that wants to pass. */
export interface GatedBatch {
  readonly partition: Partition;
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  /** -1 for batches of a coordinator, which have none. */
  readonly baseSequence: number;
  /** The client leaves it to the brokers to add the partition to the transaction. */
  readonly adds: boolean;
}

/**
 * Called exactly once: with code 0 and what `append` must be given as `verification`, or with the coordinator's code.
 * Undefined: partitions do not ask, by configuration.
 */
export type Passed = (errorCode: number, verification: Verification | null | undefined) => void;

/** One answer of the coordinator, and who waits for it. */
type Queue = { readonly verification: Verification | null; readonly passed: Passed }[];

/** See the file comment. One per broker. */
export class TransactionGate {
  private readonly queues = new Map<string, Queue>();

  constructor(private readonly transactions: Pick<Transactions, 'enter' | 'verifies'>) {}

  /** Lets the batch pass: at once when its transaction is open in the partition and nothing is before it. */
  pass(batch: GatedBatch, passed: Passed): void {
    if (!this.transactions.verifies && !batch.adds) return passed(ErrorCode.NONE, undefined);
    const { partition, transactionalId: id, producerId, producerEpoch, baseSequence, adds } = batch;
    const verification = partition.beginVerification({ producerId, epoch: producerEpoch, baseSequence });
    const key = `${partition.topic} ${partition.partition} ${producerId} ${producerEpoch} ${id}`;
    const waiting = this.queues.get(key);
    if (waiting !== undefined) {
      waiting.push({ verification, passed });
      return;
    }
    if (verification === null) return passed(ErrorCode.NONE, null);
    const { topic, partition: index } = partition;
    this.enter(key, { id, producerId, producerEpoch, topic, partition: index, adds }, { verification, passed });
  }

  private enter(key: string, request: EnterRequest, first: Queue[number]): void {
    const queue: Queue = [first];
    this.queues.set(key, queue);
    this.transactions.enter(request, (errorCode) => {
      this.queues.delete(key);
      for (const { verification, passed } of queue) passed(errorCode, verification);
    });
  }
}
