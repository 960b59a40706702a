/**
 * Who a consumer is within its group, as its requests state it.
 */

/** A membership: which round of the group, which member, which strategy. */
export interface Generation {
  /** Number of the round, -1 while this consumer is no member. */
  readonly generationId: number;
  /** Given by the coordinator, empty while it has not given one. */
  readonly memberId: string;
  /** Name of the strategy the group has chosen. */
  readonly protocol: string | null;
}

/** Before the first join, and after the membership was lost. */
export const NO_GENERATION: Generation = { generationId: -1, memberId: '', protocol: null };

/** What a commit says about its sender. */
export interface CommitIdentity {
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  /**
   * Only under the consumer protocol, where `generationId` is the member's epoch: which of its memberships it is. Within
   * one the epoch goes up while the partitions stay, so that a commit may be sent again with a later epoch.
   */
  readonly incarnation?: number;
}

/** The sender of commits of a consumer that assigns its partitions itself. */
export const NO_MEMBER: CommitIdentity = { generationId: -1, memberId: '', groupInstanceId: null };
