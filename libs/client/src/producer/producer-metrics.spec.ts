/** The numbers of a producer. */
import { ErrorCode } from '@kafka-template/protocol';
import { answerWith, createTestProducer, faultsInTurn } from '../testing/producer-world.js';
import { createWorld } from '../testing/world.js';

describe('producer.metrics()', () => {
  it('counts records, batches, requests, repetitions and failures, and the time answers take', async () => {
    const world = createWorld({ topics: { orders: 1 } });
    const producer = createTestProducer(world);
    expect(producer.metrics()).toMatchObject({ recordSendTotal: 0, requestTotal: 0, requestLatencyAvgMs: 0 });
    for (let index = 0; index < 5; index++) producer.append({ topic: 'orders', value: 'x' });
    await world.clock.run();
    faultsInTurn(world, answerWith(ErrorCode.NOT_LEADER_OR_FOLLOWER), undefined, answerWith(ErrorCode.INVALID_RECORD));
    producer.append({ topic: 'orders', value: 'again' });
    await world.clock.advance(1_000);
    producer.append({ topic: 'orders', value: 'refused' });
    await world.clock.run();
    world.kafka.fault = ({ api }) => (api === 'Produce' ? { kind: 'delay', milliseconds: 40 } : undefined);
    producer.append({ topic: 'orders', value: 'slow' });
    await world.clock.advance(20);
    expect(producer.metrics()).toMatchObject({ requestsInFlight: 1, recordsPending: 1 });
    await world.clock.advance(2_000);
    const metrics = producer.metrics();
    expect(metrics).toMatchObject({
      recordSendTotal: 7,
      recordErrorTotal: 1,
      recordRetryTotal: 1,
      batchTotal: 3,
      batchSplitTotal: 0,
      requestTotal: 5,
      requestsInFlight: 0,
      requestLatencyMaxMs: 40,
      recordsPending: 0,
      bufferAvailableBytes: metrics.bufferTotalBytes,
    });
    expect(metrics.requestLatencyAvgMs).toBe(8);
    expect(metrics.byteTotal).toBeGreaterThan(5 * 61);
  });
});
