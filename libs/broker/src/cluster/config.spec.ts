import { BrokerError } from '../errors.js';
import { BrokerConfig, BROKER_CONFIGS } from './broker-config.js';
import { GROUP_CONFIGS } from './broker-configs-coordination.js';
import { describeBrokerConfigs, describeGroupConfigs, describeTopicConfigs } from './config-description.js';
import { checkConfig, config, readList, readNumber } from './config-definition.js';
import { nearestName } from './nearest-name.js';
import { TOPIC_CONFIGS, TOPIC_CONFIG_SYNONYMS } from './topic-config-table.js';
import { checkTopicConfigs, effectiveTopicConfig } from './topic-config.js';
import { DEFAULT_TOPIC_CONFIG } from '../log/log-config.js';

const everything = { keys: null, includeSynonyms: true, includeDocumentation: true };
const standard = BrokerConfig.of({});

describe('the tables of configs', () => {
  it('have every name once, with a default that obeys its own rule, and a meaning', () => {
    for (const table of [TOPIC_CONFIGS, BROKER_CONFIGS, GROUP_CONFIGS]) {
      expect(new Set(table.map(({ name }) => name)).size).toBe(table.length);
      for (const definition of table) {
        expect(definition.documentation.length).toBeGreaterThan(15);
        if (definition.defaultValue !== null) expect(checkConfig(definition, definition.defaultValue)).toBeNull();
      }
    }
  });

  it('name topic configs and broker configs that exist on both sides of a synonym', () => {
    const topics = new Set(TOPIC_CONFIGS.map(({ name }) => name));
    const brokers = new Set(BROKER_CONFIGS.map(({ name }) => name));
    for (const [topic, synonyms] of Object.entries(TOPIC_CONFIG_SYNONYMS)) {
      expect(topics).toContain(topic);
      for (const { name } of synonyms) expect(brokers).toContain(name);
    }
  });

  it("give topics the log's own defaults", () => {
    expect(effectiveTopicConfig({}, standard)).toEqual(DEFAULT_TOPIC_CONFIG);
  });
});

describe('checkTopicConfigs', () => {
  const cases: [name: string, value: string, complaint: string | null][] = [
    ['cleanup.policy', '', null],
    ['cleanup.policy', 'delete, compact', null],
    [
      'cleanup.policy',
      'compact,shred',
      'Invalid value shred for configuration cleanup.policy: String must be one of: compact, delete',
    ],
    ['cleanup.policy', 'delete,', "Configuration 'cleanup.policy' values must not be empty."],
    ['retention.ms', 'abc', 'Invalid value abc for configuration retention.ms: Not a number of type LONG'],
    ['retention.ms', '', 'Invalid value  for configuration retention.ms: Not a number of type LONG'],
    ['retention.ms', '-5', 'Invalid value -5 for configuration retention.ms: Value must be at least -1'],
    ['retention.ms', '9223372036854775807', null],
    [
      'retention.ms',
      '9223372036854775808',
      'Invalid value 9223372036854775808 for configuration retention.ms: Not a number of type LONG',
    ],
    [
      'preallocate',
      'yes',
      'Invalid value yes for configuration preallocate: Expected value to be either true or false',
    ],
    ['preallocate', 'TRUE', null],
    [
      'min.cleanable.dirty.ratio',
      '2',
      'Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1',
    ],
    [
      'min.cleanable.dirty.ratio',
      'x',
      'Invalid value x for configuration min.cleanable.dirty.ratio: Not a number of type DOUBLE',
    ],
    [
      'segment.bytes',
      '99999999999',
      'Invalid value 99999999999 for configuration segment.bytes: Not a number of type INT',
    ],
    ['segment.bytes', '5', 'Invalid value 5 for configuration segment.bytes: Value must be at least 1048576'],
    ['internal.segment.bytes', '5', null],
    [
      'compression.gzip.level',
      '0',
      'Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1',
    ],
    [
      'compression.type',
      'foo',
      'Invalid value foo for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer',
    ],
    ['min.compaction.lag.ms', ' 5 ', null],
    ['leader.replication.throttled.replicas', '0:1, 1:2', null],
    ['no.such', '1', 'Unknown topic config name: no.such'],
  ];

  it.each(cases)('%s=%s', (name, value, complaint) => {
    expect(checkTopicConfigs({ [name]: value }, standard)).toBe(complaint);
  });
});

describe('effectiveTopicConfig', () => {
  it('prefers the topic, then the strongest broker config, and converts units', () => {
    const broker = BrokerConfig.of({
      'log.retention.hours': '2',
      'log.roll.ms': '70000',
      'log.cleanup.policy': 'compact',
    });
    expect(effectiveTopicConfig({}, broker)).toMatchObject({
      retentionMs: 7_200_000,
      segmentMs: 70_000,
      cleanupPolicy: ['compact'],
    });
    const minutes = BrokerConfig.of({ 'log.retention.hours': '2', 'log.retention.minutes': '3' });
    expect(effectiveTopicConfig({}, minutes).retentionMs).toBe(180_000);
    expect(effectiveTopicConfig({ 'retention.ms': '5' }, minutes).retentionMs).toBe(5);
    expect(effectiveTopicConfig({}, BrokerConfig.of({ 'log.retention.hours': '-1' })).retentionMs).toBe(-1);
  });

  it('takes the test-only segment size before the public one', () => {
    expect(effectiveTopicConfig({ 'internal.segment.bytes': '512' }, standard).segmentBytes).toBe(512);
  });
});

describe('BrokerConfig', () => {
  it.each([
    [{ 'num.partition': '3' }, "Unknown broker config 'num.partition'. Did you mean 'num.partitions'?"],
    [
      { autoCreateTopicsEnable: 'true' },
      "Unknown broker config 'autoCreateTopicsEnable'. Did you mean 'auto.create.topics.enable'?",
    ],
    [{ 'qqqqqqqq.zzzzzzzz': '3' }, "Unknown broker config 'qqqqqqqq.zzzzzzzz'. Remove it"],
    [{ 'num.partitions': '0' }, 'Invalid value 0 for configuration num.partitions: Value must be at least 1. Correct'],
    [
      { 'authorizer.class.name': 'x' },
      "Broker config 'authorizer.class.name' is known to Kafka, not served by this broker: it has no ACLs. Remove it",
    ],
    [
      { 'ssl.keystore.location': 'x' },
      "'ssl.keystore.location' is known to Kafka, not served by this broker: it has no TLS",
    ],
    [
      { 'listener.name.internal.scram-sha-256.sasl.jaas.config': 'x' },
      'is known to Kafka, not served by this broker: it has no SASL',
    ],
    [{ 'security.inter.broker.protocol': 'SSL' }, 'not served by this broker: it speaks PLAINTEXT only'],
    [{ 'remote.log.storage.system.enable': 'true' }, 'not served by this broker: it has no tiered storage'],
    [{ 'process.roles': 'controller' }, 'not served by this broker: it is no node that is only a controller'],
    [{ 'ssl.keystore.locatio': 'x' }, "Unknown broker config 'ssl.keystore.locatio'."],
    [{ 'group.share.heartbeat.interval': '1' }, "Did you mean 'group.share.heartbeat.interval.ms'?"],
  ])('refuses %j', (entries, message) => {
    expect(() => BrokerConfig.of(entries as Record<string, string>)).toThrow(message);
    expect(() => BrokerConfig.of(entries as Record<string, string>)).toThrow(BrokerError);
  });

  it('takes what Kafka knows and nothing here depends on, and can say which that is', () => {
    const { withoutEffect } = BrokerConfig.of({
      'share.coordinator.append.linger.ms': '1',
      'num.io.threads': '8',
      'num.partitions': '3',
      'authorizer.class.name': '',
      'remote.log.storage.system.enable': 'false',
      'security.inter.broker.protocol': 'PLAINTEXT',
      'listener.name.internal.max.connections': '7',
      'inter.broker.protocol.version': '3.9',
    });
    expect(withoutEffect).toEqual([
      'authorizer.class.name',
      'inter.broker.protocol.version',
      'listener.name.internal.max.connections',
      'num.io.threads',
      'remote.log.storage.system.enable',
      'share.coordinator.append.linger.ms',
    ]);
  });

  it('reads values of every type, the strongest source first', () => {
    const broker = BrokerConfig.of({
      'num.partitions': ' 3 ',
      'log.dirs': 'a, b',
      'auto.create.topics.enable': 'False',
    });
    expect(broker.number('num.partitions')).toBe(3);
    expect(broker.list('log.dirs')).toEqual(['a', 'b']);
    expect(broker.list('listeners')).toEqual([]);
    expect(broker.boolean('auto.create.topics.enable')).toBe(false);
    expect(broker.optionalNumber('log.retention.ms')).toBeNull();
    expect(broker.number('log.flush.interval.messages')).toBe(Number.MAX_SAFE_INTEGER);
    expect(broker.number('group.initial.rebalance.delay.ms')).toBe(0);
    const changed = broker.withDynamic({ 'message.max.bytes': '5' }, { 'message.max.bytes': '6' });
    expect(changed.number('message.max.bytes')).toBe(6);
    expect(changed.values('message.max.bytes').map(({ source }) => source)).toEqual([2, 3, 5]);
    expect(broker.number('message.max.bytes')).toBe(1_048_588);
    expect(() => broker.number('log.retention.ms')).toThrow('optionalNumber');
    expect(() => broker.text('no.such')).toThrow("'no.such' is no broker config");
  });
});

describe('descriptions', () => {
  it('list all 33 topic configs by name, with type, meaning and source', () => {
    const entries = describeTopicConfigs({ 'cleanup.policy': 'compact' }, standard, everything);
    expect(entries).toHaveLength(33);
    expect(entries.map(({ name }) => name)).toEqual(entries.map(({ name }) => name).sort());
    expect(entries[0]).toEqual({
      name: 'cleanup.policy',
      value: 'compact',
      readOnly: false,
      configSource: 1,
      isSensitive: false,
      synonyms: [
        { name: 'cleanup.policy', value: 'compact', source: 1 },
        { name: 'log.cleanup.policy', value: 'delete', source: 5 },
      ],
      configType: 7,
      documentation: expect.stringContaining('delete') as string,
    });
    expect(describeTopicConfigs({}, standard, { ...everything, keys: ['no.such.key'] })).toEqual([]);
  });

  it('answer about a broker as Kafka does, also where that is odd', () => {
    const broker = BrokerConfig.of({ 'num.partitions': '1', 'auto.create.topics.enable': 'true' });
    const keys = ['auto.create.topics.enable', 'log.retention.ms', 'message.max.bytes', 'num.partitions'];
    const facts = describeBrokerConfigs(broker, { keys, includeSynonyms: true, includeDocumentation: false });
    expect(facts).toMatchObject([
      { name: 'auto.create.topics.enable', value: 'true', readOnly: true, configSource: 4, configType: 1 },
      { name: 'log.retention.ms', value: null, readOnly: false, configSource: 5, synonyms: [], configType: 5 },
      { name: 'message.max.bytes', value: '1048588', configSource: 5, synonyms: [{ source: 5 }], documentation: null },
      {
        name: 'num.partitions',
        readOnly: true,
        configSource: 4,
        synonyms: [{ source: 4 }, { source: 5 }],
        configType: 3,
      },
    ]);
  });

  it('answer about a group with the bounds of its broker', () => {
    const own = { 'consumer.session.timeout.ms': '46000', 'share.auto.offset.reset': 'by_duration:PT1H' };
    const entries = describeGroupConfigs(own, standard, everything);
    expect(entries.map(({ name, value, configSource }) => [name, value, configSource])).toEqual([
      ['consumer.session.timeout.ms', '46000', 8],
      ['consumer.heartbeat.interval.ms', '5000', 5],
      ['consumer.assignment.interval.ms', '0', 5],
      ['consumer.assignor.offload.enable', 'true', 5],
      ['share.session.timeout.ms', '45000', 5],
      ['share.heartbeat.interval.ms', '5000', 5],
      ['share.record.lock.duration.ms', '30000', 5],
      ['share.delivery.count.limit', '5', 5],
      ['share.partition.max.record.locks', '2000', 5],
      ['share.auto.offset.reset', 'by_duration:PT1H', 8],
      ['share.isolation.level', 'read_uncommitted', 5],
      ['share.renew.acknowledge.enable', 'true', 5],
    ]);
  });

  it('never show a password', () => {
    const secret = config('password', 'a.secret', null, 'Not to be seen by anybody at all.');
    expect(checkConfig({ ...secret, rule: () => 'must be longer' }, 'abc')).toBe(
      'Invalid value [hidden] for configuration a.secret: must be longer',
    );
  });
});

describe('small parts', () => {
  it('read lists and numbers', () => {
    expect(readList(' a , b ')).toEqual(['a', 'b']);
    expect(readList('  ')).toEqual([]);
    expect(readNumber('9223372036854775807')).toBe(Number.MAX_SAFE_INTEGER);
    expect(readNumber('-1')).toBe(-1);
  });

  it('find the nearest name, or none', () => {
    const names = ['auto.create.topics.enable', 'num.partitions', 'log.retention.ms'];
    expect(nearestName('log.retentoin.ms', names)).toBe('log.retention.ms');
    expect(nearestName('completely different words', names)).toBeNull();
  });
});
