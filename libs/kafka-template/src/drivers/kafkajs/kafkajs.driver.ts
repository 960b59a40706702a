/**
 * The second driver: kafkajs 2.2 behind the port, for applications that have it already and want to keep it.
 *
 * What kafkajs cannot do is in the capabilities, and a listener that needs it is refused at start. kafkajs is an optional
 * peer, loaded with the first driver that is made.
 */
import { systemClock } from '../../io/clock.js';
import { type Log, silentLog } from '../../io/log.js';
import type { ConsumerProperties, ProducerProperties } from '../driver-options.js';
import type { DriverCapabilities } from '../driver-capabilities.js';
import type { Driver } from '../driver.js';
import { KafkaJsAdmin } from './kafkajs.admin.js';
import { assignerFactories } from './kafkajs.assigners.js';
import { checkConsumerOptions, compressionOf, createKafkaJs } from './kafkajs.config.js';
import { KafkaJsConsumer } from './kafkajs.consumer.js';
import { KafkaJsError } from './kafkajs.error.js';
import { checkKafkaJs, loadKafkaJs } from './kafkajs.module.js';
import { KafkaJsProducer } from './kafkajs.producer.js';
import type { KafkaJsCluster, KafkaJsModule } from './kafkajs.types.js';

/** Options of {@link kafkajsDriver}. */
export interface KafkaJsDriverOptions {
  /** The module, if it is not to be loaded as `kafkajs`: a fork, or one in which codecs have been registered. */
  readonly kafkajs?: unknown;
  /** Where kafkajs' messages go: `nestLog('KafkaClient')`. Default: nowhere; errors reach callbacks and containers anyway. */
  readonly log?: Log;
}

/** What kafkajs 2.2 can do with the guards of this driver. */
export const KAFKAJS_CAPABILITIES: DriverCapabilities = {
  assign: false,
  awaitedRevoke: true,
  lostCallback: true,
  resetNone: true,
  cooperativeRebalance: false,
  staticMembership: false,
  patternRefresh: false,
  orderedHeaders: false,
  nullHeaders: false,
  checkedCrcs: false,
  pipelinedIdempotence: false,
  allCodecs: false,
  transactions: false,
  customSasl: false,
};

/** A driver on kafkajs. Throws CONFIG, saying what to install, when kafkajs is not there. */
export function kafkajsDriver(options: KafkaJsDriverOptions = {}): Driver {
  const module = options.kafkajs === undefined ? loadKafkaJs() : checkKafkaJs(options.kafkajs);
  const log = options.log ?? silentLog;
  return {
    name: 'kafkajs',
    capabilities: KAFKAJS_CAPABILITIES,
    createProducer: (properties) => createProducer(module, properties, log),
    createConsumer: (properties) => createConsumer(module, properties, log),
    createAdmin: (properties) => new KafkaJsAdmin(createKafkaJs(module, properties, log).admin()),
  };
}

function createProducer(module: KafkaJsModule, options: ProducerProperties, log: Log): KafkaJsProducer {
  const kafka = createKafkaJs(module, options, log);
  return new KafkaJsProducer({
    options,
    compression: compressionOf(module, options),
    createClient: (settings) =>
      kafka.producer({
        ...settings,
        allowAutoTopicCreation: true,
        metadataMaxAge: options.metadataMaxAgeMs ?? 300_000,
        maxInFlightRequests: options.maxInFlightRequestsPerConnection ?? 5,
      }),
    admin: new KafkaJsAdmin(kafka.admin()),
    clock: systemClock,
    log,
  });
}

function createConsumer(module: KafkaJsModule, properties: ConsumerProperties, log: Log): KafkaJsConsumer {
  checkConsumerOptions(properties);
  const options = { ...properties, groupId: properties.groupId ?? '' };
  let cluster: KafkaJsCluster | undefined;
  const strategies = options.partitionAssignmentStrategy ?? ['range'];
  const { heartbeatIntervalMs = 3000, fetchMaxWaitMs = 500 } = options;
  const client = createKafkaJs(module, options, log).consumer({
    groupId: options.groupId,
    partitionAssigners: assignerFactories(module.AssignerProtocol, strategies, (found) => (cluster = found)),
    sessionTimeout: options.sessionTimeoutMs ?? 45_000,
    rebalanceTimeout: options.maxPollIntervalMs ?? 300_000,
    heartbeatInterval: heartbeatIntervalMs,
    maxBytesPerPartition: options.maxPartitionFetchBytes ?? 1_048_576,
    minBytes: options.fetchMinBytes ?? 1,
    maxBytes: options.fetchMaxBytes ?? 52_428_800,
    // kafkajs sends its heartbeats between fetches.
    maxWaitTimeInMs: Math.min(fetchMaxWaitMs, heartbeatIntervalMs),
    readUncommitted: options.isolationLevel !== 'read_committed',
    allowAutoTopicCreation: options.allowAutoCreateTopics ?? true,
    metadataMaxAge: options.metadataMaxAgeMs ?? 300_000,
  });
  if (cluster === undefined) {
    throw new KafkaJsError(
      'CONFIG',
      'This kafkajs does not hand its cluster to assigners, on which the driver is built. It is tested with kafkajs 2.2.',
      { fatal: true },
    );
  }
  return new KafkaJsConsumer({ client, cluster, options, clock: systemClock, log });
}
