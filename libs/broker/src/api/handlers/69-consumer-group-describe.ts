/**
 * ConsumerGroupDescribe: v0–v1.
 *
 * Groups of the new protocol that this broker coordinates, from memory. A classic group is an error here: tools then ask
 * with DescribeGroups.
 */
import { ConsumerGroupDescribe, ErrorCode } from '@kafka-template/protocol';
import { ALL_GROUP_OPERATIONS } from '../authorized-operations.js';
import { handler } from '../handler.js';

/** See the head of this file. */
export const consumerGroupDescribe = handler(ConsumerGroupDescribe, { versions: [0, 1] }, (request, { broker }) => {
  const answer = broker.groups.describeConsumerGroups(request);
  if (!request.includeAuthorizedOperations) return answer;
  const groups = answer.groups.map((group) =>
    group.errorCode === ErrorCode.NONE ? { ...group, authorizedOperations: ALL_GROUP_OPERATIONS } : group,
  );
  return { ...answer, groups };
});
