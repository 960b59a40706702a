/** Interceptors: what they see and change, and that their errors break nothing. */
import { decodeRecords } from '@kafka-template/protocol';
import { collector, createTestProducer, watch } from '../testing/producer-world.js';
import { createWorld } from '../testing/world.js';
import type { ProducerInterceptor } from './interceptors.js';

describe('producer interceptors', () => {
  it('change records in their order before they are encoded, and see the outcome before its owner', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const seen: string[] = [];
    const named = (name: string): ProducerInterceptor => ({
      onSend: (record) => ({ ...record, value: `${String(record.value)}-${name}` }),
      onAcknowledgement: (error, metadata, record) =>
        void seen.push(`${name} ${error?.code ?? metadata?.offset} ${String(record.value)}`),
    });
    const producer = createTestProducer(world, { interceptors: [named('a'), named('b')] });
    producer.append({ topic: 'orders', value: 'x' }, () => seen.push('owner'));
    producer.append({ topic: 'orders', value: 'y' });
    await world.clock.run();
    const values = world.kafka.partition('orders', 0).batches.flatMap((batch) => decodeRecords(batch));
    expect(values.map(({ value }) => value?.toString())).toEqual(['x-a-b', 'y-a-b']);
    expect(seen).toEqual(['a 0 x-a-b', 'b 0 x-a-b', 'owner', 'a 1 y-a-b', 'b 1 y-a-b']);
  });

  it('are told of failures, of records taken back too', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const errors: (string | undefined)[] = [];
    const onAcknowledgement: ProducerInterceptor['onAcknowledgement'] = (error) => void errors.push(error?.code);
    const producer = createTestProducer(world, { interceptors: [{ onAcknowledgement }], lingerMs: 20 });
    const controller = new AbortController();
    const sent = watch(producer.send({ topic: 'orders', value: 'x' }, { signal: controller.signal }));
    await world.clock.run();
    controller.abort();
    const refused = watch(producer.send({ topic: '', value: 'x' }));
    await world.clock.run();
    expect([sent.error?.code, refused.error?.code]).toEqual(['ABORTED', 'INVALID_ARGUMENT']);
    expect(errors.sort()).toEqual(['ABORTED', 'INVALID_ARGUMENT']);
  });

  it('never break a send: what they throw is logged, and the record goes on as it was', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const fail = (): never => {
      throw new Error('broken');
    };
    const interceptors: ProducerInterceptor[] = [
      { onSend: fail, onAcknowledgement: fail, close: () => Promise.reject(new Error('broken')) },
      { onSend: () => undefined as never },
    ];
    const producer = createTestProducer(world, { interceptors });
    const outcome = collector();
    producer.append({ topic: 'orders', value: 'x' }, outcome.callback);
    await world.clock.run();
    expect(outcome.metadata).toHaveLength(1);
    const closed = watch(producer.close());
    await world.clock.run();
    expect(closed.isDone && closed.error === undefined).toBe(true);
    const errors = world.log.filter(({ level }) => level === 'error').map(({ message }) => message);
    expect(errors.map((message) => /The (\w+) of a producer interceptor threw/.exec(message)?.[1])).toEqual([
      'onSend',
      'onSend',
      'onAcknowledgement',
      'close',
    ]);
  });

  it('must be an array of objects', () => {
    const world = createWorld();
    expect(() => createTestProducer(world, { interceptors: [null] as never })).toThrow('"interceptors"');
  });
});
