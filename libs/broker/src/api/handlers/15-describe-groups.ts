/**
 * DescribeGroups: v0–v6.
 *
 * State and members of groups this broker coordinates, from memory. Before v6 an unknown group is "Dead" without error.
 */
import { DescribeGroups, ErrorCode } from '@kafka-template/protocol';
import { ALL_GROUP_OPERATIONS } from '../authorized-operations.js';
import { groupContext } from '../groups.js';
import { handler } from '../handler.js';

/** See the head of this file. */
export const describeGroups = handler(DescribeGroups, { versions: [0, 6] }, (request, context) => {
  const answer = context.broker.groups.describe(request, groupContext(context));
  if (!request.includeAuthorizedOperations) return answer;
  const groups = answer.groups.map((group) =>
    group.errorCode === ErrorCode.NONE ? { ...group, authorizedOperations: ALL_GROUP_OPERATIONS } : group,
  );
  return { ...answer, groups };
});
