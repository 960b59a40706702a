/**
 * Produce: v3–v13, shown to clients as v0–v13.
 *
 * Passes each batch, undecoded, to its partition and answers when all of them are with the operating system (acks 1) or
 * with all in-sync replicas (acks -1). With acks 0 nothing is answered, and an error closes the connection: the only
 * sign a producer can get. Versions 0 to 2 are advertised although they are refused, because librdkafka before 2025
 * sends uncompressed when it does not see them (KAFKA-18659).
 */
import { ErrorCode, errorName, Produce, type ProduceRequest, type ResponseInput } from '@kafka-template/protocol';
import type { TopicImage } from '../../cluster/image.js';
import type { AppendOptions, AppendOutcome } from '../../replication/partition.js';
import type { RequestContext } from '../context.js';
import { handler, NO_RESPONSE, type Answer } from '../handler.js';
import { appendToTransaction, belongsToTransaction } from '../transactional-append.js';
import {
  endpointsOf,
  findTopic,
  leaderHint,
  locateLeader,
  NO_EPOCH,
  unknownTopic,
  type LeaderHint,
} from '../leader.js';

type Response = ResponseInput<typeof Produce>;
type TopicResponse = Response['responses'][number];
type PartitionResponse = TopicResponse['partitionResponses'][number];
type PartitionRequest = ProduceRequest['topicData'][number]['partitionData'][number];

const TOPIC_IDS_SINCE_VERSION = 13;
const LEADER_HINT_SINCE_VERSION = 10;

/** The client id that may write to internal topics, as in Kafka. */
const ADMIN_CLIENT_ID = '__admin_client';

const NO_RECORDS = Buffer.alloc(0);

/** See the head of this file. */
export const produce = handler(
  Produce,
  { versions: [3, 13], advertisedMin: 0, readsInPlace: true },
  (request, context) => new ProduceCall(request, context).run(),
);

/** One request under way: which partitions are still to answer, and what the others said. */
class ProduceCall {
  private readonly byId: boolean;
  private readonly options: AppendOptions;
  private readonly responses: { topic: TopicImage | undefined; answer: TopicResponse; rows: PartitionResponse[] }[] =
    [];
  private readonly hints: LeaderHint[] = [];
  private open = 1;
  private firstFailure: string | null = null;
  private resolve: ((response: Response) => void) | null = null;

  constructor(
    private readonly request: ProduceRequest,
    private readonly context: RequestContext,
  ) {
    this.byId = context.apiVersion >= TOPIC_IDS_SINCE_VERSION;
    const { acks, timeoutMs, transactionalId } = request;
    this.options = {
      origin: 'client',
      produceVersion: context.apiVersion,
      transactionalId,
      acks: acks as AppendOptions['acks'],
      timeoutMs,
    };
  }

  run(): Answer<typeof Produce> | Promise<Answer<typeof Produce>> {
    const { image } = this.context.broker.controller;
    for (const data of this.request.topicData) {
      const topic = findTopic(image, data, this.byId);
      const rows: PartitionResponse[] = [];
      const answer = { name: data.name, topicId: data.topicId, partitionResponses: rows };
      this.responses.push({ topic, answer, rows });
      for (const partition of data.partitionData) this.append(topic, partition, rows);
    }
    const isWaiting = --this.open > 0;
    const { pressure } = this.context.broker.partitions;
    if (pressure.isHigh) pressure.onRelief(this.context.connection.hold());
    if (this.request.acks === 0) return this.withoutAnswer();
    if (!isWaiting) return this.answer();
    return new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  private append(topic: TopicImage | undefined, data: PartitionRequest, rows: PartitionResponse[]): void {
    const row = rows.length;
    const refusal = this.refusal(topic);
    if (refusal !== ErrorCode.NONE) {
      rows.push(this.failed(topic, data.index, refusal));
      return;
    }
    const located = locateLeader(this.context.broker, topic, data.index, NO_EPOCH);
    if (!('partition' in located)) {
      rows.push(this.failed(topic, data.index, located.errorCode));
      return;
    }
    this.open++;
    rows.push(PENDING);
    const { partition } = located;
    const records = data.records ?? NO_RECORDS;
    const done = (outcome: AppendOutcome): void => {
      rows[row] = partitionResponse(data.index, outcome);
      if (outcome.errorCode !== ErrorCode.NONE) this.note(topic, data.index, outcome.errorCode);
      if (--this.open === 0) this.settle();
    };
    if (!belongsToTransaction(records, this.options)) partition.append(records, this.options, done);
    else appendToTransaction(this.context.broker.transactionGate, partition, records, this.options, done);
  }

  /** What forbids the append before its partition is asked. */
  private refusal(topic: TopicImage | undefined): number {
    if (topic === undefined) return unknownTopic(this.byId);
    const { acks } = this.request;
    if (acks !== 0 && acks !== 1 && acks !== -1) return ErrorCode.INVALID_REQUIRED_ACKS;
    if (topic.internal && this.context.clientId !== ADMIN_CLIENT_ID) return ErrorCode.INVALID_TOPIC_EXCEPTION;
    return ErrorCode.NONE;
  }

  private failed(topic: TopicImage | undefined, index: number, errorCode: number): PartitionResponse {
    this.note(topic, index, errorCode);
    const hint = this.context.apiVersion < LEADER_HINT_SINCE_VERSION ? undefined : leaderHint(topic, index, errorCode);
    if (hint !== undefined) this.hints.push(hint);
    return { index, errorCode, baseOffset: -1, recordErrors: [], currentLeader: hint };
  }

  private note(topic: TopicImage | undefined, index: number, errorCode: number): void {
    this.firstFailure ??= `${topic?.name ?? 'an unknown topic'}-${index}: ${errorName(errorCode)}`;
  }

  private settle(): void {
    if (this.resolve !== null) this.resolve(this.answer());
    else if (this.request.acks === 0) this.closeOnFailure();
  }

  private withoutAnswer(): typeof NO_RESPONSE {
    this.closeOnFailure();
    return NO_RESPONSE;
  }

  private closeOnFailure(): void {
    if (this.firstFailure === null) return;
    this.context.connection.fail(
      `its acks=0 Produce failed for ${this.firstFailure}. There is no other way to tell; use acks=1 or acks=all to see errors.`,
    );
  }

  private answer(): Response {
    return {
      responses: this.responses.map(({ answer }) => answer),
      nodeEndpoints: this.hints.length === 0 ? [] : endpointsOf(this.context.broker.controller.image, this.hints),
    };
  }
}

const PENDING: PartitionResponse = { index: -1, errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, baseOffset: -1 };

function partitionResponse(index: number, outcome: AppendOutcome): PartitionResponse {
  const { errorCode, baseOffset, logAppendTimeMs, logStartOffset, errorMessage } = outcome;
  const recordErrors = outcome.recordErrors.map(({ batchIndex, message }) => ({
    batchIndex,
    batchIndexErrorMessage: message,
  }));
  return { index, errorCode, baseOffset, logAppendTimeMs, logStartOffset, recordErrors, errorMessage };
}
