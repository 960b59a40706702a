/**
 * Options of a listener about the flow of records: out-of-order completion, parallelism, idleness, restarts, callbacks.
 *
 * Part of ListenerOptions, so that each can be a default of the module. Resolved here, defaults applied.
 */
import type { OffsetCommit } from '../drivers/driver.js';
import { type BackOff, ExponentialBackOff, FixedBackOff } from '../error-handling/back-off.js';
import type { StopReason } from '../events/container-event.js';
import type { OptionChecks } from '../option-check.js';
import type { ContainerRebalanceListener } from './container-rebalance-listener.js';
import type { KafkaSeekAware } from './seek-aware.js';

/** When a container that ended by an error is started again by itself. */
export interface RestartPolicy {
  /** After which ends. Default `['ERROR']`: what credentials, configuration or a missing offset caused does not get better. */
  readonly reasons?: readonly StopReason[];
  /** Delays; undefined from it ends the attempts. Default: from 1 s, doubling, up to 30 s, without end. */
  readonly backOff?: BackOff;
}

/** Options about the flow of records. Times in milliseconds. */
export interface FlowOptions {
  /**
   * Records may be acknowledged in any order, and offsets are committed up to the first that is not. Manual modes only.
   * Default false: acknowledging a record covers the earlier ones of its partition.
   */
  asyncAcks?: boolean;
  /**
   * So many records at once in each consumer; those with equal keys of a partition one after the other, those without a key
   * in any order. Commits never pass a record that is not finished. Default 1: one after the other. Record listeners only.
   */
  keyConcurrency?: number;
  /** With `asyncAcks` or `keyConcurrency`: records of a partition that may be unfinished; then it is paused. Default 1000. */
  maxUnfinished?: number;
  /**
   * A listener that is busy with a poll for longer than this: everything is paused, and polls go on, so that the group keeps
   * this member. Default: a third of `maxPollIntervalMs`.
   */
  keepAliveAfterMs?: number;
  /** Text stored beside each offset that is committed. */
  commitMetadata?: (offset: OffsetCommit) => string | undefined;
  /** An `idle` event whenever nothing has come for so long. Default: none. */
  idleEventIntervalMs?: number;
  /** The same for each partition: `partition-idle`. Default: none. */
  idlePartitionEventIntervalMs?: number;
  /** Until the first record has come, both intervals are so many times as long. Default 5. */
  idleBeforeDataMultiplier?: number;
  /** How often it is checked that the loop still polls. Default 30000. */
  monitorIntervalMs?: number;
  /** Without a poll for so many times `pollTimeoutMs` there is a `non-responsive` event. Default 3. */
  noPollThreshold?: number;
  /** Refused credentials or rights: try again after so long. Default: the container stops. */
  authExceptionRetryIntervalMs?: number;
  /** Whether a container that ended by an error starts again by itself; false: never. Default: after an unexpected error. */
  restart?: RestartPolicy | false;
  /** Hears when partitions come and go. */
  rebalanceListener?: ContainerRebalanceListener;
  /** Moves positions when partitions come, or when nothing does. Default: the class of the method, if it has such methods. */
  seekAware?: KafkaSeekAware;
}

/** The same, resolved. */
export interface FlowSettings {
  readonly asyncAcks: boolean;
  readonly keyConcurrency: number;
  readonly maxUnfinished: number;
  readonly keepAliveAfterMs: number;
  readonly commitMetadata: ((offset: OffsetCommit) => string | undefined) | undefined;
  readonly idleEventIntervalMs: number | undefined;
  readonly idlePartitionEventIntervalMs: number | undefined;
  readonly idleBeforeDataMultiplier: number;
  readonly monitorIntervalMs: number;
  readonly noPollThreshold: number;
  /** By reason of the end, how long to wait before which start; absent: stay stopped. */
  readonly restarts: ReadonlyMap<StopReason, BackOff>;
  readonly rebalanceListener: ContainerRebalanceListener | undefined;
  readonly seekAware: KafkaSeekAware | undefined;
}

const positive = { kind: 'number', min: 1 } as const;

/** How each of these options is checked. */
export const FLOW_CHECKS: OptionChecks & Record<keyof FlowOptions, OptionChecks[string]> = {
  asyncAcks: { kind: 'boolean' },
  keyConcurrency: positive,
  maxUnfinished: positive,
  keepAliveAfterMs: positive,
  commitMetadata: { kind: 'function' },
  idleEventIntervalMs: positive,
  idlePartitionEventIntervalMs: positive,
  idleBeforeDataMultiplier: positive,
  monitorIntervalMs: positive,
  noPollThreshold: positive,
  authExceptionRetryIntervalMs: positive,
  restart: { kind: 'any' },
  rebalanceListener: { kind: 'object' },
  seekAware: { kind: 'object' },
};

/** Kafka's default of `max.poll.interval.ms`. */
const MAX_POLL_INTERVAL_MS = 300_000;

/** These options with their defaults. */
export function flowSettings(options: FlowOptions, maxPollIntervalMs: number = MAX_POLL_INTERVAL_MS): FlowSettings {
  return {
    asyncAcks: options.asyncAcks ?? false,
    keyConcurrency: options.keyConcurrency ?? 1,
    maxUnfinished: options.maxUnfinished ?? 1000,
    keepAliveAfterMs: options.keepAliveAfterMs ?? Math.max(1, Math.floor(maxPollIntervalMs / 3)),
    commitMetadata: options.commitMetadata,
    idleEventIntervalMs: options.idleEventIntervalMs,
    idlePartitionEventIntervalMs: options.idlePartitionEventIntervalMs,
    idleBeforeDataMultiplier: options.idleBeforeDataMultiplier ?? 5,
    monitorIntervalMs: options.monitorIntervalMs ?? 30_000,
    noPollThreshold: options.noPollThreshold ?? 3,
    restarts: restartsOf(options),
    rebalanceListener: options.rebalanceListener,
    seekAware: options.seekAware,
  };
}

/** What contradicts what, as sentences; `label` puts a name into words. */
export function checkFlow(
  options: FlowOptions & { readonly batch?: boolean | undefined },
  label: (name: string) => string,
): string[] {
  const problems: string[] = [];
  const { restart, keyConcurrency = 1, batch } = options;
  if (restart !== undefined && restart !== false && (typeof restart !== 'object' || restart === null)) {
    problems.push(`${label('restart')} must be false or { reasons, backOff }`);
  }
  if (keyConcurrency > 1 && batch === true) {
    problems.push(`${label('keyConcurrency')} is for record listeners: a batch is one call`);
  }
  return problems;
}

function restartsOf({ restart = {}, authExceptionRetryIntervalMs }: FlowOptions): ReadonlyMap<StopReason, BackOff> {
  const restarts = new Map<StopReason, BackOff>();
  if (restart !== false) {
    const backOff = restart.backOff ?? new ExponentialBackOff({ initialIntervalMs: 1000, multiplier: 2 });
    for (const reason of restart.reasons ?? ['ERROR' as const]) restarts.set(reason, backOff);
  }
  if (authExceptionRetryIntervalMs !== undefined) {
    restarts.set('AUTH', new FixedBackOff(authExceptionRetryIntervalMs));
  }
  return restarts;
}
