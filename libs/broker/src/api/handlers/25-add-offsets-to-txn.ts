/**
 * AddOffsetsToTxn: v0–v4.
 *
 * The partition of `__consumer_offsets` that holds a group becomes part of a producer's transaction.
 */
import { AddOffsetsToTxn, ErrorCode } from '@kafka-template/protocol';
import { OFFSETS_TOPIC } from '../../coordinator/group-coordinator.js';
import { partitionSet } from '../../coordinator/transaction/partition-set.js';
import { fromCallback } from '../groups.js';
import { handler } from '../handler.js';
import { codeAt } from '../transaction-codes.js';

const CODES = { fencedSince: 2, abortableSince: 4 };

/** See the head of this file. */
export const addOffsetsToTxn = handler(AddOffsetsToTxn, { versions: [0, 4] }, async (request, context) => {
  const { broker, apiVersion } = context;
  const { transactionalId: id, producerId, producerEpoch, groupId } = request;
  // The group may never have been asked for: its topic is then created as FindCoordinator would.
  const found = await broker.groups.findCoordinator(groupId);
  if (found.errorCode !== ErrorCode.NONE) return { errorCode: found.errorCode };
  const partitions = partitionSet([
    { topic: OFFSETS_TOPIC, partitions: [broker.groups.coordinatorPartition(groupId)] },
  ]);
  const reply = await fromCallback<{ errorCode: number }>((done) =>
    broker.transactions.add({ id, producerId, producerEpoch, partitions, clientVersion: 0 }, done),
  );
  return { errorCode: codeAt(reply.errorCode, apiVersion, CODES) };
});
