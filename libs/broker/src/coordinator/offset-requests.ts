/**
 * Requests about committed offsets: commit, fetch, delete, and the deletion of groups.
 *
 * Guarantees: errors of a whole group stand where each version of a message has room for them; a partition that cannot be
 * committed does not keep the others from it. Source: Kafka, `OffsetMetadataManager`.
 */
import {
  ErrorCode,
  type OffsetCommit,
  type OffsetDelete,
  type OffsetFetch,
  type RequestOf,
  type ResponseInput,
  type TxnOffsetCommit,
} from '@kafka-template/protocol';
import type { ClusterImage } from '../cluster/image.js';
import type { Clock } from '../io/clock.js';
import { checkConsumerCommit, checkConsumerFetch, type PartitionCheck } from './consumer-group/offset-checks.js';
import { isSubscribed } from './consumer-group/subscriptions.js';
import type { GroupSettings } from './group-settings.js';
import { checkCommit, committedOffset, type CommitterIdentity, type RequestedOffset } from './group/commit.js';
import { refreshSession } from './group/group.js';
import type { GroupRecord } from './group/records.js';
import type { Verification } from '../replication/partition.js';
import type { TransactionalProducer } from './runtime/gated-log.js';
import type { ShareGroup } from './share/group/share-group.js';
import { clientCode, type GroupShard, type Located } from './runtime/shard.js';

/** What this part needs of the coordinator. */
export interface OffsetRequestsOptions {
  readonly image: () => ClusterImage;
  readonly settings: () => GroupSettings;
  readonly clock: Clock;
  readonly locate: (groupId: string) => Located;
  /** Before a share group is deleted: what it has done with records. Resolves with a code. */
  readonly removeShareState: (group: ShareGroup) => Promise<number>;
}

type CommitTopic = {
  readonly name: string;
  readonly topicId?: string;
  readonly partitions: readonly (RequestedOffset & { readonly partitionIndex: number })[];
};

interface CommitAnswerTopic {
  readonly name: string;
  readonly topicId?: string;
  readonly partitions: { partitionIndex: number; errorCode: number }[];
}

/** A commit of either kind. */
interface CommitFacts {
  readonly groupId: string;
  readonly committer: CommitterIdentity;
  readonly topics: readonly CommitTopic[];
  readonly retentionTimeMs: number;
  readonly producer: TransactionalProducer | null;
  readonly apiVersion: number;
  /** What somebody is told who names a generation of a group that does not exist. */
  readonly unknownGroupCode: number;
}

type FetchTopic = { readonly name: string; readonly topicId?: string; readonly partitionIndexes: readonly number[] };

interface FetchedPartition {
  readonly partitionIndex: number;
  readonly committedOffset: number;
  readonly committedLeaderEpoch: number;
  readonly metadata: string;
  readonly errorCode: number;
}

interface FetchedTopic {
  readonly name: string;
  readonly topicId?: string;
  readonly partitions: readonly FetchedPartition[];
}

interface FetchedGroup {
  readonly groupId: string;
  readonly errorCode: number;
  readonly topics: readonly FetchedTopic[];
}

function identified(topic: { readonly name: string; readonly topicId?: string }): { name: string; topicId?: string } {
  return topic.topicId === undefined ? { name: topic.name } : { name: topic.name, topicId: topic.topicId };
}

function answerAll(topics: readonly CommitTopic[], errorCode: number): CommitAnswerTopic[] {
  return topics.map((topic) => ({
    ...identified(topic),
    partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  }));
}

/** A batch that is too large is the committer's doing here, and has a code of its own. */
function commitCode(logCode: number): number {
  const tooLarge = logCode === ErrorCode.MESSAGE_TOO_LARGE || logCode === ErrorCode.RECORD_LIST_TOO_LARGE;
  return tooLarge ? ErrorCode.INVALID_COMMIT_OFFSET_SIZE : clientCode(logCode);
}

/** See the file comment. */
export class OffsetRequests {
  constructor(private readonly options: OffsetRequestsOptions) {}

  /** OffsetCommit. */
  commit(
    request: RequestOf<typeof OffsetCommit>,
    apiVersion: number,
    done: (response: ResponseInput<typeof OffsetCommit>) => void,
  ): void {
    const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = request;
    const facts: CommitFacts = {
      groupId,
      committer: { memberId, groupInstanceId, generationId },
      topics: request.topics,
      retentionTimeMs: request.retentionTimeMs,
      producer: null,
      apiVersion,
      unknownGroupCode: apiVersion >= 9 ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION,
    };
    this.commitTopics(facts, (topics) => done({ topics }));
  }

  /** TxnOffsetCommit. */
  commitTransactional(
    request: RequestOf<typeof TxnOffsetCommit>,
    done: (response: ResponseInput<typeof TxnOffsetCommit>) => void,
    verification?: Verification | null,
  ): void {
    const { groupId, memberId, groupInstanceId, generationId, producerId, producerEpoch } = request;
    const facts: CommitFacts = {
      groupId,
      committer: { memberId, groupInstanceId, generationId },
      topics: request.topics,
      retentionTimeMs: -1,
      producer: { producerId, producerEpoch, verification },
      apiVersion: 0,
      unknownGroupCode: ErrorCode.ILLEGAL_GENERATION,
    };
    this.commitTopics(facts, (topics) => done({ topics }));
  }

  private commitTopics(facts: CommitFacts, done: (topics: CommitAnswerTopic[]) => void): void {
    const { shard, errorCode } = this.options.locate(facts.groupId);
    if (!shard) return done(answerAll(facts.topics, errorCode));
    const { errorCode: refused, check } = this.checkCommitter(shard, facts);
    if (refused !== ErrorCode.NONE) return done(answerAll(facts.topics, refused));
    const records: GroupRecord[] = [];
    const answer = facts.topics.map((topic) => this.commitTopic(topic, { ...facts, check }, records));
    if (records.length === 0) return done(answer);
    if (!shard.group(facts.groupId) && !shard.consumers.has(facts.groupId)) shard.createGroup(facts.groupId);
    const stored = (): void => done(answer);
    const failed = (logCode: number): void => done(withFailure(answer, commitCode(logCode)));
    shard.writeOffsets(records, { stored, failed }, facts.producer ?? undefined);
  }

  /** What is wrong with the whole commit, or how its partitions are checked. */
  private checkCommitter(shard: GroupShard, facts: CommitFacts): { errorCode: number; check: PartitionCheck } {
    const { committer, groupId, apiVersion } = facts;
    const transactional = facts.producer !== null;
    const consumers = shard.consumers.get(groupId);
    if (consumers) return checkConsumerCommit(consumers, committer, { apiVersion, transactional });
    const group = shard.group(groupId);
    const check = (): number => ErrorCode.NONE;
    // Share groups have no offsets of this kind.
    if (shard.shares.has(groupId)) return { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, check };
    if (!group) return { errorCode: committer.generationId < 0 ? ErrorCode.NONE : facts.unknownGroupCode, check };
    const errorCode = checkCommit(group, committer, transactional);
    // A commit is as good a sign of life as a heartbeat.
    if (errorCode === ErrorCode.NONE) refreshSession(group, committer.memberId, shard.now());
    return { errorCode, check };
  }

  /** Adds the records of a topic and tells how each of its partitions fares. */
  private commitTopic(
    topic: CommitTopic,
    facts: CommitFacts & { readonly check: PartitionCheck },
    records: GroupRecord[],
  ): CommitAnswerTopic {
    const known = this.options.image().topic(topic.name);
    const times = { nowEpochMs: this.options.clock.now(), retentionTimeMs: facts.retentionTimeMs };
    const { offsetMetadataBytesMax } = this.options.settings();
    const partitions = topic.partitions.map((requested) => {
      const { partitionIndex, committedMetadata } = requested;
      if (!known?.partitions[partitionIndex]) {
        return { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION };
      }
      // Kafka counts characters, whatever the name of the config says.
      if ((committedMetadata?.length ?? 0) > offsetMetadataBytesMax) {
        return { partitionIndex, errorCode: ErrorCode.OFFSET_METADATA_TOO_LARGE };
      }
      const refused = facts.check(known.id, partitionIndex);
      if (refused !== ErrorCode.NONE) return { partitionIndex, errorCode: refused };
      const value = committedOffset(requested, times);
      records.push({ type: 'offset', groupId: facts.groupId, topic: topic.name, partition: partitionIndex, value });
      return { partitionIndex, errorCode: ErrorCode.NONE };
    });
    return { ...identified(topic), partitions };
  }

  /** OffsetFetch. */
  fetch(request: RequestOf<typeof OffsetFetch>, apiVersion: number): ResponseInput<typeof OffsetFetch> {
    const stable = request.requireStable;
    if (apiVersion >= 8) {
      return { groups: request.groups.map((group) => this.fetchGroup({ ...group, stable })) };
    }
    const { groupId, topics } = request;
    const { errorCode, topics: answered } = this.fetchGroup({
      groupId,
      topics,
      stable,
      memberId: null,
      memberEpoch: -1,
    });
    if (errorCode === ErrorCode.NONE) return { topics: answered, errorCode };
    // Version 1 has no place for an error of the group: every partition carries it.
    const failed = apiVersion >= 2 ? [] : (topics ?? []).map((topic) => missingOffsets(topic, errorCode));
    return { topics: failed, errorCode };
  }

  private fetchGroup(wanted: {
    readonly groupId: string;
    readonly topics: readonly FetchTopic[] | null;
    readonly stable: boolean;
    readonly memberId: string | null;
    readonly memberEpoch: number;
  }): FetchedGroup {
    const { groupId } = wanted;
    const { shard, errorCode } = this.options.locate(groupId);
    if (!shard) return { groupId, topics: [], errorCode };
    const consumers = shard.consumers.get(groupId);
    const refused = consumers ? checkConsumerFetch(consumers, wanted.memberId, wanted.memberEpoch) : ErrorCode.NONE;
    if (refused !== ErrorCode.NONE) return { groupId, topics: [], errorCode: refused };
    const offsets = shard.offsets.ofGroup(groupId);
    const topics: readonly FetchTopic[] =
      wanted.topics ?? [...offsets].map(([name, partitions]) => ({ name, partitionIndexes: [...partitions.keys()] }));
    return {
      groupId,
      errorCode: ErrorCode.NONE,
      topics: topics.map((topic) => ({
        ...identified(topic),
        partitions: topic.partitionIndexes.map((partitionIndex) => {
          const key = { groupId, topic: topic.name, partition: partitionIndex };
          if (wanted.stable && shard.offsets.isUnstable(key)) {
            return missingOffset(partitionIndex, ErrorCode.UNSTABLE_OFFSET_COMMIT);
          }
          const found = shard.offsets.get(key);
          if (!found) return missingOffset(partitionIndex, ErrorCode.NONE);
          const { offset: committed, leaderEpoch, metadata } = found;
          return {
            partitionIndex,
            committedOffset: committed,
            committedLeaderEpoch: leaderEpoch,
            metadata,
            errorCode: ErrorCode.NONE,
          };
        }),
      })),
    };
  }

  /** OffsetDelete. */
  async delete(request: RequestOf<typeof OffsetDelete>): Promise<ResponseInput<typeof OffsetDelete>> {
    const { groupId } = request;
    const { shard, errorCode } = this.options.locate(groupId);
    if (!shard) return { errorCode, topics: [] };
    const group = shard.group(groupId);
    const consumers = shard.consumers.get(groupId);
    if (!group && !consumers) return { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, topics: [] };
    // Members of other protocols do not say what they read, so everything of theirs may be in use.
    if (group && group.state !== 'Empty' && group.protocolType !== 'consumer') {
      return { errorCode: ErrorCode.NON_EMPTY_GROUP, topics: [] };
    }
    const isInUse = (topic: string): boolean => {
      if (consumers) return isSubscribed(consumers, topic);
      return group !== undefined && group.state !== 'Empty' && (group.subscribedTopics?.has(topic) ?? false);
    };
    const records: GroupRecord[] = [];
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        const place = { groupId, topic: name, partition: partitionIndex, inUse: isInUse(name) };
        const code = this.deleteOne(shard, place, records);
        return { partitionIndex, errorCode: code };
      }),
    }));
    if (records.length === 0) return { errorCode: ErrorCode.NONE, topics };
    const logCode = await tombstones(shard, groupId, { records, forgetGroup: false });
    return logCode === ErrorCode.NONE ? { errorCode: logCode, topics } : { errorCode: clientCode(logCode), topics: [] };
  }

  private deleteOne(
    shard: GroupShard,
    place: { readonly groupId: string; readonly topic: string; readonly partition: number; readonly inUse: boolean },
    records: GroupRecord[],
  ): number {
    const { groupId, topic, partition, inUse } = place;
    if (!this.options.image().topic(topic)?.partitions[partition]) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    if (inUse) return ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC;
    const isKept = shard.offsets.get(place) !== undefined || shard.offsets.isUnstable(place);
    if (isKept) records.push({ type: 'offset', groupId, topic, partition, value: null });
    return ErrorCode.NONE;
  }

  /** DeleteGroups, one group: resolves with Kafka's code. */
  async deleteGroup(groupId: string): Promise<number> {
    const { shard, errorCode } = this.options.locate(groupId);
    if (!shard) return errorCode;
    const group = shard.group(groupId);
    const modern = shard.consumers.get(groupId) ?? shard.shares.get(groupId);
    if (!group && !modern) return ErrorCode.GROUP_ID_NOT_FOUND;
    if ((group && group.state !== 'Empty') || (modern && modern.members.size > 0)) {
      return ErrorCode.NON_EMPTY_GROUP;
    }
    const share = shard.shares.get(groupId);
    if (share) return this.deleteShareGroup(shard, share);
    return this.forgetGroup(shard, groupId);
  }

  /** Forgets what the group kept first. Nobody joins meanwhile. */
  private async deleteShareGroup(shard: GroupShard, share: ShareGroup): Promise<number> {
    shard.shares.closing.add(share.id);
    try {
      const code = await this.options.removeShareState(share);
      return code === ErrorCode.NONE ? await this.forgetGroup(shard, share.id) : code;
    } finally {
      shard.shares.closing.delete(share.id);
    }
  }

  private async forgetGroup(shard: GroupShard, groupId: string): Promise<number> {
    const records = offsetTombstones(shard, groupId, () => true);
    return clientCode(await tombstones(shard, groupId, { records, forgetGroup: true }));
  }

  /** Deletes what all groups of a shard committed for a topic. Nobody waits for it. */
  forgetTopic(shard: GroupShard, topic: string): void {
    if (shard.status !== 'active') return;
    for (const groupId of new Set([...shard.offsets.groupIds(), ...shard.offsets.pendingGroupIds()])) {
      const records = offsetTombstones(shard, groupId, (name) => name === topic);
      if (records.length === 0) continue;
      shard.writeTombstones(groupId, records, false, { stored: () => undefined, failed: () => undefined });
    }
  }
}

function offsetTombstones(shard: GroupShard, groupId: string, wanted: (topic: string) => boolean): GroupRecord[] {
  return shard.offsets
    .keysOf(groupId)
    .filter(({ topic }) => wanted(topic))
    .map((key) => ({ type: 'offset', ...key, value: null }));
}

/** Resolves with the log's code when the tombstones are stored. */
function tombstones(
  shard: GroupShard,
  groupId: string,
  what: { readonly records: readonly GroupRecord[]; readonly forgetGroup: boolean },
): Promise<number> {
  return new Promise((resolve) => {
    shard.writeTombstones(groupId, what.records, what.forgetGroup, {
      stored: () => resolve(ErrorCode.NONE),
      failed: resolve,
    });
  });
}

/** Partitions that would have been stored get the code; those with an error of their own keep it. */
function withFailure(topics: readonly CommitAnswerTopic[], errorCode: number): CommitAnswerTopic[] {
  return topics.map((topic) => ({
    ...topic,
    partitions: topic.partitions.map((partition) => ({
      partitionIndex: partition.partitionIndex,
      errorCode: partition.errorCode === ErrorCode.NONE ? errorCode : partition.errorCode,
    })),
  }));
}

function missingOffset(partitionIndex: number, errorCode: number): FetchedPartition {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode };
}

function missingOffsets(topic: FetchTopic, errorCode: number): FetchedTopic {
  return {
    name: topic.name,
    partitions: topic.partitionIndexes.map((partitionIndex) => missingOffset(partitionIndex, errorCode)),
  };
}
