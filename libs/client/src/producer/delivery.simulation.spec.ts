/**
 * Seeded runs of a producer against a cluster that fails in every way a spec can think of.
 *
 * Checked after each run: every callback was called exactly once; what was acknowledged is in the log, at the offset that
 * was told; the order inside a partition is the order of the calls; with idempotence nothing is in a log twice; no timer
 * and no connection is left. A failing seed is printed by its test's name and can be run alone.
 */
import { ErrorCode, type ProduceRequest } from '@kafka-template/protocol';
import { type Random, seededRandom } from '../io/random.js';
import type { Fault, SeenRequest } from '../testing/fake-kafka.js';
import { createTestProducer, watch } from '../testing/producer-world.js';
import { type World, createWorld } from '../testing/world.js';
import type { ProducerOptions } from './producer-options.js';

const PARTITIONS = 4;
const RECORDS = 300;

/** Runs; more of them by `PRODUCER_SEEDS=1000`. */
const SEEDS = Number(process.env.PRODUCER_SEEDS ?? 40);

interface Told {
  outcomes: number;
  offset: number | null;
}

/** A broker's refusal of everything in a Produce request. */
function refusal(request: SeenRequest, errorCode: number): Fault {
  const { topicData } = request.body as ProduceRequest;
  const responses = topicData.map(({ name, partitionData }) => ({
    name,
    partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1 })),
  }));
  return { kind: 'answer', body: { responses } };
}

function drawFault(request: SeenRequest, random: Random): Fault {
  const choice = Math.floor(random.next() * 8);
  if (request.api === 'Produce' && choice === 0) return refusal(request, ErrorCode.NOT_ENOUGH_REPLICAS);
  if (request.api === 'Produce' && choice === 1) return refusal(request, ErrorCode.KAFKA_STORAGE_ERROR);
  if (request.api === 'Produce' && choice === 2) return refusal(request, ErrorCode.MESSAGE_TOO_LARGE);
  if (choice <= 4) return { kind: 'carry-out-and-close' };
  if (choice === 5) return { kind: 'close' };
  return { kind: choice === 6 ? 'carry-out-and-silence' : 'silence' };
}

/** Breaks some of the requests. */
function breakThings(world: World, random: Random): void {
  const share = random.next() / 3;
  world.kafka.fault = (request) => {
    if (request.api === 'ApiVersions' || random.next() > share) return undefined;
    return drawFault(request, random);
  };
}

function drawOptions(random: Random): Partial<ProducerOptions> {
  return {
    batchSize: 60 + Math.floor(random.next() * 200),
    lingerMs: Math.floor(random.next() * 3) * 5,
    requestTimeoutMs: 300,
    deliveryTimeoutMs: 400 + Math.floor(random.next() ** 2 * 20_000),
    retryBackoffMs: 20,
    bufferMemory: random.next() < 0.5 ? 2_000 : 1_000_000,
  };
}

async function produceThroughFaults(world: World, seed: number, options: Partial<ProducerOptions>): Promise<Told[]> {
  const random = seededRandom(seed);
  const producer = createTestProducer(world, { ...drawOptions(random), ...options });
  breakThings(world, random);
  const told: Told[] = [];
  for (let index = 0; index < RECORDS; index++) {
    const entry: Told = { outcomes: 0, offset: null };
    told.push(entry);
    const record = { topic: 'orders', partition: index % PARTITIONS, value: String(index) };
    producer.append(record, (_error, metadata) => {
      entry.outcomes += 1;
      entry.offset = metadata?.offset ?? null;
    });
    if (random.next() < 0.2) await world.clock.advance(Math.floor(random.next() * 60));
    if (random.next() < 0.03) moveLeader(world, random);
    if (random.next() < 0.01) await restartBroker(world, random);
  }
  world.kafka.fault = () => undefined;
  const closed = watch(producer.close());
  await world.clock.advance(60_000);
  expect(closed.isDone).toBe(true);
  return told;
}

function moveLeader(world: World, random: Random): void {
  world.kafka.elect('orders', Math.floor(random.next() * PARTITIONS), 1 + Math.floor(random.next() * 3));
}

async function restartBroker(world: World, random: Random): Promise<void> {
  const id = 1 + Math.floor(random.next() * 3);
  world.kafka.stop(id);
  await world.clock.advance(Math.floor(random.next() * 800));
  world.kafka.start(id);
}

function check(world: World, told: readonly Told[], isIdempotent: boolean): void {
  expect(told.every(({ outcomes }) => outcomes === 1)).toBe(true);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const stored = world.kafka.partition('orders', partition).values.map(Number);
    if (isIdempotent) expect(new Set(stored).size).toBe(stored.length);
    const firsts = [...new Set(stored)];
    expect(firsts).toEqual([...firsts].sort((left, right) => left - right));
    for (let index = partition; index < RECORDS; index += PARTITIONS) {
      const offset = told[index]?.offset ?? null;
      if (offset !== null) expect([index, stored[offset]]).toEqual([index, index]);
    }
  }
}

function seeds(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

describe('Producer: through faults', () => {
  it.each(seeds(SEEDS))('idempotent, seed %i', async (seed) => {
    const world = createWorld({ brokers: 3, topics: { orders: PARTITIONS }, seed });
    // Some clusters take only small batches, so that larger ones are divided.
    for (let partition = 0; partition < seed % PARTITIONS; partition++) {
      world.kafka.partition('orders', partition).batchBytesMax = 100;
    }
    check(world, await produceThroughFaults(world, seed, {}), true);
    expect(world.network.open).toEqual([]);
    expect(world.clock.timerCount).toBe(0);
  });

  it.each(seeds(SEEDS / 2))('not idempotent, one request at a time, seed %i', async (seed) => {
    const world = createWorld({ brokers: 3, topics: { orders: PARTITIONS }, seed });
    const options = { enableIdempotence: false, maxInFlightRequestsPerConnection: 1 };
    check(world, await produceThroughFaults(world, seed, options), false);
    expect(world.network.open).toEqual([]);
    expect(world.clock.timerCount).toBe(0);
  });
});
