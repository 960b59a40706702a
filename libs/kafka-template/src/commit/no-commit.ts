/**
 * No commits by the container: the client commits by itself (`enableAutoCommit`), or there is no group to commit for.
 */
import type { CommitStrategy } from './commit-strategy.js';

/** Never hands out an offset. */
export const noCommitStrategy: CommitStrategy = {
  manual: false,
  onProcessed: () => undefined,
  onBatchProcessed: () => undefined,
  onPollDone: () => undefined,
  onAcknowledged: () => undefined,
  onFailed: () => undefined,
  onRevoked: () => undefined,
  onSeek: () => undefined,
};
