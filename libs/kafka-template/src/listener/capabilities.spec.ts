import { KAFKAJS_CAPABILITIES } from '../drivers/kafkajs/kafkajs.driver.js';
import { FakeClock } from '../testing/fake-clock.js';
import { DriverFake } from '../testing/driver-fake.js';
import type { ConsumerProperties } from '../drivers/driver-options.js';
import { requireCapabilities } from './capabilities.js';
import type { ContainerSettings } from './container-settings.js';

function settings(consumer: ConsumerProperties, rest: Partial<ContainerSettings> = {}): ContainerSettings {
  const source = { kind: 'topics', topics: ['orders'] };
  return { id: 'billing', source, groupId: 'g', consumer, commitStyle: 'sync', ...rest } as ContainerSettings;
}

describe('requireCapabilities', () => {
  const driver = new DriverFake(new FakeClock());
  const kafkajs = { ...driver, name: 'kafkajs', capabilities: KAFKAJS_CAPABILITIES } as unknown as DriverFake;
  const createMechanism = () => ({ name: 'MINE', start: () => Buffer.alloc(0), step: () => null });

  it.each<[string, ContainerSettings, RegExp]>([
    [
      'no group',
      settings({}, { source: { kind: 'partitions', partitions: [] } }),
      /reading partitions without a group/,
    ],
    ['static member', settings({ groupInstanceId: 'one' }), /needs static membership \(groupInstanceId\)/],
    ['sticky', settings({ partitionAssignmentStrategy: ['sticky'] }), /needs partitionAssignmentStrategy sticky/],
    ['own SASL', settings({ sasl: { mechanism: 'MINE', createMechanism } }), /needs a SASL mechanism of its own/],
  ])('%s: refused on kafkajs with the name of the driver that can, not on one that can', (_name, wanted, message) => {
    expect(() => requireCapabilities(wanted, kafkajs)).toThrow(message);
    expect(() => requireCapabilities(wanted, kafkajs)).toThrow("the default driver 'native' can");
    expect(() => requireCapabilities(wanted, driver)).not.toThrow();
  });

  it('lets pass what kafkajs can do', () => {
    const usual = settings({ autoOffsetReset: 'none', partitionAssignmentStrategy: ['range', 'roundrobin'] });
    expect(() => requireCapabilities({ ...usual, commitStyle: 'combined' }, kafkajs)).not.toThrow();
  });
});
