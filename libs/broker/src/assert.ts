/**
 * Assertions for our own mistakes. They stay on in production: a broker that has lost the thread must stop, not guess.
 * Leaves out everything a client or a disk can cause: those are results, not exceptions.
 */

/** A broken invariant of this code. Its message is a sentence that says what should have been true. */
export class AssertionError extends Error {
  readonly code = 'ASSERTION';

  constructor(sentence: string) {
    super(sentence);
    this.name = 'AssertionError';
  }
}

/** Throws an {@link AssertionError} unless `condition` holds. */
export function assert(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new AssertionError(sentence);
}
