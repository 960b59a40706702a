/**
 * Checks that requests of members have in common.
 *
 * Guarantees Kafka's order of errors: the instance id first (25 unknown, 82 taken over by another member), then the
 * member, then its generation.
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { Group } from './group.js';

/** How a member names itself. */
export interface MemberIdentity {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

/** NONE when the group has the member under this id and, for static members, this instance id. */
export function checkMember(group: Group, { memberId, groupInstanceId }: MemberIdentity): number {
  if (groupInstanceId !== null) {
    const present = group.staticMembers.get(groupInstanceId);
    if (present === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
    if (present !== memberId) return ErrorCode.FENCED_INSTANCE_ID;
  }
  return group.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID;
}

/** {@link checkMember}, then the generation. */
export function checkMembership(group: Group, request: MemberIdentity & { readonly generationId: number }): number {
  const errorCode = checkMember(group, request);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  return request.generationId === group.generationId ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION;
}
