/**
 * What all parts of one share consumer share. No behaviour.
 */
import type { ConsumerCluster } from '../consumer/consumer-context.js';
import type { Signal } from '../consumer/signal.js';
import type { ClientIo } from '../io/io.js';
import type { ResolvedShareConsumerOptions } from './share-consumer-options.js';

/** See the file comment. */
export interface ShareContext {
  readonly options: ResolvedShareConsumerOptions;
  readonly cluster: ConsumerCluster;
  readonly io: ClientIo;
  /** The topics that are subscribed to. */
  readonly topics: () => readonly string[];
  /** Raised whenever `poll` should look again. */
  readonly signal: Signal;
}
