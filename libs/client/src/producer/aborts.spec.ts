/** Taking records back by an AbortSignal: what can be, what cannot, and what becomes of the others. */
import { decodeRecords } from '@kafka-template/protocol';
import { collector, createTestProducer, watch } from '../testing/producer-world.js';
import { type World, createWorld } from '../testing/world.js';

function stored(world: World, partition = 0): (string | undefined)[] {
  const { batches } = world.kafka.partition('orders', partition);
  return batches.flatMap((batch) => decodeRecords(batch).map(({ value }) => value?.toString()));
}

describe('send with a signal', () => {
  it('takes back a record of a batch that was not sent yet, and the others of the batch arrive in order', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { lingerMs: 50 });
    await world.clock.run();
    const controller = new AbortController();
    const others = collector();
    const headers = [{ key: 'h', value: 'v' }];
    producer.append({ topic: 'orders', key: 'k', value: 'a', headers, timestamp: 7 }, others.callback);
    const aborted = watch(producer.send({ topic: 'orders', value: 'b' }, { signal: controller.signal }));
    producer.append({ topic: 'orders', value: null }, others.callback);
    await world.clock.advance(10);
    controller.abort(new Error('the request was cancelled'));
    await world.clock.run();
    expect(aborted.error).toMatchObject({
      code: 'ABORTED',
      retriable: false,
      cause: controller.signal.reason as Error,
    });
    expect(aborted.error?.message).toContain('the request was cancelled');
    producer.append({ topic: 'orders', value: 'd' }, others.callback);
    await world.clock.advance(50);
    expect(stored(world)).toEqual(['a', undefined, 'd']);
    const [first] = world.kafka.partition('orders', 0).batches.flatMap((batch) => decodeRecords(batch));
    expect(first).toMatchObject({
      key: Buffer.from('k'),
      timestamp: 7,
      headers: [{ key: 'h', value: Buffer.from('v') }],
    });
    expect(others.metadata.map(({ offset, serializedKeySize }) => [offset, serializedKeySize])).toEqual([
      [0, 1],
      [1, -1],
      [2, -1],
    ]);
  });

  it('takes all records of one signal back, those that wait for metadata too, and leaves nothing behind', async () => {
    const world = createWorld({ topics: { orders: 3 } });
    const producer = createTestProducer(world, { lingerMs: 50 });
    const { signal, ...controller } = abortController();
    const sends = [0, 1, 2, 0, 1].map((partition) =>
      watch(producer.send({ topic: 'orders', partition, value: 'x' }, { signal })),
    );
    const unknown = watch(producer.send({ topic: 'nowhere', value: 'x' }, { signal }));
    await world.clock.advance(10);
    controller.abort();
    await world.clock.run();
    expect([...sends, unknown].map(({ error }) => error?.code)).toEqual(new Array(6).fill('ABORTED'));
    expect(producer.metrics()).toMatchObject({ recordsPending: 0, recordsWaiting: 0 });
    expect(producer.metrics().bufferAvailableBytes).toBe(producer.metrics().bufferTotalBytes);
    const flushed = watch(producer.flush());
    await world.clock.advance(100);
    expect(flushed.isDone).toBe(true);
    expect([0, 1, 2].flatMap((partition) => stored(world, partition))).toEqual([]);
  });

  it('makes room for records that wait for memory', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { lingerMs: 50, bufferMemory: 1_000, maxRequestSize: 1_000 });
    await world.clock.run();
    const { signal, ...controller } = abortController();
    world.kafka.fault = ({ api }) => (api === 'InitProducerId' ? { kind: 'silence' } : undefined);
    const first = watch(producer.send({ topic: 'orders', value: 'x'.repeat(800) }, { signal }));
    const second = collector();
    await world.clock.run();
    producer.append({ topic: 'orders', value: 'y'.repeat(800) }, second.callback);
    expect(producer.metrics().recordsWaiting).toBe(1);
    controller.abort();
    await world.clock.run();
    expect(first.error?.code).toBe('ABORTED');
    expect(producer.metrics().recordsWaiting).toBe(0);
    world.kafka.fault = () => undefined;
    await world.clock.advance(60_000);
    expect(second.errors).toEqual([]);
    expect(second.metadata).toHaveLength(1);
  });

  it('does not take a record: the signal was aborted before', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    const outcome = watch(producer.send({ topic: 'orders', value: 'a' }, { signal: AbortSignal.abort() }));
    await world.clock.run();
    expect(outcome.error?.code).toBe('ABORTED');
    expect(stored(world)).toEqual([]);
  });

  it('cannot take back what is on its way: the promise tells what became of it', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    world.kafka.fault = ({ api }) => (api === 'Produce' ? { kind: 'delay', milliseconds: 100 } : undefined);
    const { signal, ...controller } = abortController();
    const outcome = watch(producer.send({ topic: 'orders', value: 'a' }, { signal }));
    await world.clock.advance(50);
    controller.abort();
    await world.clock.advance(10);
    expect(outcome.isDone).toBe(false);
    await world.clock.advance(100);
    expect(outcome.value?.offset).toBe(0);
    expect(stored(world)).toEqual(['a']);
  });

  it('leaves no listener on a signal that outlives the record', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    const controller = new AbortController();
    const listeners = new Set<unknown>();
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (type: string, listener: () => void) => (listeners.add(listener), add(type, listener));
    signal.removeEventListener = (type: string, listener: () => void) => (
      listeners.delete(listener),
      remove(type, listener)
    );
    for (let index = 0; index < 10; index++) void producer.send({ topic: 'orders', value: 'a' }, { signal });
    expect(listeners.size).toBe(1);
    await world.clock.run();
    expect(listeners.size).toBe(0);
  });
});

function abortController(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
