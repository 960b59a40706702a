import type { ConsumerProperties } from '../driver-options.js';
import { driverErrorOf } from './kafkajs.error.js';
import { kafkajsDriver } from './kafkajs.driver.js';
import { checkKafkaJs } from './kafkajs.module.js';

const SERVERS = { bootstrapServers: 'localhost:9092' };

describe('kafkajs driver', () => {
  const driver = kafkajsDriver();

  it('says what to do when it is given something else than kafkajs', () => {
    expect(() => kafkajsDriver({ kafkajs: { Kafka: undefined } })).toThrow(/is not kafkajs 2/);
    expect(() => checkKafkaJs(null)).toThrow(expect.objectContaining({ code: 'CONFIG' }) as Error);
  });

  it.each<[string, ConsumerProperties, RegExp]>([
    ['no group', { ...SERVERS }, /without a group/],
    ['static membership', { ...SERVERS, groupId: 'g', groupInstanceId: 'one' }, /static member/],
    ['sticky', { ...SERVERS, groupId: 'g', partitionAssignmentStrategy: ['sticky'] }, /'sticky'/],
    [
      'heartbeats',
      { ...SERVERS, groupId: 'g', heartbeatIntervalMs: 9, sessionTimeoutMs: 9 },
      /"heartbeatIntervalMs" \(9\)/,
    ],
    ['no server', { groupId: 'g' }, /"bootstrapServers" names no server/],
    ['sasl in vain', { ...SERVERS, groupId: 'g', sasl: { mechanism: 'PLAIN' } }, /^Option "sasl" has no effect/],
    [
      'no password',
      { ...SERVERS, groupId: 'g', securityProtocol: 'SASL_SSL', sasl: { mechanism: 'PLAIN' } },
      /"sasl.password"/,
    ],
  ])('refuses a consumer at once: %s', (_name, options, message) => {
    expect(() => driver.createConsumer(options)).toThrow(message);
  });

  it('refuses a codec that is not registered', () => {
    expect(() => driver.createProducer({ ...SERVERS, compressionType: 'zstd' })).toThrow(/"compressionType" is zstd/);
  });

  it('finds the innermost error of kafkajs, and gives it the name Kafka has for it today', () => {
    const inner = Object.assign(new Error('moved'), { type: 'NOT_COORDINATOR_FOR_GROUP', retriable: true });
    const outer = new Error('outer', { cause: new Error('middle', { cause: inner }) });
    expect(driverErrorOf(outer, 'committing')).toMatchObject({
      code: 'NOT_COORDINATOR',
      retriable: true,
      cause: outer,
    });
    const closed = Object.assign(new Error('closed'), { name: 'KafkaJSConnectionClosedError' });
    expect(driverErrorOf(closed, 'sending')).toMatchObject({
      code: 'NETWORK',
      message: 'kafkajs: sending failed: closed',
    });
  });
});
