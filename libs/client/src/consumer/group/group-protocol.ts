/**
 * What a consumer needs of its group, whichever protocol the group speaks: the member, and who takes it through
 * rebalances.
 */
import type { KafkaError } from '../../errors.js';
import type { CommitIdentity } from './generation.js';
import type { Heartbeat } from './heartbeat.js';

/** This consumer in its group. */
export interface GroupMember {
  readonly heartbeat: Heartbeat;
  /** Whether a request is on its way behind which others would wait, for a rebalance. */
  readonly isJoining: boolean;
  /** This member, as requests name it. */
  identity(): CommitIdentity;
  /** Who commits now. @throws KafkaError COMMIT_FAILED, REBALANCE_IN_PROGRESS (retriable) */
  commitIdentity(): CommitIdentity;
  /** Who sends a commit of this sender again. */
  renewed(sender: CommitIdentity): CommitIdentity;
  /** What an error code of OffsetCommit means for the commit, and for the membership. */
  commitError(errorCode: number, sender: CommitIdentity): KafkaError;
  /** Ends the membership from this side, and tells the coordinator. Never rejects. */
  leave(reason: string): Promise<void>;
}

/** Takes a member through its rebalances, step by step, inside `poll`. */
export interface GroupDriver {
  /** Monotonic time at which the next step may be taken; Infinity when something else decides that. */
  readonly nextStepMs: number;
  /** Takes the next step if there is one. Whether the partitions may be read. @throws KafkaError what the last step came to */
  advance(): boolean;
  /** Gives up all partitions for good. Rejects with the listener's error, after everything is done. */
  giveUp(): Promise<void>;
}
