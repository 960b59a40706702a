import { BatchListenerFailedError, DeserializationError } from '../errors.js';
import { ExponentialBackOff, FixedBackOff } from './back-off.js';
import { type ClassificationOptions, ErrorClassifier } from './classifier.js';

describe('error-handling: back-off', () => {
  it('fixed: the same delay, as often as maxRetries says', () => {
    const backOff = new FixedBackOff(5, 2);
    expect([1, 2, 3].map((failures) => backOff.delayMs(failures))).toEqual([5, 5, undefined]);
    expect(new FixedBackOff(5).delayMs(1_000_000)).toBe(5);
  });

  it('exponential: grows up to its limit', () => {
    const backOff = new ExponentialBackOff({
      initialIntervalMs: 100,
      multiplier: 2,
      maxIntervalMs: 500,
      maxRetries: 4,
    });
    expect([1, 2, 3, 4, 5].map((failures) => backOff.delayMs(failures))).toEqual([100, 200, 400, 500, undefined]);
  });
});

describe('error-handling: classification', () => {
  class Custom extends Error {}
  class Special extends Custom {}
  class ForbiddenException extends Error {}
  const unreadable = new DeserializationError('', { topic: 't', partition: 0, offset: 0, part: 'value', bytes: null });

  it.each<[string, unknown, ClassificationOptions, boolean]>([
    ['an ordinary error', new Error('x'), {}, true],
    ['a value that cannot be read', unreadable, {}, false],
    ['a refusal by a guard', new ForbiddenException(), {}, false],
    ['a refusal below another error', new Error('x', { cause: new ForbiddenException() }), {}, false],
    ['a batch that failed at such a record', new BatchListenerFailedError('', 0, unreadable), {}, false],
    ['a class that was added', new Special(), { notRetryable: [Custom] }, false],
    ['a class that was added by name', new Special(), { notRetryable: ['Custom'] }, false],
    ['a class that was taken out', new ForbiddenException(), { retryable: [ForbiddenException] }, true],
    ['an unknown class when only some are retried', new Error('x'), { retryByDefault: false }, false],
    ['a listed class when only some are retried', new Custom(), { retryByDefault: false, retryable: [Custom] }, true],
    [
      'the nearest link of the chain decides',
      new Custom('', { cause: new ForbiddenException() }),
      { retryable: [Custom] },
      true,
    ],
  ])('%s', (_name, error, options, expected) => {
    expect(new ErrorClassifier(options).isRetryable(error)).toBe(expected);
  });
});
