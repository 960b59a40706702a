/**
 * ShareFetch: v1–v2.
 *
 * Acknowledges what the request says, then takes records for the member, from the partitions of its session. With none
 * free it parks until some are, or `maxWaitMs` is over. A final request only acknowledges, and frees what the member has.
 */
import { ErrorCode, ShareFetch, type ResponseInput, type ShareFetchRequest } from '@kafka-template/protocol';
import { FINAL_EPOCH, FIRST_EPOCH, type ShareSession } from '../../coordinator/share/partition/share-sessions.js';
import type { RequestContext } from '../context.js';
import { BorrowedAnswer, handler } from '../handler.js';
import { endpointsOf, type LeaderHint } from '../leader.js';
import { acknowledgeAll, acknowledgesSomething, type Acknowledged } from '../share/acknowledgements.js';
import { ShareFetchRead, type ShareFetched } from '../share/share-fetch-read.js';

type Response = ResponseInput<typeof ShareFetch>;
type Row = Response['responses'][number]['partitions'][number];

const NO_RECORDS = Buffer.alloc(0);

/** Not more than `maxRecords`, even if that divides a batch (KIP-1206). */
const RECORD_LIMIT = 1;

/** See the head of this file. */
export const shareFetch = handler(ShareFetch, { versions: [1, 2] }, async (request, context) => {
  const { groupId, memberId, shareSessionEpoch: epoch, isRenewAck } = request;
  if (groupId === null || groupId === '' || memberId === null || memberId === '' || isMalformed(request)) {
    return failure(ErrorCode.INVALID_REQUEST);
  }
  const { broker, connection } = context;
  const added = request.topics.flatMap(({ topicId, partitions }) =>
    partitions.map(({ partitionIndex: partition }) => ({ topicId, partition })),
  );
  const forgotten = request.forgottenTopicsData.flatMap(({ topicId, partitions }) =>
    partitions.map((partition) => ({ topicId, partition })),
  );
  const entered = broker.shareSessions.fetch({ groupId, memberId, epoch }, connection, { added, forgotten });
  if (!entered.session) return failure(entered.errorCode);
  const who = { groupId, memberId, renews: isRenewAck };
  const acknowledged = await acknowledgeAll(broker, who, request.topics);
  if (epoch === FINAL_EPOCH) broker.shareSessions.end(entered.session);
  if (epoch === FINAL_EPOCH || isRenewAck) return respond(context, entered.session, acknowledged, []);
  return fetchFor(entered.session, request, context, acknowledged);
});

function isMalformed(request: ShareFetchRequest): boolean {
  const { shareSessionEpoch, isRenewAck, maxWaitMs, minBytes, maxBytes, maxRecords, topics } = request;
  if (shareSessionEpoch === FIRST_EPOCH && acknowledgesSomething(topics)) return true;
  // Whoever renews locks asks for nothing else.
  return isRenewAck && (maxWaitMs !== 0 || minBytes !== 0 || maxBytes !== 0 || maxRecords !== 0);
}

function failure(errorCode: number): Response {
  return { errorCode, errorMessage: null, acquisitionLockTimeoutMs: 0, responses: [], nodeEndpoints: [] };
}

async function fetchFor(
  session: ShareSession,
  request: ShareFetchRequest,
  context: RequestContext,
  acknowledged: readonly Acknowledged[],
): Promise<Response | BorrowedAnswer<typeof ShareFetch>> {
  const { broker, connection } = context;
  const deadlineMs = broker.clock.monotonic() + request.maxWaitMs;
  const maxBytes = Math.min(request.maxBytes, broker.settings.fetchMaxBytes);
  for (;;) {
    const grant = broker.fetchMemory.tryTake(maxBytes) ?? (await broker.fetchMemory.take(maxBytes, connection));
    const read = new ShareFetchRead(broker, {
      groupId: session.groupId,
      memberId: session.memberId,
      maxBytes: Math.min(maxBytes, grant.bytes),
      recordsMax: request.maxRecords,
      batchSize: request.batchSize,
      strict: request.shareAcquireMode === RECORD_LIMIT,
      isWanted: () => connection.isOpen,
    });
    try {
      await read.run([...session.partitions.values()]);
    } catch (error) {
      grant.release();
      throw error;
    }
    grant.settle(read.sizeBytes);
    const hasNews = read.results.length > 0 || acknowledged.length > 0 || read.idle.length === 0;
    if (hasNews || broker.clock.monotonic() >= deadlineMs || !connection.isOpen) {
      // Whoever hung up while the records were read has lost its session: nobody else may wait for its locks.
      if (!connection.isOpen) broker.shares.release(session.groupId, session.memberId);
      grant.sendTo(connection);
      return new BorrowedAnswer(respond(context, session, acknowledged, read.results), () => grant.release());
    }
    grant.release();
    await untilFree(read, context, deadlineMs);
  }
}

/** Waits for records that nobody had, or that somebody gives back. */
function untilFree(
  { idle }: ShareFetchRead,
  { broker, connection }: RequestContext,
  deadlineMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const undo: (() => void)[] = [];
    const done = (): void => {
      for (const each of undo.splice(0)) each();
      resolve();
    };
    const { waits } = broker.partitions;
    const handle = waits.park({
      partitions: idle.map(({ share }) => share.partition),
      minBytes: 1,
      deadlineMs,
      seenOffsets: idle.map(({ seenOffset }) => seenOffset),
      onReady: done,
    });
    undo.push(() => waits.cancel(handle));
    undo.push(connection.whenClosed(done));
    for (const { share } of idle) undo.push(share.whenFree(done));
  });
}

function respond(
  { broker }: RequestContext,
  { groupId }: ShareSession,
  acknowledged: readonly Acknowledged[],
  fetched: readonly ShareFetched[],
): Response {
  const topics = new Map<string, Map<number, Row>>();
  const hints: LeaderHint[] = [];
  const rowOf = (topicId: string, partitionIndex: number): Row => {
    let rows = topics.get(topicId);
    if (!rows) topics.set(topicId, (rows = new Map<number, Row>()));
    const known = rows.get(partitionIndex);
    if (known) return known;
    const row: Row = {
      partitionIndex,
      errorCode: ErrorCode.NONE,
      acknowledgeErrorCode: ErrorCode.NONE,
      currentLeader: { leaderId: 0, leaderEpoch: 0 },
      records: NO_RECORDS,
      acquiredRecords: [],
    };
    rows.set(partitionIndex, row);
    return row;
  };
  for (const { topicId, partitionIndex, errorCode, errorMessage, hint } of acknowledged) {
    const row = rowOf(topicId, partitionIndex);
    Object.assign(row, { acknowledgeErrorCode: errorCode, acknowledgeErrorMessage: errorMessage });
    addHint(row, hint, hints);
  }
  for (const { topicId, partitionIndex, errorCode, hint, records, acquired } of fetched) {
    const row = rowOf(topicId, partitionIndex);
    Object.assign(row, { errorCode, records: records ?? NO_RECORDS, acquiredRecords: acquired });
    addHint(row, hint, hints);
  }
  return {
    errorCode: ErrorCode.NONE,
    acquisitionLockTimeoutMs: broker.shares.rules(groupId).lockDurationMs,
    responses: [...topics].map(([topicId, rows]) => ({ topicId, partitions: [...rows.values()] })),
    nodeEndpoints: endpointsOf(broker.controller.image, hints),
  };
}

function addHint(row: Row, hint: LeaderHint | undefined, hints: LeaderHint[]): void {
  if (hint === undefined) return;
  Object.assign(row, { currentLeader: hint });
  hints.push(hint);
}
