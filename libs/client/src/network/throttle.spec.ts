/** Quotas: a connection whose broker throttles it is left alone for that long (KIP-219). */
import { Produce } from '@kafka-template/protocol';
import { answerWith, createTestProducer, faultsInTurn, produceRequests, watch } from '../testing/producer-world.js';
import { type World, createWorld } from '../testing/world.js';

function throttled(throttleTimeMs: number): Parameters<typeof faultsInTurn>[1] {
  const fault = answerWith(0, { baseOffset: 7 });
  if (fault.kind !== 'answer') return fault;
  return { ...fault, body: { ...(fault.body as object), throttleTimeMs } };
}

async function sendOne(world: World, producer = createTestProducer(world)): Promise<typeof producer> {
  const sent = watch(producer.send({ topic: 'orders', value: 'v' }));
  await world.clock.run();
  expect(sent.value?.offset).toBe(7);
  return producer;
}

describe('a throttled connection', () => {
  it('carries no request before the time is over, then those that waited, in order', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    faultsInTurn(world, throttled(3_000));
    const producer = await sendOne(world);
    const later = watch(producer.send({ topic: 'orders', value: 'w' }));
    await world.clock.advance(2_999);
    expect(produceRequests(world)).toHaveLength(1);
    expect(later.isDone).toBe(false);
    await world.clock.advance(1);
    expect(produceRequests(world)).toHaveLength(2);
    expect(later.error).toBeUndefined();
    expect(later.isDone).toBe(true);
  });

  it('is used again at once when it was opened anew', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    faultsInTurn(world, throttled(60_000));
    const producer = await sendOne(world);
    world.kafka.stop(1);
    world.kafka.start(1);
    const later = watch(producer.send({ topic: 'orders', value: 'w' }));
    await world.clock.advance(5_000);
    expect(later.value?.offset).toBe(0);
  });

  it('costs nothing where the broker has waited itself', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    world.kafka.ranges.set(Produce.key, [3, 5]);
    faultsInTurn(world, throttled(3_000));
    const producer = await sendOne(world);
    const later = watch(producer.send({ topic: 'orders', value: 'w' }));
    await world.clock.run();
    expect(later.isDone).toBe(true);
  });
});
