/**
 * Consumer groups of this broker: joins, syncs, heartbeats, leaves, committed offsets, administration.
 *
 * Guarantees: an answer that depends on stored state is given only after the log accepted it; requests for a group whose
 * partition of `__consumer_offsets` is not here or not yet loaded are refused with Kafka's codes, never half served.
 * Leaves out authorisation and the translation between topic ids and names: the api layer does both.
 */
import type {
  DeleteGroups,
  DescribeGroups,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  ListGroups,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch,
  RequestOf,
  ResponseInput,
  SyncGroup,
} from '@kafka-template/protocol';

/** Who asks. `clientHost` in Kafka's form, '/127.0.0.1'; a null client id is ''. */
export interface GroupRequestContext {
  readonly apiVersion: number;
  readonly clientId: string;
  readonly clientHost: string;
}

/** Receives the answer exactly once, perhaps before the call returns. */
export type Done<A> = (response: ResponseInput<A>) => void;

/**
 * The seam between the api layer and the groups. Requests are the decoded messages, answers are what the encoder takes.
 * In OffsetCommit and OffsetFetch the topic's `name` must be filled in; a `topicId` beside it is copied into the answer.
 */
export interface Groups {
  join(request: RequestOf<typeof JoinGroup>, context: GroupRequestContext, done: Done<typeof JoinGroup>): void;
  sync(request: RequestOf<typeof SyncGroup>, context: GroupRequestContext, done: Done<typeof SyncGroup>): void;
  heartbeat(request: RequestOf<typeof Heartbeat>, context: GroupRequestContext, done: Done<typeof Heartbeat>): void;
  leave(request: RequestOf<typeof LeaveGroup>, context: GroupRequestContext, done: Done<typeof LeaveGroup>): void;
  commitOffsets(
    request: RequestOf<typeof OffsetCommit>,
    context: GroupRequestContext,
    done: Done<typeof OffsetCommit>,
  ): void;
  /** From memory, all versions: `groups` of version 8 on, or `groupId` and `topics` of the versions before. */
  fetchOffsets(request: RequestOf<typeof OffsetFetch>, context: GroupRequestContext): ResponseInput<typeof OffsetFetch>;
  describe(request: RequestOf<typeof DescribeGroups>, context: GroupRequestContext): ResponseInput<typeof DescribeGroups>;
  list(request: RequestOf<typeof ListGroups>): ResponseInput<typeof ListGroups>;
  deleteGroups(request: RequestOf<typeof DeleteGroups>): Promise<ResponseInput<typeof DeleteGroups>>;
  deleteOffsets(request: RequestOf<typeof OffsetDelete>): Promise<ResponseInput<typeof OffsetDelete>>;
  /** The partition of `__consumer_offsets` that holds the group: a stable function of id and partition count. */
  coordinatorPartition(groupId: string): number;
  /** FindCoordinator: creates the internal topic when it is missing, and waits until this is known. Node -1 on errors. */
  findCoordinator(groupId: string): Promise<{ errorCode: number; errorMessage: string | null; nodeId: number }>;
  /** This broker leads partition `partition` of `__consumer_offsets` now: read it, then serve its groups. */
  load(partition: number): Promise<void>;
  /** This broker no longer leads it: waiting requests get NOT_COORDINATOR. */
  unload(partition: number): void;
  /** Drops the offsets that groups committed for a topic that is gone. */
  forgetTopic(topic: string): void;
  /** Answers everything that waits with COORDINATOR_NOT_AVAILABLE and stops all timers. */
  close(): void;
}
