/**
 * ShareGroupDescribe: v1.
 *
 * Share groups that this broker coordinates, from memory. A group of another kind is an error here.
 */
import { ErrorCode, ShareGroupDescribe } from '@kafka-template/protocol';
import { ALL_GROUP_OPERATIONS } from '../authorized-operations.js';
import { handler } from '../handler.js';

/** See the head of this file. */
export const shareGroupDescribe = handler(ShareGroupDescribe, { versions: [1, 1] }, (request, { broker }) => {
  const answer = broker.groups.shareGroups.describe(request);
  if (!request.includeAuthorizedOperations) return answer;
  const groups = answer.groups.map((group) =>
    group.errorCode === ErrorCode.NONE ? { ...group, authorizedOperations: ALL_GROUP_OPERATIONS } : group,
  );
  return { ...answer, groups };
});
