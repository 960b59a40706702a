/**
 * Offsets of a consumer's group that are committed together with the records of a transaction.
 *
 * Guarantees: calls are carried out in their order, every one of them; the offsets carry the member's place in its group
 * (KIP-447), so that a member that lost its partitions cannot commit. Brokers before 2.5 do not know it; there the
 * transactional id alone must tell zombies apart. Bound: OFFSET_CALLS_MAX.
 */
import {
  AddOffsetsToTxn,
  ErrorCode,
  type RequestInput,
  type ResponseOf,
  TxnOffsetCommit,
} from '@kafka-template/protocol';
import { ClientErrorCode, KafkaError } from '../../errors.js';
import type { ConsumerGroupMetadata } from '../../consumer/consumer.js';
import type { OffsetCommit } from '../../consumer/offsets/commits.js';
import { groupByTopic, partitionKey } from '../../consumer/topic-partition.js';
import type { CoordinatorRequests } from './coordinator-requests.js';
import { TRANSACTION_ABORTED } from './transaction-errors.js';
import type { TransactionMember } from './transaction-member.js';

/** Calls that may wait for those before them. */
const OFFSET_CALLS_MAX = 1_000;
/** First version that tells the coordinator which member commits. */
const MEMBER_VERSION = 3;
/** First version that adds the offsets to the transaction by itself. */
const VERSION_2_MIN = 5;

/** The offsets of one producer's transactions. */
export class TransactionOffsets {
  private tail: Promise<void> = Promise.resolve();
  private waiting = 0;
  private readonly groups = new Set<string>();

  constructor(
    private readonly member: TransactionMember,
    private readonly requests: CoordinatorRequests,
  ) {}

  /** Sends offsets after those of earlier calls. @throws KafkaError abortable or fatal, or about the arguments */
  send(offsets: readonly OffsetCommit[], group: ConsumerGroupMetadata): Promise<void> {
    const problem = this.problem(offsets, group);
    if (problem !== null) return Promise.reject(new KafkaError(ClientErrorCode.INVALID_ARGUMENT, problem));
    if (offsets.length === 0) return Promise.resolve();
    const copy = [...offsets];
    this.waiting += 1;
    const sent = this.tail.then(() => this.carryOut(copy, group)).finally(() => (this.waiting -= 1));
    this.tail = sent.catch((error: unknown) => this.member.fail(error));
    return sent;
  }

  /** Resolves when nothing waits and nothing is on its way. */
  settled(): Promise<void> {
    return this.tail;
  }

  /** A new transaction begins. */
  clear(): void {
    this.groups.clear();
  }

  private problem(offsets: readonly OffsetCommit[], { groupId }: ConsumerGroupMetadata): string | null {
    if (typeof groupId !== 'string' || groupId === '') {
      return 'sendOffsetsToTransaction() needs the groupMetadata() of the consumer that read the records.';
    }
    const invalid = offsets.find(({ offset }) => !Number.isSafeInteger(offset) || offset < 0);
    if (invalid !== undefined) {
      return `The offset ${invalid.offset} of ${partitionKey(invalid)} cannot be committed; it must be 0 or more.`;
    }
    return this.waiting < OFFSET_CALLS_MAX
      ? null
      : `${OFFSET_CALLS_MAX} calls of sendOffsetsToTransaction() already wait. Await them.`;
  }

  private async carryOut(offsets: readonly OffsetCommit[], group: ConsumerGroupMetadata): Promise<void> {
    const { member } = this;
    if (member.isGivingUp) {
      throw new KafkaError(TRANSACTION_ABORTED, 'The offsets were not sent: the transaction is being aborted.', {
        abortable: true,
      });
    }
    if (member.isVersion2) member.markStarted();
    else if (!this.groups.has(group.groupId)) await this.addGroup(group.groupId);
    await this.requests.send({
      api: TxnOffsetCommit,
      context: `Sending offsets of group ${group.groupId} to the transaction of ${member.transactionalId}`,
      coordinator: 'group',
      key: group.groupId,
      bounds: member.isVersion2 ? { minVersion: VERSION_2_MIN } : { maxVersion: VERSION_2_MIN - 1 },
      body: (version) => this.body(version, offsets, group),
      codeOf: commitCodeOf,
      isPointless: () => member.isGivingUp,
    });
  }

  private async addGroup(groupId: string): Promise<void> {
    const { transactionalId, producerId, producerEpoch } = this.member;
    await this.requests.send({
      api: AddOffsetsToTxn,
      context: `Adding the offsets of group ${groupId} to the transaction of ${transactionalId}`,
      coordinator: 'transaction',
      key: transactionalId,
      body: { transactionalId, producerId, producerEpoch, groupId },
      codeOf: ({ errorCode }) => errorCode,
      isPointless: () => this.member.isGivingUp,
    });
    this.member.markStarted();
    this.groups.add(groupId);
  }

  private body(
    version: number,
    offsets: readonly OffsetCommit[],
    { groupId, generationId, memberId, groupInstanceId }: ConsumerGroupMetadata,
  ): RequestInput<typeof TxnOffsetCommit> {
    const { transactionalId, producerId, producerEpoch } = this.member;
    return {
      transactionalId,
      groupId,
      producerId,
      producerEpoch,
      ...(version < MEMBER_VERSION ? {} : { generationId, memberId, groupInstanceId }),
      topics: Array.from(groupByTopic(offsets), ([name, entries]) => ({
        name,
        partitions: entries.map(({ partition, offset, leaderEpoch, metadata }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedLeaderEpoch: leaderEpoch ?? -1,
          committedMetadata: metadata ?? '',
        })),
      })),
    };
  }
}

/** The first error of a partition: with any of them the offsets of the call are sent again as a whole, or not at all. */
function commitCodeOf(response: ResponseOf<typeof TxnOffsetCommit>): number {
  for (const { partitions } of response.topics) {
    for (const { errorCode } of partitions) if (errorCode !== ErrorCode.NONE) return errorCode;
  }
  return ErrorCode.NONE;
}
