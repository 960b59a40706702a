/**
 * The errors of commits that a group refuses because of who sent them; the sentences are Java's.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { brokerError, ClientErrorCode, KafkaError } from '../../errors.js';

/** The partitions may belong to another member by now: what was to be committed must not be. Code `COMMIT_FAILED`. */
export function commitFailedError(): KafkaError {
  return new KafkaError(
    ClientErrorCode.COMMIT_FAILED,
    'Commit cannot be completed since the group has already rebalanced and assigned the partitions to another member. ' +
      'This means that the time between subsequent calls to poll() was longer than the configured maxPollIntervalMs, ' +
      'which typically implies that the poll loop is spending too much time message processing. ' +
      'You can address this either by increasing maxPollIntervalMs or by reducing the maximum size of batches returned ' +
      'in poll() with maxPollRecords.',
  );
}

/** This consumer is no member at all. Code `COMMIT_FAILED`. */
export function notAMemberError(): KafkaError {
  return new KafkaError(
    ClientErrorCode.COMMIT_FAILED,
    'Offset commit cannot be completed since the consumer is not part of an active group for auto partition assignment; ' +
      'it is likely that the consumer was kicked out of the group. The next poll() joins it again.',
  );
}

/** A commit without membership, while the group has members. Code `COMMIT_FAILED`. */
export function groupInUseError(groupId: string): KafkaError {
  return new KafkaError(
    ClientErrorCode.COMMIT_FAILED,
    `Offset commit cannot be completed since group ${groupId} has members that subscribe to topics. ` +
      'A consumer that uses assign() needs a group of its own to commit to.',
  );
}

/** The group is between two generations; `poll()` finishes the rebalance. Code `REBALANCE_IN_PROGRESS`, retriable. */
export function rebalanceInProgressError(): KafkaError {
  const { message } = brokerError(
    ErrorCode.REBALANCE_IN_PROGRESS,
    'Offset commit',
    'the consumer is undergoing a rebalance for auto partition assignment. You can try completing the rebalance by ' +
      'calling poll() and then retry the operation.',
  );
  return new KafkaError('REBALANCE_IN_PROGRESS', message, { retriable: true });
}
