/**
 * Fetches for a share consumer and tells brokers what became of records: one session with each broker.
 *
 * Guarantees: acknowledgements go to the broker that gave the records, within its session, and each gets exactly one
 * outcome; a broker that fails is asked again after a pause; what was fetched is kept in the order of coming.
 */
import {
  ErrorCode,
  ShareAcknowledge,
  ShareFetch,
  type ShareAcknowledgeResponse,
  type ShareFetchResponse,
} from '@kafka-template/protocol';
import { asKafkaError, brokerError, ClientErrorCode, type KafkaError } from '../errors.js';
import { backoffMs } from '../network/backoff.js';
import { ACKNOWLEDGE_TYPE, acknowledgementBatches, type Acknowledgements } from './acknowledgements.js';
import { readAcquired } from './acquired-records.js';
import type { ShareCommitOutcome } from './share-consumer.js';
import type { ShareContext } from './share-context.js';
import type { ShareMember } from './share-member.js';
import type { ShareRecord } from './share-record.js';
import { FINAL_EPOCH, FIRST_EPOCH, sharedKey, type SharedPartition, ShareSession, topicRows } from './share-session.js';

/** Session and records are bound to the connection, so both kinds of requests take the same. */
const LANE = 'fetch';

const ACQUIRE_MODE = { batch_optimized: 0, record_limit: 1 } as const;

/** Records of one partition as they came. */
export interface FetchedShare {
  readonly origin: SharedPartition;
  readonly nodeId: number;
  readonly records: readonly ShareRecord[];
}

interface Pending {
  readonly origin: SharedPartition;
  readonly acknowledgements: Map<number, number>;
}

/** Answers to one partition's acknowledgements. */
interface Answer {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/** See the file comment. */
export class ShareFetcher {
  /** What came and was not taken yet. */
  readonly fetched: FetchedShare[] = [];
  /** What `poll` has to throw. */
  failure: KafkaError | null = null;
  /** As the brokers told last. */
  lockTimeoutMs: number | null = null;
  private readonly sessions = new Map<number, ShareSession>();
  private readonly pending = new Map<number, Map<string, Pending>>();

  constructor(
    private readonly context: ShareContext,
    private readonly member: ShareMember,
    private readonly onOutcomes: (outcomes: readonly ShareCommitOutcome[], renewed: boolean) => void,
  ) {}

  /** Notes what became of a record; it goes out with the next request to the broker. */
  acknowledge(origin: SharedPartition, nodeId: number, offset: number, type: number): void {
    let ofNode = this.pending.get(nodeId);
    if (!ofNode) this.pending.set(nodeId, (ofNode = new Map<string, Pending>()));
    const key = sharedKey(origin);
    let pending = ofNode.get(key);
    if (!pending) ofNode.set(key, (pending = { origin, acknowledgements: new Map<number, number>() }));
    pending.acknowledgements.set(offset, type);
  }

  /** Asks every broker that leads partitions of this member and is not being asked. */
  sendFetches(nowMs: number): void {
    for (const [nodeId, wanted] of this.partitionsByNode()) {
      const session = this.session(nodeId);
      if (session.isBusy || nowMs < session.notBeforeMs) continue;
      void session.run(() => this.fetch(session, wanted));
    }
  }

  /** When {@link sendFetches} may have something to do without any news; monotonic. */
  get nextMs(): number {
    let next = Infinity;
    for (const session of this.sessions.values()) if (!session.isBusy) next = Math.min(next, session.notBeforeMs);
    return next;
  }

  /** Sends what is noted, after what is on its way. Resolves with the outcomes; never rejects. */
  async flush(timeoutMs: number): Promise<ShareCommitOutcome[]> {
    const sent = [...this.pending.keys()].map((nodeId) => {
      const session = this.session(nodeId);
      return session.run(() => this.sendAcknowledgements(session, timeoutMs));
    });
    return (await Promise.all(sent)).flat();
  }

  /** Ends all sessions; what is noted goes out with the last request, what is not is free for others. Never rejects. */
  async close(timeoutMs: number): Promise<void> {
    const open = [...this.sessions.values()].filter(({ epoch }) => epoch !== FIRST_EPOCH);
    await Promise.all(open.map((session) => session.run(() => this.finish(session, timeoutMs))));
  }

  private session(nodeId: number): ShareSession {
    let session = this.sessions.get(nodeId);
    if (!session) this.sessions.set(nodeId, (session = new ShareSession(nodeId)));
    return session;
  }

  private partitionsByNode(): Map<number, Map<string, SharedPartition>> {
    const { metadata } = this.context.cluster;
    const names = new Map(this.context.topics().map((topic) => [metadata.topic(topic)?.topicId, topic]));
    const byNode = new Map<number, Map<string, SharedPartition>>();
    for (const { topicId, partitions } of this.member.assigned) {
      const topic = names.get(topicId);
      for (const partition of topic === undefined ? [] : partitions) {
        const nodeId = metadata.topic(topic!)?.partitions[partition]?.leader ?? -1;
        if (nodeId === -1) continue;
        let wanted = byNode.get(nodeId);
        if (!wanted) byNode.set(nodeId, (wanted = new Map<string, SharedPartition>()));
        wanted.set(sharedKey({ topicId, partition }), { topic: topic!, topicId, partition });
      }
    }
    return byNode;
  }

  /** Takes what can go out now. Renewals need a request of their own kind, so a fetch leaves everything when there are any. */
  private take(session: ShareSession, withRenewals: boolean): Pending[] {
    const noted = [...(this.pending.get(session.nodeId)?.values() ?? [])];
    if (!withRenewals && (session.epoch === FIRST_EPOCH || noted.some(renews))) return [];
    this.pending.delete(session.nodeId);
    return noted;
  }

  private async fetch(session: ShareSession, wanted: ReadonlyMap<string, SharedPartition>): Promise<void> {
    const { options, cluster, signal } = this.context;
    if ([...(this.pending.get(session.nodeId)?.values() ?? [])].some(renews)) {
      await this.sendAcknowledgements(session, options.requestTimeoutMs);
    }
    const taken = this.take(session, false);
    const { added, forgotten } = session.changes(wanted);
    try {
      const body = {
        groupId: options.groupId,
        memberId: this.member.memberId,
        shareSessionEpoch: session.epoch,
        maxWaitMs: options.fetchMaxWaitMs,
        minBytes: options.fetchMinBytes,
        maxBytes: options.fetchMaxBytes,
        maxRecords: options.maxPollRecords,
        batchSize: options.maxPollRecords,
        topics: requestTopics(taken, added),
        forgottenTopicsData: topicRows(forgotten),
      };
      const shareAcquireMode = ACQUIRE_MODE[options.shareAcquireMode];
      const response = await cluster.request(
        session.nodeId,
        ShareFetch,
        (version) => (version >= 2 ? { ...body, shareAcquireMode } : body),
        { lane: LANE },
      );
      this.onFetched(session, wanted, taken, response);
    } catch (thrown) {
      this.onFailure(
        session,
        taken,
        asKafkaError(thrown, ClientErrorCode.PROTOCOL, 'Fetching for a share group failed'),
      );
    }
    signal.raise();
  }

  private onFetched(
    session: ShareSession,
    wanted: ReadonlyMap<string, SharedPartition>,
    taken: readonly Pending[],
    response: ShareFetchResponse,
  ): void {
    if (response.errorCode !== ErrorCode.NONE) {
      this.onFailure(session, taken, brokerError(response.errorCode, 'Fetching for a share group'));
      return;
    }
    session.succeeded(wanted);
    this.lockTimeoutMs = response.acquisitionLockTimeoutMs;
    const answers = new Map<string, Answer>();
    for (const { topicId, partitions } of response.responses) {
      for (const row of partitions) {
        const key = sharedKey({ topicId, partition: row.partitionIndex });
        answers.set(key, { errorCode: row.acknowledgeErrorCode, errorMessage: row.acknowledgeErrorMessage });
        const origin = wanted.get(key);
        if (row.errorCode !== ErrorCode.NONE) this.pause(session);
        else if (origin) this.receive(origin, session.nodeId, row);
      }
    }
    this.tell(taken, answers);
  }

  private receive(
    origin: SharedPartition,
    nodeId: number,
    row: ShareFetchResponse['responses'][number]['partitions'][number],
  ): void {
    if (row.acquiredRecords.length === 0) return;
    const { checkCrcs, logger } = this.context.options;
    const bytes = row.records ?? Buffer.alloc(0);
    const { records, gaps, bad } = readAcquired(origin, bytes, row.acquiredRecords, checkCrcs);
    for (const offset of gaps) this.acknowledge(origin, nodeId, offset, ACKNOWLEDGE_TYPE.gap);
    for (const offset of bad) this.acknowledge(origin, nodeId, offset, ACKNOWLEDGE_TYPE.reject);
    if (bad.length > 0) {
      const { topic, partition } = origin;
      logger.warn('Records of a share group could not be read, and are rejected.', { topic, partition, offsets: bad });
    }
    if (records.length > 0) this.fetched.push({ origin, nodeId, records });
  }

  private async sendAcknowledgements(session: ShareSession, timeoutMs: number): Promise<ShareCommitOutcome[]> {
    const taken = this.take(session, true);
    if (taken.length === 0) return [];
    const { options, cluster } = this.context;
    const isRenewAck = taken.some(renews);
    // There is no session any more, and nothing to say within one.
    if (session.epoch === FIRST_EPOCH) {
      return this.failed(taken, brokerError(ErrorCode.SHARE_SESSION_NOT_FOUND, 'Acknowledging records'));
    }
    try {
      const body = {
        groupId: options.groupId,
        memberId: this.member.memberId,
        shareSessionEpoch: session.epoch,
        topics: requestTopics(taken, []),
      };
      const request = isRenewAck ? { ...body, isRenewAck } : body;
      const bounds = isRenewAck ? { minVersion: 2 } : {};
      const response = await cluster.request(session.nodeId, ShareAcknowledge, request, {
        lane: LANE,
        timeoutMs,
        ...bounds,
      });
      return this.onAcknowledged(session, taken, response);
    } catch (thrown) {
      const error = asKafkaError(thrown, ClientErrorCode.PROTOCOL, 'Acknowledging records failed');
      return this.onFailure(session, taken, error);
    }
  }

  private onAcknowledged(
    session: ShareSession,
    taken: readonly Pending[],
    response: ShareAcknowledgeResponse,
  ): ShareCommitOutcome[] {
    if (response.errorCode !== ErrorCode.NONE) {
      return this.onFailure(session, taken, brokerError(response.errorCode, 'Acknowledging records'));
    }
    session.succeeded();
    if (response.acquisitionLockTimeoutMs > 0) this.lockTimeoutMs = response.acquisitionLockTimeoutMs;
    const answers = new Map<string, Answer>();
    for (const { topicId, partitions } of response.responses) {
      for (const row of partitions) answers.set(sharedKey({ topicId, partition: row.partitionIndex }), row);
    }
    return this.tell(taken, answers);
  }

  private async finish(session: ShareSession, timeoutMs: number): Promise<void> {
    const taken = session.epoch === FIRST_EPOCH ? [] : this.take(session, true);
    if (session.epoch === FIRST_EPOCH) return;
    session.epoch = FINAL_EPOCH;
    const { options, cluster } = this.context;
    const isRenewAck = taken.some(renews);
    try {
      const body = {
        groupId: options.groupId,
        memberId: this.member.memberId,
        shareSessionEpoch: FINAL_EPOCH,
        topics: requestTopics(taken, []),
      };
      const request = isRenewAck ? { ...body, isRenewAck } : body;
      const response = await cluster.request(session.nodeId, ShareAcknowledge, request, { lane: LANE, timeoutMs });
      if (response.errorCode === ErrorCode.NONE) this.onAcknowledged(session, taken, response);
      else this.failed(taken, brokerError(response.errorCode, 'Acknowledging records'));
    } catch (thrown) {
      this.failed(taken, asKafkaError(thrown, ClientErrorCode.PROTOCOL, 'Acknowledging records failed'));
    }
    session.reset();
  }

  private onFailure(session: ShareSession, taken: readonly Pending[], error: KafkaError): ShareCommitOutcome[] {
    session.reset();
    this.pause(session);
    const isPassing =
      error.retriable || error.code === 'SHARE_SESSION_NOT_FOUND' || error.code === 'INVALID_SHARE_SESSION_EPOCH';
    if (!isPassing) this.failure ??= error;
    this.context.options.logger.debug(`The share session with broker ${session.nodeId} begins anew.`, { error });
    return this.failed(taken, error);
  }

  private pause(session: ShareSession): void {
    const { options, cluster, io } = this.context;
    session.failures += 1;
    const bounds = { initialMs: options.retryBackoffMs, maxMs: options.retryBackoffMaxMs };
    session.notBeforeMs = io.clock.monotonic() + backoffMs(bounds, session.failures, io.random);
    cluster.metadata.requestUpdate();
  }

  private tell(taken: readonly Pending[], answers: ReadonlyMap<string, Answer>): ShareCommitOutcome[] {
    return this.report(taken, (pending) => {
      const { errorCode, errorMessage } = answers.get(sharedKey(pending.origin)) ?? NOTHING;
      return errorCode === ErrorCode.NONE ? null : brokerError(errorCode, 'Acknowledging records', errorMessage);
    });
  }

  private failed(taken: readonly Pending[], error: KafkaError): ShareCommitOutcome[] {
    return this.report(taken, () => error);
  }

  private report(taken: readonly Pending[], errorOf: (pending: Pending) => KafkaError | null): ShareCommitOutcome[] {
    if (taken.length === 0) return [];
    const outcomes = taken.map((pending) => {
      const { topic, partition } = pending.origin;
      const offsets = [...pending.acknowledgements.keys()].sort((left, right) => left - right);
      return { topic, partition, offsets, error: errorOf(pending) };
    });
    this.onOutcomes(outcomes, taken.some(renews));
    return outcomes;
  }
}

const NOTHING: Answer = { errorCode: ErrorCode.NONE, errorMessage: null };

function renews({ acknowledgements }: { readonly acknowledgements: Acknowledgements }): boolean {
  for (const type of acknowledgements.values()) if (type === ACKNOWLEDGE_TYPE.renew) return true;
  return false;
}

/** The topics of a request: partitions with acknowledgements, and those that are only named. */
function requestTopics(taken: readonly Pending[], named: readonly SharedPartition[]) {
  const topics = new Map<string, Map<number, ReturnType<typeof acknowledgementBatches>>>();
  const rows = (topicId: string): Map<number, ReturnType<typeof acknowledgementBatches>> => {
    const present = topics.get(topicId) ?? new Map<number, ReturnType<typeof acknowledgementBatches>>();
    topics.set(topicId, present);
    return present;
  };
  for (const { topicId, partition } of named) rows(topicId).set(partition, []);
  for (const { origin, acknowledgements } of taken) {
    rows(origin.topicId).set(origin.partition, acknowledgementBatches(acknowledgements));
  }
  return [...topics].map(([topicId, partitions]) => ({
    topicId,
    partitions: [...partitions].map(([partitionIndex, batches]) => ({
      partitionIndex,
      acknowledgementBatches: batches,
    })),
  }));
}
