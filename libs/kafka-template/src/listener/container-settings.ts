/**
 * Everything a container has to know, resolved: no defaults are left to apply, no names to look up.
 */
import type { CommitStyle } from '../commit/ack-mode.js';
import type { CommitStrategyFactory } from '../commit/create-strategy.js';
import type { ConsumerProperties } from '../drivers/driver-options.js';
import type { OffsetCommit } from '../drivers/driver.js';
import type { ErrorHandler } from '../error-handling/error-handler.js';
import type { RecordSerdes } from '../serde/record-serdes.js';
import type { FlowSettings } from './flow-options.js';
import type { TopicPartitionsOption } from './manual-assignment.js';
import type { MessageListener } from './message-listener.js';
import type { TransactionRunner } from './transactional-listener.js';

/** Hears the outcome of every commit of a container, whatever its style: null and the offsets, or the error. */
export type CommitCallback = (error: Error | null, offsets: readonly OffsetCommit[]) => void;

/** What a container reads: topics of its group's choice of partitions, or partitions named one by one. */
export type Source =
  | { readonly kind: 'topics'; readonly topics: readonly string[] }
  | { readonly kind: 'pattern'; readonly pattern: RegExp }
  | { readonly kind: 'partitions'; readonly partitions: readonly TopicPartitionsOption[] };

/** Whether the position is committed when a partition is assigned that has no committed offset. */
export type AssignmentCommit = 'latest-only' | 'always' | 'never';

/** Settings of one listener's container. Times in milliseconds. */
export interface ContainerSettings extends FlowSettings {
  /** Name in the registry, in messages and in events. */
  readonly id: string;
  /** What is read. */
  readonly source: Source;
  /** Text about the listener, for its parameters. */
  readonly info?: string | undefined;
  /** Undefined: no group, nothing is committed. */
  readonly groupId: string | undefined;
  /** What is called. */
  readonly listener: MessageListener;
  /** Number of consumers. */
  readonly concurrency: number;
  /** Options of the consumers. */
  readonly consumer: ConsumerProperties;
  /** How keys and values are read. */
  readonly serdes: RecordSerdes;
  /** Makes the commit rule of one run. */
  readonly strategy: CommitStrategyFactory;
  /** Runs each call in a transaction, with its offsets; undefined: no transactions. */
  readonly transactions?: TransactionRunner | undefined;
  /** As in ListenerOptions. */
  readonly commitStyle: CommitStyle;
  /** As in ListenerOptions. */
  readonly commitRetries: number;
  /** As in ListenerOptions. */
  readonly commitCallback: CommitCallback | undefined;
  /** As in ListenerOptions. */
  readonly assignmentCommit: AssignmentCommit;
  /** As in ListenerOptions. */
  readonly pollTimeoutMs: number;
  /** As in ListenerOptions. */
  readonly pollTimeoutWhilePausedMs: number;
  /** As in ListenerOptions. */
  readonly idleBetweenPollsMs: number;
  /** As in ListenerOptions. */
  readonly shutdownTimeoutMs: number;
  /** As in ListenerOptions. */
  readonly stopImmediate: boolean;
  /** As in ListenerOptions. */
  readonly autoStartup: boolean;
  /** As in ListenerOptions. */
  readonly missingTopicsFatal: boolean;
  /** As in ListenerOptions. */
  readonly topicCheckTimeoutMs: number;
  /** As in ListenerOptions. */
  readonly errorHandler: ErrorHandler;
}
