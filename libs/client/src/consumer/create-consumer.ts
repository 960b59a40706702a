/**
 * Makes a consumer with a cluster of its own, over real sockets and real time.
 */
import { systemIo } from '../io/io.js';
import { Cluster } from '../network/cluster.js';
import type { Consumer } from './consumer.js';
import { type ConsumerOptions, resolveConsumerOptions } from './consumer-options.js';
import { KafkaConsumer } from './kafka-consumer.js';

/**
 * A consumer. Connects to nothing before the first call that needs a broker; close it when it is not needed any more,
 * or the process stays alive.
 *
 * @throws KafkaError CONFIG when an option is unknown, missing or contradicts another
 */
export function createConsumer(options: ConsumerOptions): Consumer {
  const resolved = resolveConsumerOptions(options);
  return new KafkaConsumer(resolved, new Cluster(resolved, systemIo), systemIo);
}
