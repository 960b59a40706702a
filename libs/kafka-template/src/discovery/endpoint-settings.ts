/**
 * From a decorated method and the module's defaults to the settings of its container, or to a list of what is wrong.
 *
 * The nearest choice wins: decorator, then module, then the default of the documentation. What is contradictory only when
 * all of them are seen together is found here.
 */
import { AckMode, CommitStyle } from '../commit/ack-mode.js';
import { policyFactory } from '../commit/commit-policy.js';
import { strategyFactory } from '../commit/create-strategy.js';
import type { ConsumerProperties } from '../drivers/driver-options.js';
import type { DeadLetterSender } from '../error-handling/dead-letter.recoverer.js';
import type { ErrorHandler } from '../error-handling/error-handler.js';
import { KafkaOptionsError } from '../errors.js';
import { flowSettings } from '../listener/flow-options.js';
import type { ContainerSettings, Source } from '../listener/container-settings.js';
import { type KafkaListenerOptions, type ListenerOptions, checkListenerOptions } from '../listener/listener-options.js';
import type { MessageListener } from '../listener/message-listener.js';
import {
  type TransactionRunner,
  transactionStrategy,
  transactionalListener,
} from '../listener/transactional-listener.js';
import { type SerializerOptions, recordSerdes } from '../serde/record-serdes.js';
import type { ListenerEndpoint } from './listener.endpoint.js';

/** What applies to listeners that do not say otherwise. */
export interface EndpointDefaults {
  readonly listener: ListenerOptions;
  readonly consumer: ConsumerProperties;
  readonly serializers: SerializerOptions | undefined;
  /** Makes the error handler of a listener that has none. */
  readonly createErrorHandler: () => ErrorHandler;
  /** The template, when it has transactions. */
  readonly transactions?: TransactionRunner | undefined;
  /** The template, for error handlers that send. */
  readonly sender: DeadLetterSender;
}

/** What is settled before the listener function exists. */
export type EndpointSettings = Omit<ContainerSettings, 'listener'> & { readonly batch: boolean };

/** The settings of an endpoint. Throws KafkaOptionsError with every problem. */
export function endpointSettings(endpoint: ListenerEndpoint, defaults: EndpointDefaults): EndpointSettings {
  const { options, name } = endpoint;
  const problems = endpointProblems(endpoint);
  if (problems.length > 0) throw new KafkaOptionsError(`@KafkaListener on ${name}`, problems);
  const merged: ListenerOptions = { ...defaults.listener, ...withoutUndefined(options) };
  merged.ackMode = ruleOf(options) ?? ruleOf(defaults.listener);
  const id = options.id ?? defaultId(endpoint);
  const groupId = groupOf(options, id, defaults.consumer);
  const source = sourceOf(options, groupId);
  const consumer = consumerOf(options, defaults);
  problems.push(...contradictions(endpoint, { merged, groupId, source, consumer }));
  if (merged.transactional === true) {
    problems.push(...transactionProblems(endpoint, { merged, groupId, source, consumer }, defaults));
  }
  if (problems.length > 0) throw new KafkaOptionsError(`@KafkaListener on ${name}`, problems);
  const { ackMode = AckMode.BATCH, ackCount = 1, ackTimeMs = 5000 } = merged;
  return {
    id,
    source,
    info: options.info,
    groupId,
    batch: merged.batch ?? false,
    concurrency: merged.concurrency ?? 1,
    consumer: { ...consumer, clientId: options.clientIdPrefix ?? consumer.clientId ?? id },
    serdes: recordSerdes(options.serializers, defaults.serializers),
    transactions: merged.transactional === true ? defaults.transactions : undefined,
    strategy:
      merged.transactional === true
        ? () => transactionStrategy
        : typeof ackMode === 'function'
          ? ackMode
          : strategyFactory(ackMode, { ackCount, ackTimeMs }),
    commitStyle: styleOf(options) ?? styleOf(defaults.listener) ?? CommitStyle.SYNC,
    commitRetries: merged.commitRetries ?? 3,
    commitCallback: merged.commitCallback,
    assignmentCommit: merged.assignmentCommit ?? 'latest-only',
    pollTimeoutMs: merged.pollTimeoutMs ?? 5000,
    pollTimeoutWhilePausedMs: merged.pollTimeoutWhilePausedMs ?? 100,
    idleBetweenPollsMs: merged.idleBetweenPollsMs ?? 0,
    shutdownTimeoutMs: merged.shutdownTimeoutMs ?? 10_000,
    stopImmediate: merged.stopImmediate ?? false,
    autoStartup: merged.autoStartup ?? true,
    missingTopicsFatal: merged.missingTopicsFatal ?? false,
    topicCheckTimeoutMs: merged.topicCheckTimeoutMs ?? 30_000,
    errorHandler: errorHandlerOf(merged.errorHandler, defaults),
    ...flowSettings(merged, consumer.maxPollIntervalMs),
  };
}

/** What is wrong with a listener, whatever the options of the module. */
export function endpointProblems({ options, plan }: ListenerEndpoint): string[] {
  return [...plan.problems, ...checkListenerOptions(options)];
}

/** Settings of a container, once there is something to call. */
export function containerSettings(settings: EndpointSettings, listener: MessageListener): ContainerSettings {
  const { batch: _batch, ...rest } = settings;
  const { transactions } = settings;
  return { ...rest, listener: transactions === undefined ? listener : transactionalListener(listener, transactions) };
}

/** The commit rule that is chosen in one place: an ack mode, a policy, a strategy of one's own. */
function ruleOf({ commit, ackMode }: ListenerOptions): ListenerOptions['ackMode'] {
  return commit === undefined ? ackMode : policyFactory(commit);
}

/** Whether a rule makes the listener say what is done. A rule of one's own is asked. */
export function isManual(ackMode: ListenerOptions['ackMode']): boolean {
  if (typeof ackMode === 'function') return ackMode(0).manual;
  return ackMode === AckMode.MANUAL || ackMode === AckMode.MANUAL_IMMEDIATE;
}

function errorHandlerOf(choice: ListenerOptions['errorHandler'], defaults: EndpointDefaults): ErrorHandler {
  if (choice === undefined) return defaults.createErrorHandler();
  return typeof choice === 'function' ? choice(defaults.sender) : choice;
}

function defaultId({ name, index }: ListenerEndpoint): string {
  return `${name.replace('#', '.')}${index === 0 ? '' : `.${index}`}`;
}

function groupOf(options: KafkaListenerOptions, id: string, consumer: ConsumerProperties): string | undefined {
  if (options.groupId === null) return undefined;
  if (options.groupId !== undefined) return options.groupId;
  if (options.id !== undefined && options.idIsGroup !== false) return id;
  return consumer.groupId;
}

function sourceOf(options: KafkaListenerOptions, groupId: string | undefined): Source {
  if (options.topicPartitions !== undefined) return { kind: 'partitions', partitions: options.topicPartitions };
  const { topicPattern } = options;
  if (topicPattern !== undefined) {
    return { kind: 'pattern', pattern: typeof topicPattern === 'string' ? new RegExp(topicPattern) : topicPattern };
  }
  const chosen = typeof options.topics === 'function' ? options.topics() : (options.topics ?? []);
  const topics = typeof chosen === 'string' ? [chosen] : chosen;
  // Without a group nobody can share partitions out: the listener reads all of them itself.
  return options.groupId === null && groupId === undefined
    ? { kind: 'partitions', partitions: topics.map((topic) => ({ topic, partitions: '*' })) }
    : { kind: 'topics', topics };
}

/** An ack mode given to the listener itself beats the module's `enableAutoCommit`. */
function consumerOf(options: KafkaListenerOptions, defaults: EndpointDefaults): ConsumerProperties {
  const consumer = { ...defaults.consumer, ...options.properties };
  if (ruleOf(options) === undefined || options.properties?.enableAutoCommit !== undefined) return consumer;
  return { ...consumer, enableAutoCommit: false };
}

interface Seen {
  readonly merged: ListenerOptions;
  readonly groupId: string | undefined;
  readonly source: Source;
  readonly consumer: ConsumerProperties;
}

function contradictions({ options, plan }: ListenerEndpoint, { merged, groupId, source, consumer }: Seen): string[] {
  const problems: string[] = [];
  if (groupId === undefined && source.kind !== 'partitions') {
    problems.push(
      'there is no group: set groupId here or consumer.groupId in KafkaModule; ' +
        (source.kind === 'pattern' ? 'a topicPattern needs one' : 'groupId: null reads everything without a group'),
    );
  }
  if (source.kind === 'topics' && source.topics.length === 0) problems.push('topics is empty');
  if (merged.batch === true && merged.ackMode === AckMode.RECORD) {
    problems.push('ackMode RECORD makes no sense for a batch listener: use BATCH');
  }
  if (merged.asyncAcks === true && !isManual(merged.ackMode)) {
    problems.push('asyncAcks is about acknowledgements: use ackMode MANUAL or MANUAL_IMMEDIATE, or commit.manual');
  }
  if (consumer.enableAutoCommit === true && ((merged.keyConcurrency ?? 1) > 1 || merged.asyncAcks === true)) {
    problems.push('with enableAutoCommit the client commits what is not finished: no keyConcurrency or asyncAcks then');
  }
  if (consumer.enableAutoCommit === true && ruleOf(options) !== undefined) {
    problems.push(
      'ackMode and properties.enableAutoCommit contradict each other: the client commits, or the container',
    );
  }
  if (plan.wantsAcknowledgment && merged.transactional !== true)
    problems.push(...acknowledgmentProblems(merged, groupId, consumer));
  return problems;
}

function transactionProblems(
  { options, plan }: ListenerEndpoint,
  { merged, groupId, consumer }: Seen,
  { transactions }: EndpointDefaults,
): string[] {
  const problems: string[] = [];
  const note = (isWrong: boolean, problem: string) => void (isWrong && problems.push(`transactional: ${problem}`));
  note(transactions === undefined, 'the template has no transactions: set template.transactionIdPrefix in KafkaModule');
  note(groupId === undefined, 'without a group there are no offsets to commit');
  note(consumer.enableAutoCommit === true, 'offsets are committed with the transaction, not by enableAutoCommit');
  note(ruleOf(options) !== undefined, 'offsets are committed with the transaction: take ackMode or commit away');
  note(plan.wantsAcknowledgment, 'offsets are committed with the transaction: take the Acknowledgment away');
  note((merged.keyConcurrency ?? 1) > 1 || merged.asyncAcks === true, 'not together with keyConcurrency or asyncAcks');
  return problems;
}

function acknowledgmentProblems(
  merged: ListenerOptions,
  groupId: string | undefined,
  consumer: ConsumerProperties,
): string[] {
  const cure = 'use ackMode: AckMode.MANUAL or AckMode.MANUAL_IMMEDIATE, or take the parameter away';
  if (groupId === undefined) return ['it takes an Acknowledgment, but without a group nothing can be committed'];
  if (consumer.enableAutoCommit === true) {
    return [`it takes an Acknowledgment, but enableAutoCommit lets the client commit: ${cure}`];
  }
  if (isManual(merged.ackMode)) return [];
  if (typeof merged.ackMode === 'function') {
    return ['it takes an Acknowledgment, but its commit rule is not a manual one: add manual: true to commit'];
  }
  return [`it takes an Acknowledgment, but its ackMode is ${merged.ackMode ?? AckMode.BATCH}: ${cure}`];
}

function styleOf({ commitStyle, syncCommits }: ListenerOptions): CommitStyle | undefined {
  if (commitStyle !== undefined) return commitStyle;
  if (syncCommits === undefined) return undefined;
  return syncCommits ? CommitStyle.SYNC : CommitStyle.ASYNC;
}

function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
