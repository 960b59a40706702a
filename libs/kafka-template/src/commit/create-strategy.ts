/**
 * From the name of a commit rule to a strategy object: the only place that knows both.
 */
import { AckMode } from './ack-mode.js';
import { BatchStrategy } from './batch.js';
import type { CommitStrategy } from './commit-strategy.js';
import { CountTimeStrategy } from './count-time.js';
import { CountStrategy } from './count.js';
import { ManualImmediateStrategy } from './manual-immediate.js';
import { ManualStrategy } from './manual.js';
import { RecordStrategy } from './record.js';
import { TimeStrategy } from './time.js';

/** Makes a fresh strategy for each container and each start. `startedAt` is epoch milliseconds. */
export type CommitStrategyFactory = (startedAt: number) => CommitStrategy;

/** The limits some rules need. */
export interface AckLimits {
  /** Records of COUNT and COUNT_TIME. */
  readonly ackCount: number;
  /** Interval of TIME and COUNT_TIME. */
  readonly ackTimeMs: number;
}

/** The factory for a rule. */
export function strategyFactory(mode: AckMode, limits: AckLimits): CommitStrategyFactory {
  switch (mode) {
    case AckMode.RECORD:
      return () => new RecordStrategy();
    case AckMode.BATCH:
      return () => new BatchStrategy();
    case AckMode.TIME:
      return (startedAt) => new TimeStrategy(limits.ackTimeMs, startedAt);
    case AckMode.COUNT:
      return () => new CountStrategy(limits.ackCount);
    case AckMode.COUNT_TIME:
      return (startedAt) => new CountTimeStrategy(limits, startedAt);
    case AckMode.MANUAL:
      return () => new ManualStrategy();
    case AckMode.MANUAL_IMMEDIATE:
      return () => new ManualImmediateStrategy();
  }
}
