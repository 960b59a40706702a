/**
 * Makes a consumer with a cluster of its own, over real sockets and real time unless other ports are given.
 */
import { type ClientIo, systemIo } from '../io/io.js';
import { Cluster } from '../network/cluster.js';
import type { Consumer } from './consumer.js';
import { type ConsumerOptions, resolveConsumerOptions } from './consumer-options.js';
import { KafkaConsumer } from './kafka-consumer.js';

/**
 * A consumer. Connects to nothing before the first call that needs a broker; close it when it is not needed any more,
 * or the process stays alive.
 *
 * @param io clock, network and chance; for tests and simulations
 * @throws KafkaError CONFIG when an option is unknown, missing or contradicts another
 */
export function createConsumer(options: ConsumerOptions, io: ClientIo = systemIo): Consumer {
  const resolved = resolveConsumerOptions(options);
  return new KafkaConsumer(resolved, new Cluster(resolved, io), io);
}
