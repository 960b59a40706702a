/**
 * Who may commit and fetch offsets of a group of the new protocol.
 *
 * Guarantees: a commit in an epoch before the one in which the member got the partition is refused, so nobody who lost a
 * partition and got it back can commit what it read before; one in a later epoch than that is taken, although the member
 * has moved on (KIP-1251). Source: Kafka, `ConsumerGroup.validateOffsetCommit`.
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { CommitterIdentity } from '../group/commit.js';
import type { ConsumerGroup, ConsumerMember } from './consumer-group.js';

/** From this version of OffsetCommit on the generation may be an epoch. */
const EPOCHS_SINCE_VERSION = 9;

/** How one commit is to be checked. Transactional ones are told of a wrong epoch as of a wrong generation. */
export interface CommitKind {
  readonly apiVersion: number;
  readonly transactional: boolean;
}

/** Says for each partition what is wrong with the commit; NONE for nothing. */
export type PartitionCheck = (topicId: string, partition: number) => number;

/** What is wrong with the whole commit, or how its partitions are checked. */
export function checkConsumerCommit(
  group: ConsumerGroup,
  committer: CommitterIdentity,
  { apiVersion, transactional }: CommitKind,
): { readonly errorCode: number; readonly check: PartitionCheck } {
  const fine = { errorCode: ErrorCode.NONE, check: () => ErrorCode.NONE };
  const all = (errorCode: number) => ({ errorCode, check: () => errorCode });
  const epoch = committer.generationId;
  if (epoch < 0 && group.members.size === 0) return fine;
  const member = group.members.get(committer.memberId);
  if (!member) return all(ErrorCode.UNKNOWN_MEMBER_ID);
  if (!transactional && apiVersion < EPOCHS_SINCE_VERSION) return all(ErrorCode.UNSUPPORTED_VERSION);
  const stale = transactional ? ErrorCode.ILLEGAL_GENERATION : ErrorCode.STALE_MEMBER_EPOCH;
  if (epoch > member.epoch) return all(stale);
  if (epoch === member.epoch) return fine;
  return {
    errorCode: ErrorCode.NONE,
    check: (...place) => (epoch < givenIn(member, ...place) ? stale : ErrorCode.NONE),
  };
}

/** The epoch in which the member got the partition; beyond all epochs when it does not have it. */
function givenIn({ assigned, pendingRevocation }: ConsumerMember, topicId: string, partition: number): number {
  return assigned.get(topicId)?.get(partition) ?? pendingRevocation.get(topicId)?.get(partition) ?? Infinity;
}

/** OffsetFetch from version 9 on; before, and from tools, nobody says who asks. */
export function checkConsumerFetch(group: ConsumerGroup, memberId: string | null, memberEpoch: number): number {
  if (memberId === null && memberEpoch < 0) return ErrorCode.NONE;
  const member = memberId === null ? undefined : group.members.get(memberId);
  if (!member) return ErrorCode.UNKNOWN_MEMBER_ID;
  return memberEpoch === member.epoch ? ErrorCode.NONE : ErrorCode.STALE_MEMBER_EPOCH;
}
