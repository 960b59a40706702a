/**
 * What all parts of one consumer share.
 *
 * Guarantees that a part can be tested alone: the cluster is named by the few calls a consumer makes, everything else is
 * a value.
 */
import type { ClientIo } from '../io/io.js';
import { backoffMs } from '../network/backoff.js';
import type { Cluster } from '../network/cluster.js';
import type { ConsumerCounters } from './consumer-metrics.js';
import type { ResolvedConsumerOptions } from './consumer-options.js';
import type { Signal } from './signal.js';
import type { Subscriptions } from './subscriptions.js';

/** The part of the cluster a consumer uses. */
export type ConsumerCluster = Pick<
  Cluster,
  'send' | 'request' | 'coordinator' | 'invalidateCoordinator' | 'metadata' | 'close'
>;

/** Handed to every part of a consumer. */
export interface ConsumerContext {
  readonly options: ResolvedConsumerOptions;
  readonly cluster: ConsumerCluster;
  readonly io: ClientIo;
  readonly subscriptions: Subscriptions;
  readonly counters: ConsumerCounters;
  /** Raised whenever `poll` should look again. */
  readonly signal: Signal;
}

/** What the pause between tries depends on. */
export interface RetryContext {
  readonly options: Pick<ResolvedConsumerOptions, 'retryBackoffMs' | 'retryBackoffMaxMs'>;
  readonly io: ClientIo;
}

/** The pause before trying again after `failures` failures in a row, in milliseconds. */
export function retryPauseMs(context: RetryContext, failures: number): number {
  const { retryBackoffMs, retryBackoffMaxMs } = context.options;
  return backoffMs({ initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs }, failures, context.io.random);
}
