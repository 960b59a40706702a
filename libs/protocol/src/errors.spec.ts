/**
 * The table of errors: complete, without doubles, and kind to codes it does not know. That it is Kafka's table is checked
 * by test/interop/protocol.
 */
import { ERROR_MESSAGES } from './error-messages.js';
import { ErrorCode, errorMessage, errorName, isMetadataError, isRetriable } from './errors.js';

const codes = Object.values(ErrorCode);

describe('ErrorCode', () => {
  it('has every code from -1 to the last one once', () => {
    expect([...codes].sort((a, b) => a - b)).toEqual(Array.from({ length: codes.length }, (_, index) => index - 1));
    expect(Object.keys(ERROR_MESSAGES)).toEqual(Object.keys(ErrorCode));
  });

  it.each([
    ['NONE', 0, false, false],
    ['UNKNOWN_SERVER_ERROR', -1, false, false],
    ['NOT_LEADER_OR_FOLLOWER', 6, true, true],
    ['REQUEST_TIMED_OUT', 7, true, false],
    ['MESSAGE_TOO_LARGE', 10, false, false],
    ['COORDINATOR_LOAD_IN_PROGRESS', 14, true, false],
    ['UNKNOWN_TOPIC_ID', 100, true, true],
  ])('%s is %d, retriable %p, stale metadata %p', (name, code, retriable, staleMetadata) => {
    expect(errorName(code)).toBe(name);
    expect(isRetriable(code)).toBe(retriable);
    expect(isMetadataError(code)).toBe(staleMetadata);
  });

  it('names and explains a code from a newer broker', () => {
    expect(errorName(9999)).toBe('UNKNOWN_ERROR_CODE_9999');
    expect(errorMessage(9999)).toContain('9999');
    expect(isRetriable(9999)).toBe(false);
    expect(isMetadataError(9999)).toBe(false);
  });

  it('has a sentence of its own for every code', () => {
    const sentences = codes.map(errorMessage);
    for (const sentence of sentences) expect(sentence).toMatch(/^[A-Za-z].+\.$/);
    expect(new Set(sentences).size).toBe(codes.length);
  });
});
