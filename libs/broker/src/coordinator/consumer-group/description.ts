/**
 * Groups of the new protocol as ConsumerGroupDescribe and ListGroups show them.
 *
 * Guarantees: a member is shown with everything it may still read, what it was told to give up included, as in Kafka;
 * topics that are gone are left out.
 */
import { ErrorCode, type ConsumerGroupDescribe, type ResponseInput } from '@kafka-template/protocol';
import type { ListedGroup } from '../group/description.js';
import { assignorName } from './assign.js';
import { partitionsOf, targetRows, unionOf, type Target } from './assignment.js';
import { stateOf, targetFor, type ConsumerGroup, type ConsumerMember, type World } from './consumer-group.js';

/** One group of a ConsumerGroupDescribe answer. */
export type DescribedConsumerGroup = ResponseInput<typeof ConsumerGroupDescribe>['groups'][number];

const CONSUMER_MEMBER = 1;

/** A group that could not be described. */
export function undescribedConsumerGroup(
  groupId: string,
  errorCode: number,
  errorMessage: string | null,
): DescribedConsumerGroup {
  const nothing = { groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] };
  return { errorCode, errorMessage, groupId, ...nothing };
}

/** A group with its members. */
export function describeConsumerGroup(group: ConsumerGroup, world: World): DescribedConsumerGroup {
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    groupId: group.id,
    groupState: stateOf(group),
    groupEpoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: assignorName(group, world.rules),
    members: [...group.members.values()].map((member) => describeMember(group, member, world)),
  };
}

function describeMember(group: ConsumerGroup, member: ConsumerMember, world: World) {
  const { instanceId, rackId, clientId, clientHost, subscribedTopicNames, subscribedTopicRegex } = member;
  return {
    memberId: member.id,
    instanceId,
    rackId,
    memberEpoch: member.epoch,
    clientId,
    clientHost,
    subscribedTopicNames: [...subscribedTopicNames],
    subscribedTopicRegex,
    assignment: named(partitionsOf(unionOf(member.assigned, member.pendingRevocation)), world),
    targetAssignment: named(targetFor(group, member.id), world),
    memberType: CONSUMER_MEMBER,
  };
}

function named(target: Target, { topics }: World) {
  const topicPartitions = targetRows(target).flatMap(({ topicId, partitions }) => {
    const topic = topics.topicById(topicId);
    return topic ? [{ topicId, topicName: topic.name, partitions }] : [];
  });
  return { topicPartitions };
}

/** A group in a list. */
export function listConsumerGroup(group: ConsumerGroup): ListedGroup {
  return { groupId: group.id, protocolType: 'consumer', groupState: stateOf(group), groupType: 'consumer' };
}
