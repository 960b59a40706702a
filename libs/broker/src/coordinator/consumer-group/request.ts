/**
 * Which ConsumerGroupHeartbeat requests make sense at all.
 *
 * Guarantees Kafka's order of checks and its texts.
 */
import { ErrorCode, type ConsumerGroupHeartbeatRequest } from '@kafka-template/protocol';
import { LEAVE_EPOCH, LEAVE_STATIC_EPOCH, type ConsumerGroupRules } from './consumer-group.js';
import { Refusal } from './replies.js';

/** A decoded request. */
export type HeartbeatRequest = ConsumerGroupHeartbeatRequest;

/** From this version on members choose their own ids (KIP-1082). */
const OWN_ID_SINCE_VERSION = 1;

function demand(condition: boolean, text: string): void {
  if (!condition) throw new Refusal(ErrorCode.INVALID_REQUEST, text);
}

/** Throws a {@link Refusal} when the request is not to be followed whatever the group is. */
export function checkRequest(request: HeartbeatRequest, apiVersion: number, rules: ConsumerGroupRules): void {
  const { groupId, memberId, memberEpoch, instanceId, rackId, serverAssignor } = request;
  const ownId = apiVersion >= OWN_ID_SINCE_VERSION || memberEpoch !== 0;
  if (ownId) demand(memberId.trim() !== '', "MemberId can't be empty.");
  demand(groupId.trim() !== '', "GroupId can't be empty.");
  demand(instanceId === null || instanceId.trim() !== '', "InstanceId can't be empty.");
  demand(rackId === null || rackId.trim() !== '', "RackId can't be empty.");
  if (memberEpoch === 0) checkFirst(request);
  else if (memberEpoch === LEAVE_STATIC_EPOCH) demand(instanceId !== null, "InstanceId can't be null.");
  else demand(memberEpoch > 0 || memberEpoch === LEAVE_EPOCH, 'MemberEpoch is invalid.');
  if (serverAssignor === null || rules.assignors.includes(serverAssignor)) return;
  const supported = rules.assignors.join(', ');
  const text = `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${supported}.`;
  throw new Refusal(ErrorCode.UNSUPPORTED_ASSIGNOR, text);
}

function checkFirst(request: HeartbeatRequest): void {
  const { rebalanceTimeoutMs, topicPartitions, subscribedTopicNames, subscribedTopicRegex } = request;
  demand(rebalanceTimeoutMs !== -1, 'RebalanceTimeoutMs must be provided in first request.');
  demand(topicPartitions?.length === 0, 'TopicPartitions must be empty when (re-)joining.');
  const subscribes = subscribedTopicNames !== null || subscribedTopicRegex !== null;
  demand(subscribes, 'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.');
}
