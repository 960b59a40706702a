/**
 * Share groups as ShareGroupDescribe and ListGroups show them. Topics that are gone are left out.
 */
import { ErrorCode, type ResponseInput, type ShareGroupDescribe } from '@kafka-template/protocol';
import { targetRows } from '../../consumer-group/assignment.js';
import type { Topics } from '../../consumer-group/consumer-group.js';
import type { ListedGroup } from '../../group/description.js';
import { shareStateOf, type ShareGroup, type ShareMember } from './share-group.js';

/** One group of a ShareGroupDescribe answer. */
export type DescribedShareGroup = ResponseInput<typeof ShareGroupDescribe>['groups'][number];

/** Kafka's name of the only assignor there is. */
const ASSIGNOR = 'simple';

/** A group that could not be described. */
export function undescribedShareGroup(
  groupId: string,
  errorCode: number,
  errorMessage: string | null,
): DescribedShareGroup {
  const nothing = { groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] };
  return { errorCode, errorMessage, groupId, ...nothing };
}

/** A group with its members. */
export function describeShareGroup(group: ShareGroup, topics: Topics): DescribedShareGroup {
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    groupId: group.id,
    groupState: shareStateOf(group),
    groupEpoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: ASSIGNOR,
    members: [...group.members.values()].map((member) => describeMember(member, topics)),
  };
}

function describeMember(member: ShareMember, topics: Topics) {
  const { id: memberId, rackId, epoch: memberEpoch, clientId, clientHost, subscribedTopicNames, assigned } = member;
  const topicPartitions = targetRows(assigned).flatMap(({ topicId, partitions }) => {
    const topic = topics.topicById(topicId);
    return topic ? [{ topicId, topicName: topic.name, partitions }] : [];
  });
  const names = [...subscribedTopicNames];
  const assignment = { topicPartitions };
  return { memberId, rackId, memberEpoch, clientId, clientHost, subscribedTopicNames: names, assignment };
}

/** A group in a list. */
export function listShareGroup(group: ShareGroup): ListedGroup {
  return { groupId: group.id, protocolType: 'share', groupState: shareStateOf(group), groupType: 'share' };
}
