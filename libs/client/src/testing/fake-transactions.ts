/**
 * A transaction coordinator and a group coordinator in memory, as far as transactional producers see them.
 *
 * Guarantees Kafka's checks of id, epoch and state for one transactional id at a time, in both versions of the protocol;
 * which records are committed is not its business. For specs only.
 */
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  EndTxn,
  ErrorCode,
  InitProducerId,
  Produce,
  type RequestOf,
  TxnOffsetCommit,
} from '@kafka-template/protocol';
import type { SeenRequest } from './fake-kafka.js';
import type { World } from './world.js';

/** The coordinators of one world. */
export class FakeTransactions {
  producerId = 7000;
  producerEpoch = -1;
  state: 'EMPTY' | 'ONGOING' | 'COMMITTED' | 'ABORTED' = 'EMPTY';
  /** Partitions and groups of the open transaction, in the order in which they came: `orders-0`, `group:billing`. */
  readonly members: string[] = [];
  /** How the transactions ended, with what they had: `commit orders-0`. */
  readonly ends: string[] = [];
  /** The offsets sent, as `orders-0:5`. */
  readonly offsets: string[] = [];

  /** Puts it into the world. `version` 2 is announced as a finalized feature (KIP-890). */
  constructor(
    world: World,
    private readonly version: 1 | 2 = 1,
  ) {
    const { services, finalizedFeatures } = world.kafka;
    if (version === 2) finalizedFeatures.set('transaction.version', 2);
    services.set(InitProducerId.name, (request) => this.init(request.body as RequestOf<typeof InitProducerId>));
    services.set(AddPartitionsToTxn.name, (request) => this.addPartitions(request));
    services.set(AddOffsetsToTxn.name, (request) => this.addOffsets(request.body as RequestOf<typeof AddOffsetsToTxn>));
    services.set(TxnOffsetCommit.name, (request) =>
      this.commitOffsets(request.body as RequestOf<typeof TxnOffsetCommit>),
    );
    services.set(EndTxn.name, (request) => this.end(request));
    services.set(Produce.name, (request, carryOut) => {
      if (version === 2) this.addProduced(request.body as RequestOf<typeof Produce>);
      return carryOut();
    });
  }

  /** Another producer takes over the transactional id. */
  fence(): void {
    this.producerEpoch += 1;
    this.state = 'EMPTY';
    this.members.length = 0;
  }

  private init({ producerId, producerEpoch }: RequestOf<typeof InitProducerId>): object {
    const isOther = producerId !== -1 && !this.isCurrent(producerId, producerEpoch);
    if (isOther) return { errorCode: ErrorCode.PRODUCER_FENCED, producerId: -1, producerEpoch: -1 };
    this.fence();
    return { errorCode: ErrorCode.NONE, producerId: this.producerId, producerEpoch: this.producerEpoch };
  }

  private addPartitions({ body }: SeenRequest): object {
    const request = body as RequestOf<typeof AddPartitionsToTxn>;
    const errorCode = this.check(request.v3AndBelowProducerId, request.v3AndBelowProducerEpoch);
    const topics = request.v3AndBelowTopics;
    for (const { name, partitions } of topics) for (const each of partitions) this.add(errorCode, `${name}-${each}`);
    return {
      resultsByTopicV3AndBelow: topics.map(({ name, partitions }) => ({
        name,
        resultsByPartition: partitions.map((partitionIndex) => ({ partitionIndex, partitionErrorCode: errorCode })),
      })),
    };
  }

  private addOffsets({ producerId, producerEpoch, groupId }: RequestOf<typeof AddOffsetsToTxn>): object {
    const errorCode = this.check(producerId, producerEpoch);
    this.add(errorCode, `group:${groupId}`);
    return { errorCode };
  }

  private commitOffsets(request: RequestOf<typeof TxnOffsetCommit>): object {
    const { producerId, producerEpoch, groupId, topics } = request;
    const errorCode = this.check(producerId, producerEpoch);
    if (this.version === 2) this.add(errorCode, `group:${groupId}`);
    for (const { name, partitions } of topics) {
      for (const each of partitions) this.offsets.push(`${name}-${each.partitionIndex}:${each.committedOffset}`);
    }
    return {
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
      })),
    };
  }

  private addProduced({ topicData }: RequestOf<typeof Produce>): void {
    for (const { name, partitionData } of topicData) {
      for (const { index } of partitionData) this.add(ErrorCode.NONE, `${name}-${index}`);
    }
  }

  private end({ body }: SeenRequest): object {
    const { producerId, producerEpoch, committed } = body as RequestOf<typeof EndTxn>;
    const target = committed ? 'COMMITTED' : 'ABORTED';
    const isRepeated =
      this.state === target &&
      producerId === this.producerId &&
      producerEpoch === this.producerEpoch - (this.version === 2 ? 1 : 0);
    const errorCode = isRepeated ? ErrorCode.NONE : this.check(producerId, producerEpoch);
    if (!isRepeated && errorCode === ErrorCode.NONE) {
      const isEmptyAbort = this.version === 2 && !committed;
      if (this.state !== 'ONGOING' && !isEmptyAbort) return { errorCode: ErrorCode.INVALID_TXN_STATE };
      this.ends.push(`${committed ? 'commit' : 'abort'} ${this.members.splice(0).join()}`.trim());
      this.state = target;
      if (this.version === 2) this.producerEpoch += 1;
    }
    return { errorCode, producerId: this.producerId, producerEpoch: this.producerEpoch };
  }

  private add(errorCode: number, member: string): void {
    if (errorCode !== ErrorCode.NONE) return;
    this.state = 'ONGOING';
    if (!this.members.includes(member)) this.members.push(member);
  }

  private check(producerId: number, producerEpoch: number): number {
    if (producerId !== this.producerId) return ErrorCode.INVALID_PRODUCER_ID_MAPPING;
    return producerEpoch === this.producerEpoch ? ErrorCode.NONE : ErrorCode.PRODUCER_FENCED;
  }

  private isCurrent(producerId: number, producerEpoch: number): boolean {
    return producerId === this.producerId && producerEpoch === this.producerEpoch;
  }
}
