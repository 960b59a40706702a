/** Space of batches: used again when nobody reads it, and only then. */
import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '../io/logger.js';
import { collector, createTestProducer, faultsInTurn, numbers } from '../testing/producer-world.js';
import { createWorld } from '../testing/world.js';
import { type BatchSpace, BatchSpaces } from './batch-spaces.js';
import { Deliveries } from './deliveries.js';
import { Generation } from './generation.js';
import { POOLED_BYTES_MAX } from './limits.js';
import { ProducerBatch } from './producer-batch.js';

const SETTING = { compressionType: 'none', transactionalId: undefined, logger: silentLogger } as const;

function space(bytes: number): BatchSpace {
  return { buffer: Buffer.alloc(bytes), deliveries: new Deliveries() };
}

function batchIn(space: BatchSpace): ProducerBatch {
  const batch = new ProducerBatch('orders', 0, 0, 0, new Generation(), SETTING, space.buffer.length, space);
  batch.append(0, null, 'value', null);
  return batch;
}

describe('BatchSpaces', () => {
  it('gives a space again that was given back, and to one taker only', () => {
    const spaces = new BatchSpaces(1000);
    const first = spaces.take(1000) as BatchSpace;
    expect(first.buffer).toHaveLength(1000);
    spaces.giveBack(first);
    expect(spaces.take(600)).toBe(first);
    expect(spaces.take(600)).not.toBe(first);
  });

  it('has none for less than half a batch or for more than one', () => {
    const spaces = new BatchSpaces(1000);
    expect([499, 500, 1000, 1001].map((bytes) => spaces.take(bytes)?.buffer.length)).toEqual([
      undefined,
      1000,
      1000,
      undefined,
    ]);
  });

  it('keeps no more than POOLED_BYTES_MAX', () => {
    const size = POOLED_BYTES_MAX / 4;
    const spaces = new BatchSpaces(size);
    const given = Array.from({ length: 6 }, () => spaces.take(size) as BatchSpace);
    for (const each of given) spaces.giveBack(each);
    const again = Array.from({ length: 6 }, () => spaces.take(size) as BatchSpace);
    expect(again.filter((each) => given.includes(each))).toHaveLength(4);
    expect(new BatchSpaces(POOLED_BYTES_MAX + 1).take(POOLED_BYTES_MAX)).toBeUndefined();
  });
});

describe('ProducerBatch', () => {
  it('writes into the space it is given, and gives it up once', () => {
    const given = space(500);
    const batch = batchIn(given);
    expect(batch.bytes().buffer).toBe(given.buffer.buffer);
    batch.attempts = 1;
    expect(batch.takeSpace()).toBe(given);
    expect(batch.takeSpace()).toBeUndefined();
  });

  it('keeps the space when it was sent more than once: the first attempt may still be under way', () => {
    const batch = batchIn(space(500));
    batch.attempts = 2;
    expect(batch.takeSpace()).toBeUndefined();
  });
});

describe('Producer: buffers used again', () => {
  it('stores every record as it was appended, over many batches, lost answers and repetitions', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world, { batchSize: 400 });
    const outcome = collector();
    faultsInTurn(world, undefined, { kind: 'carry-out-and-close' }, undefined, { kind: 'close' });
    const count = 400;
    for (let index = 0; index < count; index++) {
      producer.append({ topic: 'orders', value: `${index}`.padStart(90, '0') }, outcome.callback);
      if (index % 20 === 0) await world.clock.advance(10);
    }
    await world.clock.advance(10_000);
    expect(outcome.errors).toEqual([]);
    expect(world.kafka.partition('orders', 0).values.map(Number).map(String)).toEqual(numbers(0, count - 1));
  });
});
