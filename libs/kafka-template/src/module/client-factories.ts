/**
 * Makes templates and admin clients out of the options of a cluster. The nearest choice wins.
 */
import type { ClientProperties, ConsumerProperties, ProducerProperties } from '../drivers/driver-options.js';
import type { Driver, DriverConsumer } from '../drivers/driver.js';
import { profileOptions } from '../drivers/producer-profile.js';
import { KafkaTemplateError, KafkaTemplateErrorCode } from '../errors.js';
import { systemClock } from '../io/clock.js';
import type { Log } from '../io/log.js';
import { recordSerdes } from '../serde/record-serdes.js';
import { KafkaTemplate, type TemplateOptions } from '../template/kafka-template.js';
import { type ReplyOptions, ReplyReceiver, type ReplyReceiverParts } from '../template/reply-receiver.js';
import { RecordReader } from '../template/record-reader.js';
import { Transactions } from '../template/transactions.js';
import { LoggingProducerListener } from '../template/producer-listener.js';
import { KafkaAdmin } from './kafka-admin.js';
import type { KafkaFeatureOptions, KafkaModuleOptions } from './kafka.options.js';
import { nestLog } from './nest-log.js';

const DEFAULT_CLIENT_ID = 'kafka-template';

/** The template of a cluster, or with `feature` one of its others. Each has a producer of its own. */
export function createTemplate(
  options: KafkaModuleOptions,
  driver: Driver,
  feature?: KafkaFeatureOptions,
): KafkaTemplate {
  const log = nestLog('KafkaTemplate');
  const suffix = feature === undefined ? 'producer' : `producer-${feature.name}`;
  const properties: ProducerProperties = {
    ...clientOptions(options),
    clientId: `${options.clientId ?? DEFAULT_CLIENT_ID}-${suffix}`,
    ...profileOptions(options.profile, driver),
    ...options.producer,
    ...profileOptions(feature?.profile, driver),
    ...feature?.producer,
  };
  const producer = driver.createProducer(properties);
  const own: TemplateOptions = { ...options.template, ...templateOptions(feature) };
  const serdes = recordSerdes(feature?.serializers, options.serializers);
  return new KafkaTemplate(
    {
      producer,
      serdes,
      replies: own.replies === undefined ? undefined : createReplies(own.replies, options, { driver, serdes, log }),
      reader: new RecordReader(() => createReader(options, driver), { driver, serdes, clock: systemClock }),
      transactions: createTransactions(own.transactionIdPrefix, properties, { driver, log }),
      listener: feature?.producerListener ?? options.producerListener ?? new LoggingProducerListener(log),
      clock: systemClock,
      log,
    },
    own,
  );
}

function createTransactions(
  prefix: string | undefined,
  properties: ProducerProperties,
  { driver, log }: { readonly driver: Driver; readonly log: Log },
): Transactions | undefined {
  if (prefix === undefined) return undefined;
  if (!driver.capabilities.transactions) {
    throw new KafkaTemplateError(
      KafkaTemplateErrorCode.UNSUPPORTED_BY_DRIVER,
      `template.transactionIdPrefix needs transactions, which driver '${driver.name}' cannot do; the default driver 'native' can`,
    );
  }
  const createProducer = (transactionalId: string) =>
    driver.createProducer({ ...properties, clientId: `${properties.clientId}-${transactionalId}`, transactionalId });
  return new Transactions({ prefix, createProducer, log });
}

/** The admin client of a cluster. */
export function createAdmin(options: KafkaModuleOptions, driver: Driver): KafkaAdmin {
  const clientId = `${options.clientId ?? DEFAULT_CLIENT_ID}-admin`;
  return new KafkaAdmin({
    client: driver.createAdmin({ ...clientOptions(options), clientId, ...options.admin?.properties }),
    topics: options.topics ?? [],
    options: options.admin ?? {},
    clock: systemClock,
    log: nestLog('KafkaAdmin'),
  });
}

/** What all clients of a cluster share. */
export function clientOptions(options: KafkaModuleOptions): ClientProperties {
  return { bootstrapServers: options.bootstrapServers, ...options.client };
}

function createReplies(
  replies: ReplyOptions,
  options: KafkaModuleOptions,
  parts: Pick<ReplyReceiverParts, 'serdes' | 'log'> & { readonly driver: Driver },
): ReplyReceiver {
  const createConsumer = () =>
    parts.driver.createConsumer({
      ...readerProperties(options),
      clientId: `${options.clientId ?? DEFAULT_CLIENT_ID}-replies`,
      autoOffsetReset: 'latest',
    });
  return new ReplyReceiver(replies, { ...parts, createConsumer, clock: systemClock });
}

/** A consumer without a group, for single records. */
function createReader(options: KafkaModuleOptions, driver: Driver): DriverConsumer {
  return driver.createConsumer({
    ...readerProperties(options),
    clientId: `${options.clientId ?? DEFAULT_CLIENT_ID}-reader`,
    autoOffsetReset: 'none',
    maxPollRecords: 1,
    allowAutoCreateTopics: false,
  });
}

/** Options of consumers that read without a group. */
function readerProperties(options: KafkaModuleOptions): ConsumerProperties {
  const { groupId: _group, groupInstanceId: _member, ...consumer } = options.consumer ?? {};
  return { ...clientOptions(options), ...consumer, enableAutoCommit: false };
}

function templateOptions(feature: KafkaFeatureOptions | undefined): TemplateOptions {
  if (feature === undefined) return {};
  const { name: _n, cluster: _c, producer: _p, profile: _o, serializers: _s, producerListener: _l, ...own } = feature;
  return own;
}
