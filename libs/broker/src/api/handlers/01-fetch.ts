/**
 * Fetch: v4–v17.
 *
 * Answers at once when the partitions hold `minBytes`, when something is wrong, or when the limits cut something off;
 * else it parks, without a timer of its own, until enough has come or `maxWaitMs` is over, and reads once more.
 * Fetch sessions are not kept: every answer has session id 0, which tells the client to name its partitions each time
 * (KIP-227). Fetches of followers are refused with NOT_LEADER_OR_FOLLOWER.
 */
import { ErrorCode, Fetch, type FetchRequest, type ResponseInput } from '@kafka-template/protocol';
import { FetchRead, type FetchResult, type FetchTarget } from '../fetch/fetch-read.js';
import type { RequestContext } from '../context.js';
import { handler } from '../handler.js';
import { endpointsOf, findTopic, leaderHint, type LeaderHint } from '../leader.js';

type Response = ResponseInput<typeof Fetch>;
type PartitionResponse = Response['responses'][number]['partitions'][number];

const TOPIC_IDS_SINCE_VERSION = 13;
const LEADER_HINT_SINCE_VERSION = 12;
const ENDPOINTS_SINCE_VERSION = 16;
const READ_COMMITTED = 1;
const CONSUMER = -1;

/** Session epochs of a request that names all its partitions: a new session, or none. */
const FULL_FETCH_EPOCHS = [0, -1];

/** See the head of this file. */
export const fetch = handler(Fetch, { versions: [4, 17], readsInPlace: true }, (request, context) => {
  if (!FULL_FETCH_EPOCHS.includes(request.sessionEpoch)) {
    return { errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, responses: [] };
  }
  return new FetchCall(request, context).run();
});

/** One request under way. */
class FetchCall {
  private readonly targets: FetchTarget[] = [];
  private readonly readCommitted: boolean;
  private readonly maxBytes: number;

  constructor(
    private readonly request: FetchRequest,
    private readonly context: RequestContext,
  ) {
    this.readCommitted = request.isolationLevel === READ_COMMITTED;
    this.maxBytes = Math.min(request.maxBytes, context.broker.settings.fetchMaxBytes);
  }

  run(): Response | Promise<Response> {
    if (this.replicaId() !== CONSUMER) return this.refuseFollower();
    const read = this.read();
    return read instanceof Promise ? read.then((late) => this.answerOrPark(late)) : this.answerOrPark(read);
  }

  private replicaId(): number {
    const { replicaId, replicaState } = this.request;
    return replicaState.replicaId === CONSUMER ? replicaId : replicaState.replicaId;
  }

  /** Topics are looked up anew for each pass: they may have gone, or moved, while the request was parked. */
  private read(): FetchRead | Promise<FetchRead> {
    const { image } = this.context.broker.controller;
    const byId = this.context.apiVersion >= TOPIC_IDS_SINCE_VERSION;
    this.targets.length = 0;
    for (const named of this.request.topics) {
      const topic = findTopic(image, { name: named.topic, topicId: named.topicId }, byId);
      for (const data of named.partitions) this.targets.push({ topic, byId, data });
    }
    const { maxBytes, readCommitted } = this;
    return new FetchRead(this.context.broker, { maxBytes, readCommitted }).run(this.targets);
  }

  private answerOrPark(read: FetchRead): Response | Promise<Response> {
    const { minBytes, maxWaitMs } = this.request;
    if (read.isUrgent || read.sizeBytes >= minBytes || maxWaitMs <= 0 || this.targets.length === 0) {
      return this.answer(read);
    }
    return this.park(read);
  }

  private park(read: FetchRead): Promise<Response> {
    const { clock, partitions } = this.context.broker;
    return new Promise((resolve, reject) => {
      const handle = partitions.waits.park({
        partitions: read.results.map(({ partition }) => partition!),
        minBytes: this.request.minBytes - read.sizeBytes,
        deadlineMs: clock.monotonic() + this.request.maxWaitMs,
        readCommitted: this.readCommitted,
        seenOffsets: read.results.map(({ outcome }) =>
          this.readCommitted ? outcome!.lastStableOffset : outcome!.highWatermark,
        ),
        onReady: () => {
          forget();
          this.readAgain().then(resolve, reject);
        },
      });
      const forget = this.context.connection.whenClosed(() => partitions.waits.cancel(handle));
    });
  }

  private async readAgain(): Promise<Response> {
    return this.answer(await this.read());
  }

  private answer(read: FetchRead): Response {
    const { apiVersion, broker } = this.context;
    const hints: LeaderHint[] = [];
    const responses: Response['responses'][number][] = [];
    let index = 0;
    for (const named of this.request.topics) {
      const partitions = named.partitions.map(() => {
        const result = read.results[index++]!;
        const { topic, data } = result.target;
        const hint =
          apiVersion < LEADER_HINT_SINCE_VERSION ? undefined : leaderHint(topic, data.partition, result.errorCode);
        if (hint !== undefined) hints.push(hint);
        return partitionResponse(result, hint);
      });
      responses.push({ topic: named.topic, topicId: named.topicId, partitions });
    }
    const mayHint = hints.length > 0 && apiVersion >= ENDPOINTS_SINCE_VERSION;
    return { responses, nodeEndpoints: mayHint ? endpointsOf(broker.controller.image, hints) : [] };
  }

  private refuseFollower(): Response {
    const responses = this.request.topics.map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map(({ partition }) => refusal(partition, ErrorCode.NOT_LEADER_OR_FOLLOWER, null)),
    }));
    return { responses };
  }
}

type Aborted = PartitionResponse['abortedTransactions'];

/** Never null records: librdkafka takes their length of -1 for a broken message set. */
const NO_RECORDS: readonly Buffer[] = [];

function partitionResponse(result: FetchResult, hint: LeaderHint | undefined): PartitionResponse {
  const partitionIndex = result.target.data.partition;
  const { outcome, partition, diverging } = result;
  if (outcome !== null) {
    return {
      partitionIndex,
      errorCode: outcome.errorCode,
      highWatermark: outcome.highWatermark,
      lastStableOffset: outcome.lastStableOffset,
      logStartOffset: outcome.logStartOffset,
      abortedTransactions: outcome.abortedTransactions,
      records: outcome.records,
    };
  }
  if (diverging !== null && partition !== null) {
    return {
      partitionIndex,
      errorCode: ErrorCode.NONE,
      highWatermark: partition.highWatermark,
      lastStableOffset: partition.lastStableOffset,
      logStartOffset: partition.logStartOffset,
      divergingEpoch: diverging,
      abortedTransactions: null,
      records: NO_RECORDS,
    };
  }
  // Kafka lists no aborted transactions for a partition it does not have, and null for one that could not be read.
  const isKnown = result.target.topic?.partitions[partitionIndex] !== undefined;
  return { ...refusal(partitionIndex, result.errorCode, isKnown ? null : []), currentLeader: hint };
}

function refusal(partitionIndex: number, errorCode: number, abortedTransactions: Aborted): PartitionResponse {
  return { partitionIndex, errorCode, highWatermark: -1, abortedTransactions, records: NO_RECORDS };
}
