/**
 * Answers to ConsumerGroupHeartbeat, and why one is refused.
 *
 * Guarantees Kafka's codes and texts; an answer that is refused says nothing else.
 */
import { errorMessage, type ConsumerGroupHeartbeat, type ResponseInput } from '@kafka-template/protocol';

/** An answer to ConsumerGroupHeartbeat. */
export type HeartbeatAnswer = ResponseInput<typeof ConsumerGroupHeartbeat>;

/** Why a request is not followed. Thrown inside decisions and caught at their edge: it is no failure of the broker. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code = 'REFUSED';

  /** `errorCode` is Kafka's. */
  constructor(
    readonly errorCode: number,
    text: string = errorMessage(errorCode),
  ) {
    super(text);
  }
}

/** An answer with an error. */
export function heartbeatFailure(errorCode: number, text: string = errorMessage(errorCode)): HeartbeatAnswer {
  return { errorCode, errorMessage: text, memberId: null, memberEpoch: 0, heartbeatIntervalMs: 0, assignment: null };
}
