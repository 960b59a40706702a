/**
 * The partitions of the current transaction: a record is sent only after its partition was added.
 *
 * Guarantees: a partition is added once per transaction; those that come up while a request is on its way go together in
 * the next one, none is lost; versions 0 to 3 of AddPartitionsToTxn only, the later ones are for brokers. With
 * transaction version 2 the partition's leader adds it by itself and nothing is asked here.
 */
import { AddPartitionsToTxn, ErrorCode, type ResponseOf } from '@kafka-template/protocol';
import type { ClientIo } from '../../io/io.js';
import type { CoordinatorRequests } from './coordinator-requests.js';
import type { TransactionMember } from './transaction-member.js';

/** Version 4 and later are between brokers. */
const CLIENT_VERSION_MAX = 3;

/** The partitions of one producer's transactions. */
export class TransactionPartitions {
  private readonly added = new Map<string, Set<number>>();
  private fresh = new Map<string, Set<number>>();
  private asked = new Map<string, Set<number>>();
  private running: Promise<void> | null = null;

  constructor(
    private readonly member: TransactionMember,
    private readonly requests: CoordinatorRequests,
    private readonly io: ClientIo,
    /** Partitions were added. */
    private readonly onAdded: () => void,
  ) {}

  /** Whether the partition belongs to the transaction; if not, it is asked for. */
  admit(topic: string, partition: number): boolean {
    if (this.added.get(topic)?.has(partition) === true) return true;
    if (this.member.isVersion2) {
      this.member.markStarted();
      addTo(this.added, topic, partition);
      return true;
    }
    // What is given up was sent before, so that its partition was added.
    if (this.member.isGivingUp || this.asked.get(topic)?.has(partition) === true) return false;
    addTo(this.fresh, topic, partition);
    this.running ??= this.run();
    return false;
  }

  /** The transaction is given up: what was not asked for yet never will be. */
  drop(): void {
    this.fresh.clear();
  }

  /** Resolves when no request is on its way. */
  async settled(): Promise<void> {
    await this.running;
  }

  /** A new transaction begins: it has no partitions. */
  clear(): void {
    this.added.clear();
    this.fresh.clear();
  }

  /** Never rejects. */
  private async run(): Promise<void> {
    // All partitions of this turn of the event loop together.
    await new Promise<void>((resolve) => this.io.clock.defer(resolve));
    while (this.fresh.size > 0) {
      this.asked = this.fresh;
      this.fresh = new Map();
      try {
        await this.ask();
        for (const [topic, partitions] of this.asked) for (const each of partitions) addTo(this.added, topic, each);
      } catch (error) {
        this.member.fail(error);
      }
      this.asked = new Map();
    }
    this.running = null;
    this.onAdded();
  }

  private async ask(): Promise<void> {
    const { member, asked } = this;
    await this.requests.send({
      api: AddPartitionsToTxn,
      context: `Adding partitions to the transaction of ${member.transactionalId}`,
      coordinator: 'transaction',
      key: member.transactionalId,
      bounds: { maxVersion: CLIENT_VERSION_MAX },
      body: {
        v3AndBelowTransactionalId: member.transactionalId,
        v3AndBelowProducerId: member.producerId,
        v3AndBelowProducerEpoch: member.producerEpoch,
        v3AndBelowTopics: Array.from(asked, ([name, partitions]) => ({ name, partitions: [...partitions] })),
      },
      codeOf,
      isPointless: () => member.isGivingUp,
    });
    member.markStarted();
  }
}

/** All or nothing: one partition's error says why, and OPERATION_NOT_ATTEMPTED of the others does not. */
function codeOf(response: ResponseOf<typeof AddPartitionsToTxn>): number {
  let code: number = ErrorCode.NONE;
  for (const { resultsByPartition } of response.resultsByTopicV3AndBelow) {
    for (const { partitionErrorCode } of resultsByPartition) {
      if (code === ErrorCode.NONE || code === ErrorCode.OPERATION_NOT_ATTEMPTED) code = partitionErrorCode || code;
    }
  }
  return code;
}

function addTo(topics: Map<string, Set<number>>, topic: string, partition: number): void {
  const partitions = topics.get(topic);
  if (partitions === undefined) topics.set(topic, new Set([partition]));
  else partitions.add(partition);
}
