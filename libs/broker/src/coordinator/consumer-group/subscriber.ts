/**
 * What an assignor is asked and answers. No behaviour.
 */
import type { Target } from './assignment.js';

/** A member as an assignor sees it. */
export interface Subscriber {
  readonly memberId: string;
  readonly instanceId: string | null;
  /** Ids of the topics it reads, all of which exist. */
  readonly topicIds: ReadonlySet<string>;
  /** What it was to have until now. */
  readonly target: Target;
}

/** Members and partition counts to member id to target; every member is in the result. */
export type Assignor = (
  members: readonly Subscriber[],
  partitionCounts: ReadonlyMap<string, number>,
) => ReadonlyMap<string, Target>;
