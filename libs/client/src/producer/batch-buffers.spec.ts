/** Buffers of batches: used again when nobody reads them, and only then. */
import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '../io/logger.js';
import { collector, createTestProducer, faultsInTurn, numbers } from '../testing/producer-world.js';
import { createWorld } from '../testing/world.js';
import { BatchBuffers } from './batch-buffers.js';
import { Generation } from './generation.js';
import { POOLED_BYTES_MAX } from './limits.js';
import { ProducerBatch } from './producer-batch.js';

const SETTING = { compressionType: 'none', transactionalId: undefined, logger: silentLogger } as const;

function batchIn(buffer: Buffer): ProducerBatch {
  const batch = new ProducerBatch('orders', 0, 0, 0, new Generation(), SETTING, buffer.length, buffer);
  batch.append(0, null, 'value', null);
  return batch;
}

describe('BatchBuffers', () => {
  it('gives a buffer again that was given back, and to one taker only', () => {
    const buffers = new BatchBuffers(1000);
    const first = buffers.take(1000) as Buffer;
    expect(first).toHaveLength(1000);
    buffers.giveBack(first);
    expect(buffers.take(600)).toBe(first);
    expect(buffers.take(600)).not.toBe(first);
  });

  it('has none for less than half a batch or for more than one', () => {
    const buffers = new BatchBuffers(1000);
    expect([499, 500, 1000, 1001].map((bytes) => buffers.take(bytes)?.length)).toEqual([
      undefined,
      1000,
      1000,
      undefined,
    ]);
  });

  it('keeps no more than POOLED_BYTES_MAX', () => {
    const size = POOLED_BYTES_MAX / 4;
    const buffers = new BatchBuffers(size);
    const given = Array.from({ length: 6 }, () => buffers.take(size) as Buffer);
    for (const buffer of given) buffers.giveBack(buffer);
    const again = Array.from({ length: 6 }, () => buffers.take(size) as Buffer);
    expect(again.filter((buffer) => given.includes(buffer))).toHaveLength(4);
    expect(new BatchBuffers(POOLED_BYTES_MAX + 1).take(POOLED_BYTES_MAX)).toBeUndefined();
  });
});

describe('ProducerBatch', () => {
  it('writes into the buffer it is given, and gives it up once', () => {
    const buffer = Buffer.alloc(500);
    const batch = batchIn(buffer);
    expect(batch.bytes().buffer).toBe(buffer.buffer);
    batch.attempts = 1;
    expect(batch.takeBuffer()).toBe(buffer);
    expect(batch.takeBuffer()).toBeUndefined();
  });

  it('keeps the buffer when it was sent more than once: the first attempt may still be under way', () => {
    const batch = batchIn(Buffer.alloc(500));
    batch.attempts = 2;
    expect(batch.takeBuffer()).toBeUndefined();
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
