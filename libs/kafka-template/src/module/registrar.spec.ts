import type { ConsumerRecord } from '../record/consumer-record.js';
import { KafkaListenerEndpointRegistry } from '../listener/listener.registry.js';
import { KafkaListenerEndpointRegistrar, type ListenerRegistration } from './kafka-listener-endpoint.registrar.js';
import { ModuleFixture } from './module.fixture.js';

let fixture: ModuleFixture;

beforeEach(() => (fixture = new ModuleFixture()));
afterEach(() => fixture.close());

describe('registrar', () => {
  it('adds a listener that begins at once, and takes it out again', async () => {
    const app = await fixture.start({});
    const heard: unknown[] = [];
    const registrar = app.get(KafkaListenerEndpointRegistrar);
    await registrar.register({
      id: 'late',
      topics: 'orders',
      groupId: 'g',
      filter: (record) => record.key === 'no',
      onRecord: (record) => heard.push(record.value),
    });
    await fixture.receive('a');
    await fixture.receive('b', { key: 'no' });
    expect([heard, fixture.committed()]).toEqual([['a'], 2]);
    await registrar.unregister('late');
    expect(app.get(KafkaListenerEndpointRegistry).ids).toEqual([]);
    expect(fixture.driver.consumers[0]?.isClosed).toBe(true);
    await registrar.register({
      id: 'late',
      topics: 'orders',
      groupId: 'g',
      onRecord: (record) => heard.push(record.value),
    });
    fixture.driver.cluster.append({ topic: 'orders', value: 'c' });
    await fixture.driver.consumers[1]?.parked();
    expect(heard).toEqual(['a', 'c']);
  });

  it('takes batches, and starts nothing without autoStartup', async () => {
    const app = await fixture.start({});
    const heard: unknown[] = [];
    const container = await app.get(KafkaListenerEndpointRegistrar).register({
      id: 'batches',
      topics: 'orders',
      autoStartup: false,
      onBatch: (records: readonly ConsumerRecord[]) => heard.push(records.map(({ value }) => value)),
    });
    expect([container.isRunning, container.settings.groupId]).toEqual([false, 'batches']);
    for (const value of ['a', 'b']) fixture.driver.cluster.append({ topic: 'orders', value });
    container.start();
    await fixture.driver.consumers[0]?.parked();
    expect(heard).toEqual([['a', 'b']]);
  });

  it.each<[string, Partial<ListenerRegistration>, RegExp]>([
    ['no function', {}, /give exactly one of onRecord and onBatch/],
    [
      'two functions',
      { onRecord: () => undefined, onBatch: () => undefined },
      /give exactly one of onRecord and onBatch/,
    ],
    ['an unknown option', { onRecord: () => undefined, concurency: 2 } as object, /did you mean concurrency\?/],
    ['a cluster that is not there', { onRecord: () => undefined, cluster: 'x' }, /there is no cluster 'x'/],
    ['an interceptor of batches', { onBatch: () => undefined, interceptor: {} }, /interceptor is for record listeners/],
  ])('refuses %s', async (_name, options, message) => {
    const app = await fixture.start({});
    const registrar = app.get(KafkaListenerEndpointRegistrar);
    await expect(registrar.register({ id: 'late', topics: 'orders', ...options })).rejects.toThrow(message);
  });
});
