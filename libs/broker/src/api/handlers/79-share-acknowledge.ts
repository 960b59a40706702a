/**
 * ShareAcknowledge: v1–v2.
 *
 * What a member says about records it has, within its session. A final request ends the session, and frees the rest.
 */
import { ErrorCode, ShareAcknowledge, type ResponseInput } from '@kafka-template/protocol';
import { FINAL_EPOCH } from '../../coordinator/share/partition/share-sessions.js';
import { handler } from '../handler.js';
import { endpointsOf } from '../leader.js';
import { acknowledgeAll, type Acknowledged } from '../share/acknowledgements.js';

type Response = ResponseInput<typeof ShareAcknowledge>;

/** See the head of this file. */
export const shareAcknowledge = handler(ShareAcknowledge, { versions: [1, 2] }, async (request, context) => {
  const { groupId, memberId, shareSessionEpoch: epoch } = request;
  if (groupId === null || groupId === '' || memberId === null || memberId === '') {
    return failure(ErrorCode.INVALID_REQUEST);
  }
  const { broker } = context;
  const entered = broker.shareSessions.acknowledge({ groupId, memberId, epoch });
  if (!entered.session) return failure(entered.errorCode);
  const who = { groupId, memberId, renews: request.isRenewAck };
  const rows = await acknowledgeAll(broker, who, request.topics);
  if (epoch === FINAL_EPOCH) broker.shareSessions.end(entered.session);
  return {
    errorCode: ErrorCode.NONE,
    acquisitionLockTimeoutMs: broker.shares.rules(groupId).lockDurationMs,
    responses: byTopic(rows),
    nodeEndpoints: endpointsOf(
      broker.controller.image,
      rows.flatMap(({ hint }) => hint ?? []),
    ),
  };
});

function failure(errorCode: number): Response {
  return { errorCode, errorMessage: null, acquisitionLockTimeoutMs: 0, responses: [], nodeEndpoints: [] };
}

function byTopic(rows: readonly Acknowledged[]): Response['responses'] {
  const topics = new Map<string, Response['responses'][number]['partitions'][number][]>();
  for (const { topicId, partitionIndex, errorCode, errorMessage, hint } of rows) {
    const currentLeader = hint ?? { leaderId: 0, leaderEpoch: 0 };
    const partitions = topics.get(topicId) ?? [];
    topics.set(topicId, [...partitions, { partitionIndex, errorCode, errorMessage, currentLeader }]);
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }));
}
