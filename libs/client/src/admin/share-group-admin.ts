/**
 * Share groups (KIP-932): who takes part, where they stand, and moving that.
 *
 * Guarantees: the group's coordinator is asked, and looked up again when it has moved; one outcome for each thing asked for.
 * Deleting a share group is `deleteGroups`, listing them is `listGroups`.
 */
import {
  AlterShareGroupOffsets,
  DeleteShareGroupOffsets,
  DescribeShareGroupOffsets,
  ErrorCode,
  ShareGroupDescribe,
} from '@kafka-template/protocol';
import { comparePartitions, type TopicPartition } from '../consumer/topic-partition.js';
import type { AdminCallOptions, AdminContext, ItemOutcome } from './admin-context.js';
import { atCoordinator, check, errorOf, outcomes } from './admin-request.js';

/** A member of a share group. */
export interface ShareMemberDescription {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rackId: string | null;
  readonly subscribedTopics: readonly string[];
  /** The partitions it fetches, sorted; others may fetch them as well. */
  readonly assignment: readonly TopicPartition[];
}

/** A share group with its members. */
export interface ShareGroupDescription extends ItemOutcome {
  readonly groupId: string;
  /** `Stable` or `Empty`; empty with an error. */
  readonly state: string;
  readonly groupEpoch: number;
  readonly assignor: string;
  readonly members: readonly ShareMemberDescription[];
}

/** Where a share group stands in a partition. */
export interface ShareGroupOffset extends TopicPartition, ItemOutcome {
  /** The first record that may still be given out; null while the group has read nothing of the partition. */
  readonly startOffset: number | null;
  /** Records that are still to be dealt with; null when unknown (before Kafka 4.2, or nothing was read). */
  readonly lag: number | null;
}

/** What became of the new start in a partition. */
export interface ShareOffsetOutcome extends TopicPartition, ItemOutcome {}

/** What became of the state in a topic. */
export interface ShareTopicOutcome extends ItemOutcome {
  readonly topic: string;
}

/** See the file comment. */
export class ShareGroupAdmin {
  constructor(private readonly context: AdminContext) {}

  /** Share groups with their members. GROUP_ID_NOT_FOUND is the outcome of one that does not exist, or is of another kind. */
  describeShareGroups(groupIds: readonly string[], options: AdminCallOptions = {}): Promise<ShareGroupDescription[]> {
    const nothing = { state: '', groupEpoch: -1, assignor: '', members: [] };
    return outcomes(
      groupIds,
      (groupId) => this.describe(groupId, options),
      (groupId, error) => ({ groupId, ...nothing, error }),
    );
  }

  private describe(groupId: string, options: AdminCallOptions): Promise<ShareGroupDescription> {
    const what = `Describing share group ${groupId}`;
    return atCoordinator(this.context, group(groupId), {
      what,
      api: ShareGroupDescribe,
      body: { groupIds: [groupId], includeAuthorizedOperations: false },
      options,
      read: ({ groups }) => {
        const found = groups.find((each) => each.groupId === groupId);
        check(found?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR, what, found?.errorMessage);
        const { groupState: state = '', groupEpoch = -1, assignorName: assignor = '', members = [] } = found ?? {};
        const described = members.map(({ subscribedTopicNames, assignment, ...member }) => ({
          ...member,
          subscribedTopics: subscribedTopicNames,
          assignment: assignment.topicPartitions
            .flatMap(({ topicName: topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
            .sort(comparePartitions),
        }));
        return { groupId, state, groupEpoch, assignor, members: described, error: null };
      },
    });
  }

  /** Where a share group stands: in everything it has read, or in the given partitions. */
  listShareGroupOffsets(
    groupId: string,
    options: AdminCallOptions & { readonly partitions?: readonly TopicPartition[] } = {},
  ): Promise<ShareGroupOffset[]> {
    const what = `Listing offsets of share group ${groupId}`;
    const wanted = options.partitions && byTopic(options.partitions);
    const topics = wanted
      ? [...wanted].map(([topicName, each]) => ({ topicName, partitions: each.map(({ partition }) => partition) }))
      : null;
    return atCoordinator(this.context, group(groupId), {
      what,
      api: DescribeShareGroupOffsets,
      body: { groups: [{ groupId, topics }] },
      options,
      read: ({ groups }) => {
        const found = groups.find((each) => each.groupId === groupId);
        check(found?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR, what, found?.errorMessage);
        const rows = (found?.topics ?? []).flatMap(({ topicName: topic, partitions }) =>
          partitions.map(({ partitionIndex: partition, startOffset, lag, errorCode, errorMessage }) => ({
            topic,
            partition,
            startOffset: startOffset < 0 ? null : startOffset,
            lag: lag < 0 ? null : lag,
            error: errorOf(errorCode, what, errorMessage),
          })),
        );
        return rows.sort(comparePartitions);
      },
    });
  }

  /** Moves where a share group stands. NON_EMPTY_GROUP rejects while it has members. */
  alterShareGroupOffsets(
    groupId: string,
    offsets: readonly (TopicPartition & { readonly offset: number })[],
    options: AdminCallOptions = {},
  ): Promise<ShareOffsetOutcome[]> {
    const what = `Moving share group ${groupId}`;
    const topics = [...byTopic(offsets)].map(([topicName, each]) => ({
      topicName,
      partitions: each.map(({ partition: partitionIndex, offset: startOffset }) => ({ partitionIndex, startOffset })),
    }));
    return atCoordinator(this.context, group(groupId), {
      what,
      api: AlterShareGroupOffsets,
      body: { groupId, topics },
      options,
      read: ({ errorCode, errorMessage, responses }) => {
        check(errorCode, what, errorMessage);
        return offsets.map(({ topic, partition }) => {
          const rows = responses.find(({ topicName }) => topicName === topic)?.partitions;
          const row = rows?.find(({ partitionIndex }) => partitionIndex === partition);
          const code = row?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR;
          return { topic, partition, error: errorOf(code, what, row?.errorMessage) };
        });
      },
    });
  }

  /** Forgets what a share group has done in topics: it begins there anew. NON_EMPTY_GROUP rejects while it has members. */
  deleteShareGroupOffsets(
    groupId: string,
    topics: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<ShareTopicOutcome[]> {
    const what = `Deleting offsets of share group ${groupId}`;
    return atCoordinator(this.context, group(groupId), {
      what,
      api: DeleteShareGroupOffsets,
      body: { groupId, topics: topics.map((topicName) => ({ topicName })) },
      options,
      read: ({ errorCode, errorMessage, responses }) => {
        check(errorCode, what, errorMessage);
        return topics.map((topic) => {
          const row = responses.find(({ topicName }) => topicName === topic);
          const code = row?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR;
          return { topic, error: errorOf(code, what, row?.errorMessage) };
        });
      },
    });
  }
}

function group(key: string): { readonly type: 'group'; readonly key: string } {
  return { type: 'group', key };
}

function byTopic<T extends TopicPartition>(items: readonly T[]): Map<string, T[]> {
  const topics = new Map<string, T[]>();
  for (const item of items) topics.set(item.topic, [...(topics.get(item.topic) ?? []), item]);
  return topics;
}
