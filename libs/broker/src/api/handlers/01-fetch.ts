/**
 * Fetch: v4–v17.
 *
 * Answers at once when the partitions hold `minBytes`, when something is wrong, or when the limits cut something off;
 * else it parks, without a timer of its own, until enough has come or `maxWaitMs` is over, and reads once more.
 * Within a session (KIP-227) the request names only what changed and the answer only what is new.
 * Records are read only when there is memory for them: fetch-memory.ts bounds what all fetches of the broker have.
 * Fetches of followers are refused with NOT_LEADER_OR_FOLLOWER.
 */
import { ErrorCode, Fetch, type FetchRequest, type ResponseInput } from '@kafka-template/protocol';
import { entriesOf, type FetchEntry } from '../fetch/fetch-entry.js';
import type { FetchGrant } from '../fetch/fetch-memory.js';
import { FetchRead } from '../fetch/fetch-read.js';
import { fetchRow, refusedRow, type FetchRow } from '../fetch/fetch-row.js';
import type { FetchResult } from '../fetch/fetch-result.js';
import type { FetchContext } from '../fetch/fetch-sessions.js';
import type { RequestContext } from '../context.js';
import { BorrowedAnswer, handler } from '../handler.js';
import { endpointsOf, findTopic, leaderHint, type LeaderHint } from '../leader.js';

type Response = ResponseInput<typeof Fetch>;
type Borrowed = BorrowedAnswer<typeof Fetch>;

const TOPIC_IDS_SINCE_VERSION = 13;
const LEADER_HINT_SINCE_VERSION = 12;
const ENDPOINTS_SINCE_VERSION = 16;
const READ_COMMITTED = 1;
const CONSUMER = -1;

/** See the head of this file. */
export const fetch = handler(Fetch, { versions: [4, 17], readsInPlace: true }, (request, context) => {
  if (replicaIdOf(request) !== CONSUMER) return refuseFollower(request);
  const byId = context.apiVersion >= TOPIC_IDS_SINCE_VERSION;
  const session = context.broker.fetchSessions.enter(request, byId);
  if (session.kind === 'refused') return { errorCode: session.errorCode, responses: [] };
  return new FetchCall(request, context, session, byId).run();
});

/** One request under way. */
class FetchCall {
  private readonly entries: readonly FetchEntry[];
  private readonly readCommitted: boolean;
  private readonly maxBytes: number;
  /** What all its partitions together may give. */
  private readonly wantedBytes: number;

  constructor(
    private readonly request: FetchRequest,
    private readonly context: RequestContext,
    private readonly session: Exclude<FetchContext, { kind: 'refused' }>,
    private readonly byId: boolean,
  ) {
    this.entries = session.kind === 'incremental' ? session.session.entries() : entriesOf(request);
    this.readCommitted = request.isolationLevel === READ_COMMITTED;
    this.maxBytes = Math.min(request.maxBytes, context.broker.settings.fetchMaxBytes);
    let partitionBytes = 0;
    for (const { data } of this.entries) partitionBytes += Math.max(0, data.partitionMaxBytes);
    this.wantedBytes = Math.max(0, Math.min(this.maxBytes, partitionBytes));
  }

  run(): Borrowed | Promise<Borrowed> {
    const read = this.read();
    return read instanceof Promise
      ? this.heldWhile(read).then((late) => this.answerOrPark(late))
      : this.answerOrPark(read);
  }

  /**
   * Reading from the disk takes memory for what it reads: nothing more is taken off the connection meanwhile, so that
   * a client cannot have hundreds of such reads under way.
   */
  private heldWhile(read: Promise<FetchRead>): Promise<FetchRead> {
    return read.finally(this.context.connection.hold());
  }

  /** Reads as much as there is memory for, after waiting for some if there is none. */
  private read(): FetchRead | Promise<FetchRead> {
    const { broker, connection } = this.context;
    const grant = broker.fetchMemory.tryTake(this.wantedBytes);
    if (grant !== null) return this.readInto(grant);
    return broker.fetchMemory.take(this.wantedBytes, connection).then((late) => this.readInto(late));
  }

  /** Topics are looked up anew for each pass: they may have gone, or moved, while the request was parked. */
  private readInto(grant: FetchGrant): FetchRead | Promise<FetchRead> {
    const { broker, connection } = this.context;
    const { image } = broker.controller;
    const { byId, readCommitted } = this;
    const maxBytes = Math.min(this.maxBytes, grant.bytes);
    const targets = this.entries.map((entry) => ({
      entry,
      topic: findTopic(image, { name: entry.topic, topicId: entry.topicId }, byId),
      byId,
    }));
    return new FetchRead(broker, { maxBytes, connection, grant, readCommitted }).run(targets);
  }

  private answerOrPark(read: FetchRead): Borrowed | Promise<Borrowed> {
    const { minBytes, maxWaitMs } = this.request;
    if (read.isUrgent || read.sizeBytes >= minBytes || maxWaitMs <= 0 || this.entries.length === 0) {
      return this.answer(read);
    }
    // What there is will be read again with what comes.
    read.release();
    return this.park(read);
  }

  private park(read: FetchRead): Promise<Borrowed> {
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

  private async readAgain(): Promise<Borrowed> {
    const read = this.read();
    return this.answer(read instanceof Promise ? await this.heldWhile(read) : read);
  }

  private answer(read: FetchRead): Borrowed {
    read.sendTo(this.context.connection);
    return new BorrowedAnswer(this.whatIsNew(read), () => read.release());
  }

  private whatIsNew(read: FetchRead): Response {
    const { session } = this;
    if (session.kind === 'incremental') {
      return this.response(session.session.news(read.results), session.session.id);
    }
    const created = session.wantsSession ? this.context.broker.fetchSessions.create(this.request, this.byId) : null;
    created?.told(read.results);
    return this.response(read.results, created?.id ?? 0);
  }

  private response(results: readonly FetchResult[], sessionId: number): Response {
    const { apiVersion, broker } = this.context;
    const hints: LeaderHint[] = [];
    const responses: (Response['responses'][number] & { partitions: FetchRow[] })[] = [];
    for (const result of results) {
      const { topic } = result.target;
      const { data, ...named } = result.target.entry;
      const mayHint = apiVersion >= LEADER_HINT_SINCE_VERSION;
      const hint = mayHint ? leaderHint(topic, data.partition, result.errorCode) : undefined;
      if (hint !== undefined) hints.push(hint);
      let last = responses.at(-1);
      if (last === undefined || last.topic !== named.topic || last.topicId !== named.topicId) {
        last = { ...named, partitions: [] };
        responses.push(last);
      }
      last.partitions.push(fetchRow(result, hint));
    }
    const namesEndpoints = hints.length > 0 && apiVersion >= ENDPOINTS_SINCE_VERSION;
    return { sessionId, responses, nodeEndpoints: namesEndpoints ? endpointsOf(broker.controller.image, hints) : [] };
  }
}

function replicaIdOf({ replicaId, replicaState }: FetchRequest): number {
  return replicaState.replicaId === CONSUMER ? replicaId : replicaState.replicaId;
}

function refuseFollower(request: FetchRequest): Response {
  const responses = request.topics.map(({ topic, topicId, partitions }) => ({
    topic,
    topicId,
    partitions: partitions.map(({ partition }) => refusedRow(partition, ErrorCode.NOT_LEADER_OR_FOLLOWER, null)),
  }));
  return { responses };
}
