/**
 * Lists, describes and deletes consumer groups.
 *
 * Guarantees: every broker is asked for its groups, each group's coordinator for the rest; groups of the newer protocol
 * (KIP-848) are described too where the broker knows it. One outcome per group, in the order asked for.
 */
import {
  ConsumerGroupDescribe,
  decodeAssignment,
  DeleteGroups,
  DescribeGroups,
  type DescribeGroupsResponse,
  ErrorCode,
  LeaveGroup,
  ListGroups,
} from '@kafka-template/protocol';
import { atCoordinator, check, errorOf } from './admin-request.js';
import { asKafkaError, brokerError, ClientErrorCode, KafkaError } from '../errors.js';
import { comparePartitions, type TopicPartition } from '../consumer/topic-partition.js';
import {
  type AdminCallOptions,
  type AdminContext,
  callTimeoutMs,
  isRetried,
  type ItemOutcome,
  retried,
  retriedItems,
} from './admin-context.js';

/** A group in a list. */
export interface GroupListing {
  readonly groupId: string;
  /** `consumer` for consumers; empty for a group that only has offsets. */
  readonly protocolType: string;
  /** `Stable`, `Empty` …; empty before Kafka 2.6. */
  readonly state: string;
  /** `Classic`, `Consumer` …; empty before Kafka 3.8. */
  readonly type: string;
}

/** Which groups to list. */
export interface ListGroupsOptions extends AdminCallOptions {
  /** Only groups in these states (Kafka 2.6 and later). Default all. */
  readonly states?: readonly string[];
  /** Only groups of these types (Kafka 3.8 and later). Default all. */
  readonly types?: readonly string[];
}

/** A member of a group. */
export interface GroupMemberDescription {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** The partitions it has, sorted. */
  readonly assignment: readonly TopicPartition[];
}

/** A group with its members. */
export interface GroupDescription extends ItemOutcome {
  readonly groupId: string;
  /** `Stable`, `Empty`, `PreparingRebalance` …; `Dead` when there is no such group. */
  readonly state: string;
  readonly protocolType: string;
  /** The assignment strategy; empty when nothing is assigned. */
  readonly protocol: string;
  /** Broker id, -1 with an error. */
  readonly coordinatorId: number;
  readonly members: readonly GroupMemberDescription[];
}

/** What became of a group. */
export interface GroupOutcome extends ItemOutcome {
  readonly groupId: string;
}

/** A member to take out of a group, by one of the two. */
export interface MemberToRemove {
  readonly memberId?: string;
  readonly groupInstanceId?: string;
}

/** What became of it. */
export interface RemovedMember extends ItemOutcome {
  /** Empty when it was named by its instance id. */
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

type ResponseMember = DescribeGroupsResponse['groups'][number]['members'][number];

/** First versions of ListGroups with filters. */
const LIST_GROUPS_STATES_VERSION = 4;
const LIST_GROUPS_TYPES_VERSION = 5;
/** First version of LeaveGroup that names members. */
const LEAVE_GROUP_MEMBERS_VERSION = 3;

/** The groups of a cluster. */
export class GroupAdmin {
  constructor(private readonly context: AdminContext) {}

  /** All groups of all brokers, sorted by id. */
  listGroups(options: ListGroupsOptions = {}): Promise<GroupListing[]> {
    return retried(this.context, 'Listing groups', callTimeoutMs(this.context, options), async (leftMs) => {
      const { metadata } = this.context.cluster;
      await metadata.refresh();
      const lists = await Promise.all([...metadata.brokers.keys()].map((id) => this.listAt(id, options, leftMs)));
      const groups = new Map(lists.flat().map((group) => [group.groupId, group]));
      return [...groups.values()].sort((one, other) => (one.groupId < other.groupId ? -1 : 1));
    });
  }

  /** Groups with their members. GROUP_ID_NOT_FOUND is the outcome of a group that does not exist. */
  describeGroups(groupIds: readonly string[], options: AdminCallOptions = {}): Promise<GroupDescription[]> {
    return this.atCoordinators('Describing groups', groupIds, options, async (coordinatorId, ids, timeoutMs) => {
      const response = await this.context.cluster.request(
        coordinatorId,
        DescribeGroups,
        { groups: ids },
        { timeoutMs },
      );
      const described = ids.map((groupId) => {
        const group = response.groups.find((each) => each.groupId === groupId);
        const errorCode = group?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR;
        if (group === undefined || errorCode !== ErrorCode.NONE)
          return noGroup(groupId, errorCode, group?.errorMessage);
        // Before version 6 a group that does not exist is one that is dead.
        if (group.groupState === 'Dead') return noGroup(groupId, ErrorCode.GROUP_ID_NOT_FOUND, null);
        const { groupState: state, protocolType, protocolData: protocol } = group;
        const members = group.members.map((member) => toMember(member, protocolType));
        return { groupId, state, protocolType, protocol, coordinatorId, members, error: null };
      });
      return this.completeWithConsumerGroups(coordinatorId, described, timeoutMs);
    });
  }

  /** Deletes groups without members, with their offsets. NON_EMPTY_GROUP and GROUP_ID_NOT_FOUND are outcomes. */
  deleteGroups(groupIds: readonly string[], options: AdminCallOptions = {}): Promise<GroupOutcome[]> {
    return this.atCoordinators('Deleting groups', groupIds, options, async (coordinatorId, ids, timeoutMs) => {
      const response = await this.context.cluster.request(
        coordinatorId,
        DeleteGroups,
        { groupsNames: ids },
        { timeoutMs },
      );
      return ids.map((groupId) => {
        const errorCode = response.results.find((each) => each.groupId === groupId)?.errorCode;
        if (errorCode === ErrorCode.NONE) return { groupId, error: null };
        return {
          groupId,
          error: brokerError(errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR, `Deleting group ${groupId}`),
        };
      });
    });
  }

  /**
   * Takes members out of a group: by member id, or static ones by `groupInstanceId`; without `members` all of them.
   * UNKNOWN_MEMBER_ID is an outcome (Kafka 2.4 and later).
   */
  async removeMembersFromConsumerGroup(
    groupId: string,
    options: AdminCallOptions & { readonly members?: readonly MemberToRemove[]; readonly reason?: string } = {},
  ): Promise<RemovedMember[]> {
    const what = `Removing members from group ${groupId}`;
    const members = options.members ?? (await this.membersOf(groupId, options));
    if (members.length === 0) return [];
    const body = {
      groupId,
      members: members.map(({ memberId = '', groupInstanceId = null }) => ({
        memberId,
        groupInstanceId,
        reason: options.reason ?? 'removed by an admin client',
      })),
    };
    return atCoordinator(
      this.context,
      { type: 'group', key: groupId },
      {
        what,
        api: LeaveGroup,
        options,
        minVersion: LEAVE_GROUP_MEMBERS_VERSION,
        body,
        read: ({ errorCode, members: answers }) => {
          check(errorCode, what);
          return body.members.map(({ memberId, groupInstanceId }) => {
            const answer = answers.find(
              (each) => each.groupInstanceId === groupInstanceId && (memberId === '' || each.memberId === memberId),
            );
            const code = answer?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR;
            return { memberId, groupInstanceId, error: errorOf(code, `${what}: ${groupInstanceId ?? memberId}`) };
          });
        },
      },
    );
  }

  private async membersOf(groupId: string, options: AdminCallOptions): Promise<MemberToRemove[]> {
    const [group] = await this.describeGroups([groupId], options);
    if (group?.error != null) throw group.error;
    return (group?.members ?? []).map(({ memberId, groupInstanceId }) =>
      groupInstanceId === null ? { memberId } : { groupInstanceId },
    );
  }

  private async listAt(brokerId: number, options: ListGroupsOptions, leftMs: number): Promise<GroupListing[]> {
    const { states = [], types = [] } = options;
    const minVersion =
      types.length > 0 ? LIST_GROUPS_TYPES_VERSION : states.length > 0 ? LIST_GROUPS_STATES_VERSION : 0;
    const body = {
      ...(states.length > 0 ? { statesFilter: states } : {}),
      ...(types.length > 0 ? { typesFilter: types } : {}),
    };
    const timeoutMs = Math.min(leftMs, this.context.options.requestTimeoutMs);
    const response = await this.context.cluster.request(brokerId, ListGroups, body, { timeoutMs, minVersion });
    if (response.errorCode !== ErrorCode.NONE) {
      throw brokerError(response.errorCode, `Listing the groups of broker ${brokerId}`);
    }
    return response.groups.map(({ groupId, protocolType, groupState, groupType }) => ({
      groupId,
      protocolType,
      state: groupState,
      type: groupType,
    }));
  }

  /** Groups of KIP-848 are unknown to DescribeGroups: asks for those by the request made for them. */
  private async completeWithConsumerGroups(
    coordinatorId: number,
    described: GroupDescription[],
    timeoutMs: number,
  ): Promise<GroupDescription[]> {
    const unknown = described
      .filter((group) => group.error?.code === 'GROUP_ID_NOT_FOUND')
      .map((group) => group.groupId);
    if (unknown.length === 0) return described;
    let answers: GroupDescription[];
    try {
      answers = await this.describeConsumerGroups(coordinatorId, unknown, timeoutMs);
    } catch (error) {
      if (error instanceof KafkaError && error.code === ClientErrorCode.UNSUPPORTED_VERSION) return described;
      throw error;
    }
    return described.map(
      (group) => answers.find((each) => each.groupId === group.groupId && each.error === null) ?? group,
    );
  }

  private async describeConsumerGroups(
    coordinatorId: number,
    groupIds: readonly string[],
    timeoutMs: number,
  ): Promise<GroupDescription[]> {
    const body = { groupIds, includeAuthorizedOperations: false };
    const response = await this.context.cluster.request(coordinatorId, ConsumerGroupDescribe, body, { timeoutMs });
    return response.groups.map((group) => {
      const { groupId, errorCode, errorMessage, groupState: state, assignorName: protocol } = group;
      if (errorCode !== ErrorCode.NONE) return noGroup(groupId, errorCode, errorMessage);
      const members = group.members.map(({ memberId, instanceId, clientId, clientHost, assignment }) => ({
        memberId,
        groupInstanceId: instanceId,
        clientId,
        clientHost,
        assignment: assignment.topicPartitions
          .flatMap(({ topicName: topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
          .sort(comparePartitions),
      }));
      return { groupId, state, protocolType: 'consumer', protocol, coordinatorId, members, error: null };
    });
  }

  /** Asks the coordinator of each group, once for all of its groups. */
  private atCoordinators<Outcome extends GroupOutcome>(
    what: string,
    groupIds: readonly string[],
    options: AdminCallOptions,
    ask: (coordinatorId: number, groupIds: readonly string[], timeoutMs: number) => Promise<Outcome[]>,
  ): Promise<Outcome[]> {
    const { cluster, options: own } = this.context;
    return retriedItems(this.context, {
      what,
      timeoutMs: callTimeoutMs(this.context, options),
      items: groupIds,
      ask: async (items, leftMs) => {
        const coordinators = await Promise.all(items.map((groupId) => cluster.coordinator('group', groupId, leftMs)));
        const outcomes = new Map<string, Outcome>();
        await Promise.all(
          [...new Set(coordinators)].map(async (coordinatorId) => {
            const ids = items.filter((_, index) => coordinators[index] === coordinatorId);
            const answers = await this.forgettingCoordinators(ids, () =>
              ask(coordinatorId, ids, Math.min(leftMs, own.requestTimeoutMs)),
            );
            for (const answer of answers) outcomes.set(answer.groupId, answer);
          }),
        );
        return items.map((groupId) => outcomes.get(groupId) as Outcome);
      },
    });
  }

  /** Looks coordinators up again that cannot be reached or have moved. */
  private async forgettingCoordinators<Outcome extends GroupOutcome>(
    groupIds: readonly string[],
    ask: () => Promise<Outcome[]>,
  ): Promise<Outcome[]> {
    const forget = (groupId: string): void => this.context.cluster.invalidateCoordinator('group', groupId);
    try {
      const outcomes = await ask();
      for (const { groupId, error } of outcomes) if (isRetried(error)) forget(groupId);
      return outcomes;
    } catch (thrown) {
      const error = asKafkaError(thrown, ClientErrorCode.PROTOCOL, 'Asking a coordinator failed');
      if (isRetried(error)) groupIds.forEach(forget);
      throw error;
    }
  }
}

function noGroup(groupId: string, errorCode: number, errorMessage: string | null | undefined): GroupDescription {
  const error = brokerError(errorCode, `Describing group ${groupId}`, errorMessage);
  return { groupId, state: 'Dead', protocolType: '', protocol: '', coordinatorId: -1, members: [], error };
}

function toMember(member: ResponseMember, protocolType: string): GroupMemberDescription {
  const { memberId, groupInstanceId, clientId, clientHost, memberAssignment } = member;
  const { assignedPartitions } =
    protocolType === 'consumer' ? decodeAssignment(memberAssignment) : { assignedPartitions: [] };
  const assignment = assignedPartitions
    .flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
    .sort(comparePartitions);
  return { memberId, groupInstanceId, clientId, clientHost, assignment };
}
