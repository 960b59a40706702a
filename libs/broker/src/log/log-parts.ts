/**
 * What a log is made of: what loading it finds on the disk, and what it begins with.
 */
import type { LeaderEpochs } from './leader-epochs.js';
import type { TopicConfig } from './log-config.js';
import type { ProducerState } from './producer-state.js';
import type { Segments } from './segments.js';

/** A log as `loadLog` found it on disk. */
export interface LogParts {
  readonly directory: string;
  /** `topic-partition`, for people. */
  readonly name: string;
  readonly config: TopicConfig;
  readonly segments: Segments;
  readonly producers: ProducerState;
  readonly epochs: LeaderEpochs;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly recoveryPoint: number;
  /** The files are as a clean stop left them: as long as nothing is appended there is nothing to write at the next one. */
  readonly isComplete: boolean;
}
