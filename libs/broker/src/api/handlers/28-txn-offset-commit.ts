/**
 * TxnOffsetCommit: v0–v5.
 *
 * Offsets of a group that count when the transaction is committed. From v3 on the member says who it is; from v5 on the
 * group's partition becomes part of the transaction by itself (KIP-890), before that it must have been added.
 */
import { ErrorCode, TxnOffsetCommit, type ResponseInput, type TxnOffsetCommitRequest } from '@kafka-template/protocol';
import { OFFSETS_TOPIC } from '../../coordinator/group-coordinator.js';
import type { RequestContext } from '../context.js';
import { fromCallback, groupContext } from '../groups.js';
import { handler } from '../handler.js';
import { codeAt } from '../transaction-codes.js';

type Response = ResponseInput<typeof TxnOffsetCommit>;

const ADDS_SINCE_VERSION = 5;
const LOADING_SINCE_VERSION = 2;
const NO_SEQUENCE = -1;
/** A fenced producer has its own old code here, in all versions. */
const CODES = { fencedSince: Infinity, abortableSince: 4 };

/** See the head of this file. */
export const txnOffsetCommit = handler(TxnOffsetCommit, { versions: [0, 5] }, async (request, context) => {
  const answer = await fromCallback<Response>((done) => enter(request, context, done));
  return {
    topics: answer.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((row) => ({ ...row, errorCode: codeFor(row.errorCode, context.apiVersion) })),
    })),
  };
});

function enter(request: TxnOffsetCommitRequest, context: RequestContext, done: (answer: Response) => void): void {
  const { broker, apiVersion } = context;
  const { transactionalId, producerId, producerEpoch, groupId } = request;
  const groups = groupContext(context);
  const partition = broker.partitions.get(OFFSETS_TOPIC, broker.groups.coordinatorPartition(groupId));
  // Not the coordinator of the group: it says so itself.
  if (partition === undefined) return broker.groups.commitTransactionalOffsets(request, groups, done);
  const adds = apiVersion >= ADDS_SINCE_VERSION;
  const batch = { partition, transactionalId, producerId, producerEpoch, baseSequence: NO_SEQUENCE, adds };
  broker.transactionGate.pass(batch, (errorCode, verification) => {
    if (errorCode !== ErrorCode.NONE) return done(refusal(request, errorCode));
    broker.groups.commitTransactionalOffsets(request, groups, done, verification);
  });
}

function refusal({ topics }: TxnOffsetCommitRequest, errorCode: number): Response {
  return {
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  };
}

function codeFor(errorCode: number, apiVersion: number): number {
  switch (errorCode) {
    // The group's coordinator is the right one: looking for another would not help.
    case ErrorCode.CONCURRENT_TRANSACTIONS:
      if (apiVersion >= ADDS_SINCE_VERSION) return errorCode;
      return codeFor(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, apiVersion);
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
      return apiVersion < LOADING_SINCE_VERSION ? ErrorCode.COORDINATOR_NOT_AVAILABLE : errorCode;
    default:
      return codeAt(errorCode, apiVersion, CODES);
  }
}
