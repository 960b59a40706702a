/**
 * Makes a share consumer with a cluster of its own, over real sockets and real time.
 */
import { systemIo } from '../io/io.js';
import { Cluster } from '../network/cluster.js';
import { KafkaShareConsumer } from './kafka-share-consumer.js';
import type { ShareConsumer } from './share-consumer.js';
import { resolveShareConsumerOptions, type ShareConsumerOptions } from './share-consumer-options.js';

/**
 * A member of a share group (KIP-932; Kafka 4.2 and later, or the bundled broker). Connects to nothing before the first
 * `poll`; close it when it is not needed any more, or the process stays alive.
 *
 * @throws KafkaError CONFIG when an option is unknown, missing or contradicts another
 */
export function createShareConsumer(options: ShareConsumerOptions): ShareConsumer {
  const resolved = resolveShareConsumerOptions(options);
  return new KafkaShareConsumer(resolved, new Cluster(resolved, systemIo), systemIo);
}
