/**
 * The names of the commit rules and of the ways a commit is sent: two independent choices of a listener.
 */

/** When offsets are committed. Spring's names; the rules are in the strategies of this folder. */
export const AckMode = {
  /** After each record. One request per record: exact and slow. */
  RECORD: 'RECORD',
  /** After all records of a poll. The default. */
  BATCH: 'BATCH',
  /** When more than `ackTimeMs` have passed since the last commit. */
  TIME: 'TIME',
  /** When `ackCount` records are waiting to be committed. */
  COUNT: 'COUNT',
  /** Whichever of the two comes first. */
  COUNT_TIME: 'COUNT_TIME',
  /** What the listener has acknowledged, after the records of the poll. */
  MANUAL: 'MANUAL',
  /** What the listener acknowledges, at once. */
  MANUAL_IMMEDIATE: 'MANUAL_IMMEDIATE',
} as const;

/** One of the seven rules. */
export type AckMode = (typeof AckMode)[keyof typeof AckMode];

/** How a commit is sent. */
export const CommitStyle = {
  /** The loop waits for the broker's answer. Retriable failures are tried again `commitRetries` times. The default. */
  SYNC: 'sync',
  /** The loop goes on; the answer comes to `commitCallback`. A failed commit is not repeated: the next one covers it. */
  ASYNC: 'async',
  /** `async` while running, and `sync` when partitions are revoked and when the container stops. */
  COMBINED: 'combined',
} as const;

/** One of the three ways. */
export type CommitStyle = (typeof CommitStyle)[keyof typeof CommitStyle];
