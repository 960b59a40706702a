/**
 * A group coordinator for specs: the consumer under test is the only real member; other members are what the spec says.
 *
 * Writes down what happens in order (`log`), and answers with the codes the spec has put in place.
 */
import {
  encodeAssignment,
  encodeSubscription,
  ErrorCode,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  OffsetCommit,
  OffsetFetch,
  type RequestOf,
  type ResponseInput,
  SyncGroup,
} from '@kafka-template/protocol';
import type { KafkaError } from '../../errors.js';
import type { ScriptedCluster, Sent } from './scripted-cluster.js';

/** Another member, which never does anything. */
export interface OtherMember {
  readonly memberId: string;
  readonly topics: readonly string[];
  /** What it states to own. */
  readonly owned?: readonly { topic: string; partitions: number[] }[];
}

/** The coordinator. */
export class ScriptedGroup {
  /** `join`, `sync`, `commit orders-0@5 gen 1`, `leave`, and whatever a spec adds. */
  readonly log: string[] = [];
  generationId = 0;
  memberId = 'member-1';
  /** Whether the member under test leads. */
  leads = true;
  others: OtherMember[] = [];
  /** Codes to answer with, one each; then NONE. Heartbeats repeat the last one while `heartbeatCode` is set. */
  joinCodes: number[] = [];
  syncCodes: number[] = [];
  commitCodes: number[] = [];
  fetchCodes: number[] = [];
  heartbeatCode: number = ErrorCode.NONE;
  /** Errors of the connection instead of an answer to a commit, one each. */
  commitFailures: KafkaError[] = [];
  /** What a join that is going to succeed, or a commit, waits for before it is answered. */
  joinGate: Promise<void> | null = null;
  commitGate: Promise<void> | null = null;
  /** The assignment of a member that does not lead. */
  assignment: { topic: string; partitions: number[] }[] = [];
  readonly committed = new Map<string, number>();
  heartbeats = 0;

  constructor(cluster: ScriptedCluster) {
    cluster.on(JoinGroup, (body) => this.join(body));
    cluster.on(SyncGroup, (body) => this.sync(body));
    cluster.on(Heartbeat, () => this.heartbeat());
    cluster.on(LeaveGroup, (_body, sent) => this.leave(sent));
    cluster.on(OffsetCommit, (body) => this.commit(body));
    cluster.on(OffsetFetch, (body, sent) => this.fetchOffsets(body, sent));
  }

  private async join(body: RequestOf<typeof JoinGroup>): Promise<ResponseInput<typeof JoinGroup>> {
    this.log.push(body.memberId === '' ? 'join' : `join ${body.memberId}`);
    const errorCode = this.joinCodes.shift() ?? this.joinCode(body);
    if (errorCode === ErrorCode.NONE) await this.joinGate;
    const refusal = { errorCode, protocolName: '', leader: '', members: [] };
    if (errorCode === ErrorCode.MEMBER_ID_REQUIRED) return { ...refusal, memberId: this.memberId };
    if (errorCode !== ErrorCode.NONE) return { ...refusal, memberId: body.memberId };
    this.generationId++;
    this.heartbeatCode = ErrorCode.NONE;
    const own = { memberId: this.memberId, metadata: body.protocols[0]?.metadata ?? Buffer.alloc(0) };
    const others = this.others.map(({ memberId, topics, owned: ownedPartitions = [] }) => ({
      memberId,
      metadata: encodeSubscription({ topics, userData: null, ownedPartitions, generationId: -1, rackId: null }),
    }));
    return {
      errorCode,
      generationId: this.generationId,
      protocolType: 'consumer',
      protocolName: body.protocols[0]?.name ?? '',
      leader: this.leads ? this.memberId : 'somebody else',
      memberId: this.memberId,
      members: this.leads ? [own, ...others] : [],
    };
  }

  private joinCode({ memberId, groupInstanceId }: RequestOf<typeof JoinGroup>): number {
    return memberId === '' && groupInstanceId === null ? ErrorCode.MEMBER_ID_REQUIRED : ErrorCode.NONE;
  }

  private sync(body: RequestOf<typeof SyncGroup>): ResponseInput<typeof SyncGroup> {
    this.log.push('sync');
    const errorCode = this.syncCodes.shift() ?? ErrorCode.NONE;
    const own = body.assignments.find((each) => each.memberId === this.memberId)?.assignment;
    const given = encodeAssignment({ assignedPartitions: this.assignment, userData: null });
    return { errorCode, protocolType: 'consumer', protocolName: body.protocolName, assignment: own ?? given };
  }

  private heartbeat(): ResponseInput<typeof Heartbeat> {
    this.heartbeats++;
    return { errorCode: this.heartbeatCode };
  }

  private leave(sent: Sent): ResponseInput<typeof LeaveGroup> {
    this.log.push(sent.lane === 'coordinator' ? 'leave' : `leave by ${sent.lane}`);
    return { errorCode: ErrorCode.NONE, members: [] };
  }

  private async commit(body: RequestOf<typeof OffsetCommit>): Promise<ResponseInput<typeof OffsetCommit> | KafkaError> {
    const offsets = body.topics.flatMap((topic) =>
      topic.partitions.map((each) => ({ key: `${topic.name}-${each.partitionIndex}`, offset: each.committedOffset })),
    );
    const list = offsets.map(({ key, offset }) => `${key}@${offset}`).join(' ');
    this.log.push(`commit ${list} gen ${body.generationIdOrMemberEpoch}`);
    await this.commitGate;
    const failure = this.commitFailures.shift();
    if (failure !== undefined) return failure;
    const errorCode = this.commitCodes.shift() ?? ErrorCode.NONE;
    if (errorCode === ErrorCode.NONE) for (const { key, offset } of offsets) this.committed.set(key, offset);
    return {
      topics: body.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
      })),
    };
  }

  private fetchOffsets(body: RequestOf<typeof OffsetFetch>, { version }: Sent): ResponseInput<typeof OffsetFetch> {
    const errorCode = this.fetchCodes.shift() ?? ErrorCode.NONE;
    const asked = body.groups[0]?.topics ?? body.topics ?? [];
    const topics = asked.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({
        partitionIndex,
        committedOffset: this.committed.get(`${name}-${partitionIndex}`) ?? -1,
        committedLeaderEpoch: 0,
        metadata: '',
        errorCode: ErrorCode.NONE,
      })),
    }));
    if (version < 8) return { topics, errorCode };
    return { groups: [{ groupId: body.groups[0]?.groupId ?? '', topics, errorCode }] };
  }
}
