import { ErrorCode } from '@kafka-template/protocol';
import { KafkaError, asKafkaError, brokerError, timeoutError } from './errors.js';

describe('KafkaError', () => {
  it('carries the name of the broker error as its code, with what to do about it', () => {
    const error = brokerError(ErrorCode.NOT_LEADER_OR_FOLLOWER, 'Sending to orders-0');
    expect(error).toBeInstanceOf(KafkaError);
    expect(error.code).toBe('NOT_LEADER_OR_FOLLOWER');
    expect(error.retriable).toBe(true);
    expect(error.fatal).toBe(false);
    expect(error.message).toMatch(/^Sending to orders-0 failed: NOT_LEADER_OR_FOLLOWER: \S/);
  });

  it("prefers the broker's own words", () => {
    const error = brokerError(ErrorCode.POLICY_VIOLATION, 'Creating topic orders', 'Only 3 replicas are allowed here');
    expect(error.message).toBe('Creating topic orders failed: POLICY_VIOLATION: Only 3 replicas are allowed here');
    expect(error.retriable).toBe(false);
  });

  it('marks what ends the use of a client as fatal', () => {
    expect(brokerError(ErrorCode.PRODUCER_FENCED, 'x').fatal).toBe(true);
    expect(brokerError(ErrorCode.MESSAGE_TOO_LARGE, 'x').fatal).toBe(false);
  });

  it('wraps foreign errors once, keeping them as the cause', () => {
    const cause = new TypeError('boom');
    const wrapped = asKafkaError(cause, 'INVALID_ARGUMENT', 'Encoding a record');
    expect(wrapped).toMatchObject({ code: 'INVALID_ARGUMENT', message: 'Encoding a record: boom', cause });
    expect(asKafkaError(wrapped, 'NETWORK', 'again')).toBe(wrapped);
    expect(timeoutError('late').retriable).toBe(true);
  });
});
