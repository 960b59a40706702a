/**
 * Who may commit offsets, and what of a commit is stored.
 *
 * Guarantees: a commit of an old generation, of a member that is gone or of somebody who is none is refused while the
 * group is in use; anybody may commit while it is empty. Source: Kafka, `ClassicGroup.validateOffsetCommit`.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { checkMembership, type MemberIdentity } from './checks.js';
import type { Group } from './group.js';
import type { CommittedOffset } from './records.js';

/** How a committer names itself. Generation -1, no member id and no instance id: somebody who is no member. */
export interface CommitterIdentity extends MemberIdentity {
  readonly generationId: number;
}

function isAnonymous({ generationId, memberId, groupInstanceId }: CommitterIdentity): boolean {
  return generationId < 0 && memberId === '' && groupInstanceId === null;
}

/** NONE when the commit may be stored. In a transaction the generation may be between two states. */
export function checkCommit(group: Group, committer: CommitterIdentity, transactional: boolean): number {
  if (committer.generationId < 0 && group.state === 'Empty') return ErrorCode.NONE;
  if (isAnonymous(committer)) return transactional ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID;
  const errorCode = checkMembership(group, committer);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  // The member is of this generation, but the generation has no assignments yet: it should look again.
  const between = group.state === 'CompletingRebalance' && !transactional;
  return between ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}

/** One partition of a commit request. */
export interface RequestedOffset {
  readonly committedOffset: number;
  readonly committedLeaderEpoch: number;
  readonly committedMetadata: string | null;
}

/** What is stored of it. `retentionTimeMs` -1: the broker decides how long. */
export function committedOffset(
  requested: RequestedOffset,
  times: { readonly nowEpochMs: number; readonly retentionTimeMs: number },
): CommittedOffset {
  return {
    offset: requested.committedOffset,
    leaderEpoch: requested.committedLeaderEpoch,
    metadata: requested.committedMetadata ?? '',
    commitTimestampMs: times.nowEpochMs,
    expireTimestampMs: times.retentionTimeMs < 0 ? null : times.nowEpochMs + times.retentionTimeMs,
  };
}
