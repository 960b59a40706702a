/**
 * Answers a decision gives: to the request it was made for, and to others that were waiting for it.
 *
 * Guarantees: plain data, addressed by the token of the waiting request; the shapes are those of the protocol's messages.
 */
import { ErrorCode, type JoinGroup, type ResponseInput, type SyncGroup } from '@kafka-template/protocol';

/** An answer to JoinGroup; a null `protocolName` becomes '' for versions before 7. */
export type JoinAnswer = ResponseInput<typeof JoinGroup>;
/** An answer to SyncGroup. */
export type SyncAnswer = ResponseInput<typeof SyncGroup>;

/** One member's part of a LeaveGroup answer. */
export interface LeaveAnswer {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly errorCode: number;
}

/** The part of one member. */
export function leaveAnswer(
  { memberId, groupInstanceId }: Omit<LeaveAnswer, 'errorCode'>,
  errorCode: number = ErrorCode.NONE,
): LeaveAnswer {
  return { memberId, groupInstanceId, errorCode };
}

/** What is to be said to the request behind a token. */
export type GroupReply =
  | { readonly type: 'join'; readonly token: number; readonly answer: JoinAnswer }
  | { readonly type: 'sync'; readonly token: number; readonly answer: SyncAnswer }
  | { readonly type: 'leave'; readonly token: number; readonly members: readonly LeaveAnswer[] };

const NO_BYTES = Buffer.alloc(0);

/** A JoinGroup that failed. */
export function joinFailure(errorCode: number, memberId: string): JoinAnswer {
  return {
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  };
}

/** A SyncGroup that failed. */
export function syncFailure(errorCode: number): SyncAnswer {
  return { errorCode, protocolType: null, protocolName: null, assignment: NO_BYTES };
}
