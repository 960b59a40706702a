/**
 * Groups as DescribeGroups and ListGroups show them.
 *
 * Guarantees: subscriptions and assignments are shown only while the group is stable, as in Kafka; before version 6 an
 * unknown group is one in the state "Dead", from then on it is an error.
 */
import { ErrorCode, type DescribeGroups, type ListGroups, type ResponseInput } from '@kafka-template/protocol';
import type { Group } from './group.js';
import { metadataFor } from './protocols.js';

/** One group of a DescribeGroups answer. */
export type DescribedGroup = ResponseInput<typeof DescribeGroups>['groups'][number];
/** One group of a ListGroups answer. */
export type ListedGroup = ResponseInput<typeof ListGroups>['groups'][number];

const NO_BYTES = Buffer.alloc(0);

/** A group that could not be described: state "", or "Dead" when it does not exist. */
export function undescribed(groupId: string, errorCode: number, errorMessage: string | null): DescribedGroup {
  const groupState = errorCode === ErrorCode.NONE || errorCode === ErrorCode.GROUP_ID_NOT_FOUND ? 'Dead' : '';
  return { errorCode, errorMessage, groupId, groupState, protocolType: '', protocolData: '', members: [] };
}

/** A group that does not exist, or is one of another protocol; `because` ends the sentence that says so. */
export function unknownGroup(groupId: string, apiVersion: number, because = 'not found'): DescribedGroup {
  if (apiVersion < 6) return undescribed(groupId, ErrorCode.NONE, null);
  return undescribed(groupId, ErrorCode.GROUP_ID_NOT_FOUND, `Group ${groupId} ${because}.`);
}

/** A group with its members. */
export function describeGroup(group: Group): DescribedGroup {
  const stable = group.state === 'Stable';
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    groupId: group.id,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: stable ? (group.protocolName ?? '') : '',
    members: [...group.members.values()].map((member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: stable ? metadataFor(member, group.protocolName) : NO_BYTES,
      memberAssignment: stable ? member.assignment : NO_BYTES,
    })),
  };
}

/** A group in a list. */
export function listGroup(group: Group): ListedGroup {
  const { id, protocolType, state } = group;
  return { groupId: id, protocolType: protocolType ?? '', groupState: state, groupType: 'classic' };
}

/** True when the group passes the filters of ListGroups; an empty filter lets everything through, case does not count. */
export function passesFilters(
  group: ListedGroup,
  filters: { readonly states: readonly string[]; readonly types: readonly string[] },
): boolean {
  const has = (wanted: readonly string[], value: string | undefined): boolean =>
    wanted.length === 0 || wanted.some((name) => name.toLowerCase() === value?.toLowerCase());
  return has(filters.states, group.groupState) && has(filters.types, group.groupType);
}
