/**
 * What can be set for listeners: the defaults of all of them in the module, and each one's own in @KafkaListener.
 *
 * The shared part is one type, so that whatever has a default can be overridden. One table checks both.
 */
import { AckMode, CommitStyle } from '../commit/ack-mode.js';
import { type CommitPolicy, checkCommitPolicy } from '../commit/commit-policy.js';
import type { CommitStrategyFactory } from '../commit/create-strategy.js';
import { CONSUMER_CHECKS, type ConsumerProperties } from '../drivers/driver-options.js';
import type { DeadLetterSender } from '../error-handling/dead-letter.recoverer.js';
import type { ErrorHandler } from '../error-handling/error-handler.js';
import { type OptionChecks, checkOptions } from '../option-check.js';
import type { SerializerOptions } from '../serde/record-serdes.js';
import type { AssignmentCommit, CommitCallback } from './container-settings.js';
import { FLOW_CHECKS, type FlowOptions, checkFlow } from './flow-options.js';
import { HANDLING_CHECKS, type HandlingOptions } from './handling-options.js';
import { type TopicPartitionsOption, parsePartitions } from './manual-assignment.js';

/** Makes the error handler of a listener. `kafka` is the application's KafkaTemplate. */
export type ErrorHandlerFactory = (kafka: DeadLetterSender) => ErrorHandler;

/** Settings of listeners, in the module or in one @KafkaListener. Times in milliseconds. */
export interface ListenerOptions extends FlowOptions, HandlingOptions {
  /** When offsets are committed: a rule by name, or one's own. Default BATCH. */
  ackMode?: AckMode | CommitStrategyFactory;
  /**
   * When offsets are committed, composed: `{ every: { records: 500, ms: 1000 }, onIdle: true }`. Instead of `ackMode`.
   */
  commit?: CommitPolicy;
  /**
   * Each call of the listener is a transaction of the template: what it sends, and the offsets of its records, are committed together,
   * or not at all. Needs `template.transactionIdPrefix`; the ack mode is then of no account. Default false.
   */
  transactional?: boolean;
  /** How a commit is sent: `sync`, `async` or `combined`. Default `sync`. */
  commitStyle?: CommitStyle;
  /** Spring's name for the choice between `sync` (true) and `async` (false). Not together with `commitStyle`. */
  syncCommits?: boolean;
  /** How often a retriable failure of a synchronous commit is tried again. Default 3. */
  commitRetries?: number;
  /** Hears the outcome of every commit. */
  commitCallback?: CommitCallback;
  /** Number of consumers. Default 1. More than there are partitions: the surplus ones idle. */
  concurrency?: number;
  /** How long a poll waits for records. Default 5000. */
  pollTimeoutMs?: number;
  /** The same while the container is paused, to stay a member of the group. Default 100. */
  pollTimeoutWhilePausedMs?: number;
  /** Pause between two polls. Default 0. */
  idleBetweenPollsMs?: number;
  /** Records of COUNT and COUNT_TIME. Default 1. */
  ackCount?: number;
  /** Interval of TIME and COUNT_TIME. Default 5000. */
  ackTimeMs?: number;
  /** How long a stop waits for a busy listener. Default 10000. */
  shutdownTimeoutMs?: number;
  /** On a stop, finish only the record in hand and not the whole poll. Default false. */
  stopImmediate?: boolean;
  /** Refuse to start when a topic is missing. Default false: a warning. */
  missingTopicsFatal?: boolean;
  /** How long that check may take. Default 30000. */
  topicCheckTimeoutMs?: number;
  /** Start with the application. Default true. */
  autoStartup?: boolean;
  /** Call the listener once per poll with all its records. Default false. */
  batch?: boolean;
  /** Commit the position of a partition that has no committed offset, when it is assigned. Default `latest-only`. */
  assignmentCommit?: AssignmentCommit;
  /**
   * What becomes of records that fail: a handler, or a function that makes one per listener and is given the template.
   * Default: a DefaultErrorHandler.
   */
  errorHandler?: ErrorHandler | ErrorHandlerFactory;
}

/** Settings of one @KafkaListener. Exactly one of `topics`, `topicPattern` and `topicPartitions`. */
export interface KafkaListenerOptions extends ListenerOptions {
  /** Name in the registry, and the group unless `groupId` says otherwise. Default: class, method and a number. */
  id?: string;
  /** Topics to read; a function is called when the application starts. */
  topics?: string | readonly string[] | (() => string | readonly string[]);
  /** Topics to read by name; new ones are found when metadata is asked for again. A string is a regular expression. */
  topicPattern?: RegExp | string;
  /** Partitions to read, without group management. */
  topicPartitions?: readonly TopicPartitionsOption[];
  /** The group; null: none, every application reads everything and nothing is committed. */
  groupId?: string | null;
  /** Whether `id` is the group when `groupId` is absent. Default true. */
  idIsGroup?: boolean;
  /** Text about the listener: parameters with `@KafkaHeader(KafkaHeaders.LISTENER_INFO)` receive it. */
  info?: string;
  /** Client id of its consumers, before `-` and a number. Default: the id. */
  clientIdPrefix?: string;
  /** Options of its consumers that differ from the module's. */
  properties?: ConsumerProperties;
  /** How its keys and values are read. */
  serializers?: SerializerOptions;
  /** Name of the cluster to read from: the `name` of a KafkaModule.forRoot. Default: the one without a name. */
  cluster?: string;
}

const positive = { kind: 'number', min: 1 } as const;
const notNegative = { kind: 'number', min: 0 } as const;
const flag = { kind: 'boolean' } as const;

const LISTENER_CHECKS: OptionChecks & Record<keyof ListenerOptions, OptionChecks[string]> = {
  ...FLOW_CHECKS,
  ...HANDLING_CHECKS,
  ackMode: { kind: 'any' },
  commit: { kind: 'any' },
  transactional: flag,
  commitStyle: { kind: 'one-of', values: Object.values(CommitStyle) },
  syncCommits: flag,
  commitRetries: notNegative,
  commitCallback: { kind: 'function' },
  concurrency: positive,
  pollTimeoutMs: positive,
  pollTimeoutWhilePausedMs: positive,
  idleBetweenPollsMs: notNegative,
  ackCount: positive,
  ackTimeMs: notNegative,
  shutdownTimeoutMs: notNegative,
  stopImmediate: flag,
  missingTopicsFatal: flag,
  topicCheckTimeoutMs: positive,
  autoStartup: flag,
  batch: flag,
  assignmentCommit: { kind: 'one-of', values: ['latest-only', 'always', 'never'] },
  errorHandler: { kind: 'any' },
};

const KAFKA_LISTENER_CHECKS: OptionChecks = {
  ...LISTENER_CHECKS,
  id: { kind: 'string' },
  topics: { kind: 'any' },
  topicPattern: { kind: 'any' },
  topicPartitions: { kind: 'object' },
  groupId: { kind: 'any' },
  idIsGroup: flag,
  info: { kind: 'string' },
  clientIdPrefix: { kind: 'string' },
  properties: { kind: 'object' },
  serializers: { kind: 'object' },
  cluster: { kind: 'string' },
};

/** Everything wrong with the listener defaults of the module. */
export function checkListenerDefaults(options: ListenerOptions | undefined): string[] {
  return [...checkOptions('listener', options, LISTENER_CHECKS), ...checkShared('listener', options ?? {})];
}

/** Everything wrong with the options of one @KafkaListener, except what only shows together with the module's. */
export function checkListenerOptions(options: KafkaListenerOptions): string[] {
  const problems = [
    ...checkOptions('', options, KAFKA_LISTENER_CHECKS),
    ...checkOptions('properties', options.properties, CONSUMER_CHECKS),
    ...checkShared('', options),
    ...checkSource(options),
  ];
  if (options.properties?.groupId !== undefined) problems.push('properties.groupId is ignored: use groupId');
  if (options.groupId !== undefined && options.groupId !== null && !isText(options.groupId)) {
    problems.push('groupId must be a string that is not empty, or null for no group');
  }
  return problems;
}

function checkShared(path: string, options: ListenerOptions): string[] {
  const problems: string[] = [];
  const label = (name: string) => (path === '' ? name : `${path}.${name}`);
  const { ackMode, batch, commitStyle, syncCommits, errorHandler } = options;
  if (ackMode !== undefined && typeof ackMode !== 'function' && !Object.values(AckMode).includes(ackMode)) {
    problems.push(`${label('ackMode')} must be one of AckMode's ${Object.keys(AckMode).join(', ')}, or a function`);
  }
  if (
    errorHandler !== undefined &&
    typeof errorHandler !== 'function' &&
    typeof errorHandler?.handleOne !== 'function'
  ) {
    problems.push(`${label('errorHandler')} must have handleOne and handleBatch, or be a function that makes one`);
  }
  if (ackMode === AckMode.RECORD && batch === true) {
    problems.push(`${label('ackMode')} RECORD makes no sense for a batch listener: use BATCH`);
  }
  if (options.commit !== undefined) {
    problems.push(...checkCommitPolicy(label('commit'), options.commit, batch === true));
    if (ackMode !== undefined) problems.push(`${label('commit')} and ${label('ackMode')} say two things: keep one`);
  }
  problems.push(...checkFlow(options, label));
  if (commitStyle !== undefined && syncCommits !== undefined) {
    problems.push(`${label('commitStyle')} and ${label('syncCommits')} say the same thing twice: keep commitStyle`);
  }
  return problems;
}

function checkSource({ topics, topicPattern, topicPartitions }: KafkaListenerOptions): string[] {
  const count = [topics, topicPattern, topicPartitions].filter((source) => source !== undefined).length;
  if (count !== 1) return ['give exactly one of topics, topicPattern and topicPartitions'];
  const problems: string[] = [];
  if (topics !== undefined && typeof topics !== 'function') {
    const list: readonly unknown[] = Array.isArray(topics) ? topics : [topics];
    if (list.length === 0 || !list.every(isText))
      problems.push('topics must be names, or a function that returns them');
  }
  if (topicPattern !== undefined && !(topicPattern instanceof RegExp) && !isText(topicPattern)) {
    problems.push('topicPattern must be a RegExp or the text of one');
  }
  if (Array.isArray(topicPartitions)) problems.push(...topicPartitions.flatMap(checkTopicPartitions));
  return problems;
}

function checkTopicPartitions(option: TopicPartitionsOption): string[] {
  const problems: string[] = [];
  if (!isText(option.topic)) problems.push('each of topicPartitions needs a topic');
  const named = [option.partitions, ...(option.partitionOffsets ?? []).map((offset) => offset.partition)];
  for (const partitions of named) {
    if (typeof partitions === 'string' && partitions !== '*' && parsePartitions(partitions) === undefined) {
      problems.push(`topicPartitions: '${partitions}' is not a list of partitions such as '0-5,7', nor '*'`);
    }
  }
  if (option.partitions === undefined && (option.partitionOffsets ?? []).length === 0) {
    problems.push(`topicPartitions of ${option.topic} need partitions or partitionOffsets`);
  }
  if (named.slice(1).filter((partition) => partition === '*').length > 1) {
    problems.push(`topicPartitions of ${option.topic}: at most one of partitionOffsets can be for '*'`);
  }
  return problems;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
