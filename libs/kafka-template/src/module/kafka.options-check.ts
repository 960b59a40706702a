/**
 * Checks the options of the module before anything connects: all problems at once, each with what to do.
 */
import { DEFAULT_NAME } from '../decorators/inject-kafka-template.decorator.js';
import { CLIENT_CHECKS, CONSUMER_CHECKS, PRODUCER_CHECKS } from '../drivers/driver-options.js';
import { PRODUCER_PROFILES } from '../drivers/producer-profile.js';
import { KafkaOptionsError } from '../errors.js';
import { checkListenerDefaults } from '../listener/listener-options.js';
import { type OptionCheck, type OptionChecks, checkOptions } from '../option-check.js';
import type { Serde } from '../serde/serde.js';
import type { TemplateOptions } from '../template/kafka-template.js';
import type { ReplyOptions } from '../template/reply-receiver.js';
import type { KafkaFeatureOptions, KafkaModuleOptions } from './kafka.options.js';
import type { NewTopic } from './new-topic.js';

const PROFILE_CHECK: OptionCheck = { kind: 'one-of', values: Object.keys(PRODUCER_PROFILES) };

const MODULE_CHECKS: OptionChecks & Record<keyof KafkaModuleOptions, OptionChecks[string]> = {
  name: { kind: 'string' },
  bootstrapServers: { kind: 'text-or-list' },
  clientId: { kind: 'string' },
  client: { kind: 'object' },
  producer: { kind: 'object' },
  profile: PROFILE_CHECK,
  consumer: { kind: 'object' },
  listener: { kind: 'object' },
  template: { kind: 'object' },
  admin: { kind: 'object' },
  topics: { kind: 'object' },
  serializers: { kind: 'object' },
  producerListener: { kind: 'object' },
  driver: { kind: 'object' },
};

const TEMPLATE_CHECKS: OptionChecks & Record<keyof TemplateOptions, OptionCheck> = {
  defaultTopic: { kind: 'string' },
  transactionIdPrefix: { kind: 'string' },
  closeTimeoutMs: { kind: 'number', min: 0 },
  interceptors: { kind: 'object' },
  replies: { kind: 'object' },
};

const REPLY_CHECKS: OptionChecks & Record<keyof ReplyOptions, OptionCheck> = {
  topic: { kind: 'string' },
  partition: { kind: 'number', min: 0 },
  timeoutMs: { kind: 'number', min: 1 },
  maxPending: { kind: 'number', min: 1 },
  errorOf: { kind: 'function' },
};

const FEATURE_CHECKS: OptionChecks & Record<keyof KafkaFeatureOptions, OptionCheck> = {
  ...TEMPLATE_CHECKS,
  name: { kind: 'string' },
  cluster: { kind: 'string' },
  producer: { kind: 'object' },
  profile: PROFILE_CHECK,
  serializers: { kind: 'object' },
  producerListener: { kind: 'object' },
};

const ADMIN_CHECKS: OptionChecks = {
  autoCreate: { kind: 'boolean' },
  startTimeoutMs: { kind: 'number', min: 0 },
  failFast: { kind: 'boolean' },
  properties: { kind: 'object' },
};

const TOPIC_CHECKS: OptionChecks = {
  name: { kind: 'string' },
  partitions: { kind: 'number', min: 1 },
  replicas: { kind: 'number', min: 1 },
  configs: { kind: 'object' },
};

/** `host:port`, with IPv6 addresses in brackets. */
const ADDRESS = /^(\[[0-9a-fA-F:]+\]|[^\s:[\]]+):(\d{1,5})$/;
const PORT_MAX = 65_535;

const SERDE_NAMES: readonly unknown[] = ['auto', 'json', 'string', 'bytes'];

/** Names Kafka accepts for topics. */
const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/;

/** The same options, when nothing is wrong with them, for the cluster of that name. Throws KafkaOptionsError. */
export function checkedOptions(options: KafkaModuleOptions, name: string = DEFAULT_NAME): KafkaModuleOptions {
  const problems = problemsOf(options);
  if (options?.name !== undefined && options.name !== name) {
    problems.push(
      `name is '${options.name}' in the options and '${name}' in forRootAsync: give it to forRootAsync alone`,
    );
  }
  const subject = name === DEFAULT_NAME ? 'KafkaModule' : `KafkaModule '${name}'`;
  if (problems.length > 0) throw new KafkaOptionsError(subject, problems);
  return options;
}

/** Everything wrong with the options of one template of `forFeature`. */
export function featureProblems(options: KafkaFeatureOptions): string[] {
  const path = typeof options?.name === 'string' ? options.name : 'forFeature';
  const problems = checkOptions(path, options, FEATURE_CHECKS);
  if (typeof options !== 'object' || options === null) return problems;
  if (options.name === undefined) problems.push('forFeature: each template needs a name');
  return [
    ...problems,
    ...checkOptions(`${path}.producer`, options.producer, PRODUCER_CHECKS),
    ...serializerProblems(options, `${path}.serializers`),
    ...replyProblems(`${path}.replies`, options.replies),
  ];
}

function replyProblems(path: string, replies: ReplyOptions | undefined): string[] {
  const problems = checkOptions(path, replies, REPLY_CHECKS);
  if (typeof replies === 'object' && replies !== null && replies.topic === undefined) {
    problems.push(`${path}.topic is missing: replies need a topic to come to`);
  }
  return problems;
}

function problemsOf(options: KafkaModuleOptions): string[] {
  if (typeof options !== 'object' || options === null) return ['the options must be an object'];
  const problems = checkOptions('', options, MODULE_CHECKS);
  if (options.bootstrapServers === undefined) {
    problems.push("bootstrapServers is missing: 'localhost:9092', or a list of such addresses");
  } else problems.push(...addressProblems(options.bootstrapServers));
  return [
    ...problems,
    ...checkOptions('client', options.client, CLIENT_CHECKS),
    ...checkOptions('producer', options.producer, PRODUCER_CHECKS),
    ...checkOptions('consumer', options.consumer, CONSUMER_CHECKS),
    ...checkListenerDefaults(options.listener),
    ...checkOptions('template', options.template, TEMPLATE_CHECKS),
    ...replyProblems('template.replies', options.template?.replies),
    ...checkOptions('admin', options.admin, ADMIN_CHECKS),
    ...checkOptions('admin.properties', options.admin?.properties, CLIENT_CHECKS),
    ...serializerProblems(options),
    ...topicProblems(options),
    ...contradictions(options),
  ];
}

function addressProblems(servers: unknown): string[] {
  const list = Array.isArray(servers) ? servers : typeof servers === 'string' ? servers.split(',') : [];
  return list
    .filter((address): address is string => typeof address === 'string' && address.trim() !== '')
    .filter((address) => {
      const port = ADDRESS.exec(address.trim())?.[2];
      return port === undefined || Number(port) > PORT_MAX || Number(port) === 0;
    })
    .map((address) => `bootstrapServers: '${address.trim()}' is not of the form host:port`);
}

function serializerProblems({ serializers }: Pick<KafkaModuleOptions, 'serializers'>, path = 'serializers'): string[] {
  const problems = checkOptions(path, serializers, { key: { kind: 'any' }, value: { kind: 'any' } });
  for (const part of ['key', 'value'] as const) {
    const choice: unknown = serializers?.[part];
    if (choice === undefined || SERDE_NAMES.includes(choice)) continue;
    if (isSerde(choice)) continue;
    problems.push(`${path}.${part} must be 'auto', 'json', 'string', 'bytes' or have serialize and deserialize`);
  }
  return problems;
}

function isSerde(choice: unknown): choice is Serde {
  const serde = (choice ?? {}) as Partial<Serde>;
  return typeof serde.serialize === 'function' && typeof serde.deserialize === 'function';
}

function topicProblems(options: KafkaModuleOptions): string[] {
  const topics: readonly NewTopic[] = options.topics ?? [];
  if (!Array.isArray(options.topics ?? [])) return ["topics must be a list: [newTopic('orders')]"];
  const problems = topics.flatMap((topic, index) => checkOptions(`topics[${index}]`, topic, TOPIC_CHECKS));
  const names = new Set<string>();
  for (const { name } of topics) {
    if (typeof name !== 'string') problems.push('topics: each needs a name');
    else if (!TOPIC_NAME.test(name) || name === '.' || name === '..') {
      problems.push(`topics: '${name}' is not a name Kafka accepts: up to 249 letters, digits, '.', '_' and '-'`);
    } else if (names.has(name)) problems.push(`topics: '${name}' is there twice`);
    names.add(name);
  }
  return problems;
}

function contradictions({ consumer, listener, producer }: KafkaModuleOptions): string[] {
  const problems: string[] = [];
  if (consumer?.enableAutoCommit === true && listener?.ackMode !== undefined) {
    problems.push(
      'consumer.enableAutoCommit and listener.ackMode contradict each other: the client commits, or the container',
    );
  }
  if (producer?.enableIdempotence === true && producer.acks !== undefined && ![-1, 'all'].includes(producer.acks)) {
    problems.push("producer.enableIdempotence needs acks 'all'");
  }
  return problems;
}
