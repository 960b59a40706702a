import { AckMode } from '../commit/ack-mode.js';
import { KafkaOptionsError } from '../errors.js';
import { nearestName } from '../option-check.js';
import { checkedOptions } from './kafka.options-check.js';
import type { KafkaModuleOptions } from './kafka.options.js';
import { newTopic } from './new-topic.js';

function problemsOf(options: object): readonly string[] {
  try {
    checkedOptions(options as KafkaModuleOptions);
    return [];
  } catch (error) {
    if (error instanceof KafkaOptionsError) return error.problems;
    throw error;
  }
}

const BASE = { bootstrapServers: 'localhost:9092' };

describe('module: options', () => {
  it('accepts what the documentation shows', () => {
    const options: KafkaModuleOptions = {
      bootstrapServers: ['a:1', 'b:2', '[::1]:9092'],
      clientId: 'shop',
      client: { requestTimeoutMs: 1000 },
      producer: { acks: 1, lingerMs: 5, compressionType: 'gzip' },
      consumer: { groupId: 'billing', autoOffsetReset: 'earliest', maxPollRecords: 10 },
      listener: { ackMode: AckMode.COUNT, ackCount: 5, commitStyle: 'combined', concurrency: 2 },
      template: { defaultTopic: 'orders' },
      admin: { failFast: true },
      topics: [newTopic('orders', { partitions: 3, replicas: 1, configs: { 'cleanup.policy': 'compact' } })],
      serializers: { key: 'string', value: 'json' },
    };
    expect(checkedOptions(options)).toBe(options);
  });

  it('accepts TLS and SASL, and shows no secret when they are wrong', () => {
    const sasl = { mechanism: 'PLAIN', username: 'alice', password: 'hunter2' };
    expect(problemsOf({ ...BASE, client: { securityProtocol: 'SASL_SSL', ssl: { ca: 'PEM' }, sasl } })).toEqual([]);
    expect(problemsOf({ ...BASE, client: { securityProtocol: 'TLS' } })).toEqual([
      "client.securityProtocol must be one of 'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL' and is 'TLS'",
    ]);
    const wrong = problemsOf({ ...BASE, client: { sasl: 'hunter2', ssl: 'hunter2', saslPassword: 'hunter2' } });
    expect(wrong).toHaveLength(1);
    expect(wrong.join()).not.toContain('hunter2');
  });

  it('lists every problem at once', () => {
    const error = new KafkaOptionsError('x', []);
    expect(error.code).toBe('OPTIONS');
    const problems = problemsOf({
      bootstrapServer: 'localhost:9092',
      producer: { lingerMS: 5, acks: 2 },
      consumer: { groupid: 'g', maxPollRecords: 0 },
      listener: { ackMode: 'SOMETIMES', concurrency: 0 },
    });
    expect(problems).toEqual([
      'bootstrapServer is not an option: did you mean bootstrapServers?',
      "bootstrapServers is missing: 'localhost:9092', or a list of such addresses",
      'producer.lingerMS is not an option: did you mean lingerMs?',
      "producer.acks must be one of 'all', -1, 0, 1 and is 2",
      'consumer.groupid is not an option: did you mean groupId?',
      'consumer.maxPollRecords must be a number from 1 and is 0',
      'listener.concurrency must be a number from 1 and is 0',
      expect.stringMatching(/^listener.ackMode must be one of AckMode's RECORD, BATCH, TIME/),
    ]);
  });

  it.each<[string, object, RegExp]>([
    ['an address without a port', { bootstrapServers: 'localhost' }, /'localhost' is not of the form host:port/],
    ['a port that is none', { bootstrapServers: 'a:1,b:99999' }, /'b:99999' is not of the form host:port/],
    ['an empty list', { bootstrapServers: [] }, /bootstrapServers must be a string that is not empty, or a list/],
    ['a topic name', { ...BASE, topics: [newTopic('a b')] }, /'a b' is not a name Kafka accepts/],
    ['a topic twice', { ...BASE, topics: [newTopic('a'), newTopic('a')] }, /'a' is there twice/],
    [
      'a topic option',
      { ...BASE, topics: [{ name: 'a', partition: 3 }] },
      /topics\[0\]\.partition.*did you mean partitions/,
    ],
    ['a serializer', { ...BASE, serializers: { value: 'xml' } }, /serializers.value must be 'auto', 'json'/],
    ['who commits', { ...BASE, consumer: { enableAutoCommit: true }, listener: { ackMode: 'MANUAL' } }, /contradict/],
    ['idempotence', { ...BASE, producer: { enableIdempotence: true, acks: 1 } }, /enableIdempotence needs acks 'all'/],
    ['the style twice', { ...BASE, listener: { syncCommits: true, commitStyle: 'async' } }, /say the same thing twice/],
    ['RECORD for batches', { ...BASE, listener: { batch: true, ackMode: 'RECORD' } }, /makes no sense for a batch/],
  ])('refuses %s', (_name, options, message) => {
    expect(problemsOf(options)).toEqual([expect.stringMatching(message)]);
  });

  it('finds the nearest name only when it is near', () => {
    expect(nearestName('grupId', ['groupId', 'topics'])).toBe('groupId');
    expect(nearestName('zzzz', ['groupId', 'topics'])).toBeUndefined();
  });
});
