/**
 * What every client does in the benches, on top of an adapter, so that all of them do the same.
 *
 * An adapter has two functions.
 * `producer({ bootstrapServers })` resolves with `{ send(topic, record), batch(topic, records), close() }`, the first two
 * resolving when everything is acknowledged. `consumer({ bootstrapServers, topic, group, batch | each, failed })` reads the
 * topic from its beginning as a group and resolves with `{ close() }`; `batch(records)` gets an iterable of
 * `{ key, value }`, `each(record)` returns a promise that is awaited before the next record.
 */
import { recordAt } from './records.mjs';
import { stopwatch } from './stopwatch.mjs';

const BATCH = 1000;
const OPEN = 1000;
const MANY_OPEN = 10_000;
const WARM_UP = 100;

async function warmProducer(adapter, { bootstrapServers, topic }) {
  const producer = await adapter.producer({ bootstrapServers });
  for (let index = 0; index < WARM_UP; index++) await producer.send(topic, recordAt(index));
  return producer;
}

async function sendOpen(adapter, { records, ...options }, open) {
  const producer = await warmProducer(adapter, options);
  const elapsed = stopwatch();
  let sent = 0;
  const lane = async () => {
    while (sent < records) await producer.send(options.topic, recordAt(sent++));
  };
  await Promise.all(Array.from({ length: open }, lane));
  const time = elapsed();
  await producer.close();
  return { records, ...time };
}

async function sendBatches(adapter, { records, ...options }) {
  const producer = await warmProducer(adapter, options);
  const elapsed = stopwatch();
  for (let sent = 0; sent < records; sent += BATCH) {
    await producer.batch(
      options.topic,
      Array.from({ length: BATCH }, (_, index) => recordAt(sent + index)),
    );
  }
  const time = elapsed();
  await producer.close();
  return { records, ...time };
}

/** Measured from the first record on: joining the group is not consuming. */
async function consume(adapter, handler, { records, ...options }) {
  let seen = 0;
  let bytes = 0;
  let elapsed;
  let consumer;
  const take = ({ key, value }) => {
    bytes += key.length + value.length;
    seen += 1;
  };
  await new Promise((resolve, reject) => {
    const handlers = {
      batch(batch) {
        elapsed ??= stopwatch();
        for (const record of batch) take(record);
        if (seen >= records) resolve();
      },
      async each(record) {
        elapsed ??= stopwatch();
        take(record);
        if (seen === records) resolve();
      },
    };
    adapter.consumer({ ...options, [handler]: handlers[handler], failed: reject }).then((started) => {
      consumer = started;
    }, reject);
  });
  const time = elapsed();
  await consumer?.close();
  if (bytes < seen * 100) throw new Error(`read ${bytes} bytes in ${seen} records`);
  return { records: seen, ...time };
}

function percentiles(milliseconds) {
  const sorted = milliseconds.sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

async function awaitedSend(adapter, { records, ...options }) {
  const producer = await warmProducer(adapter, options);
  const latencies = [];
  const elapsed = stopwatch();
  for (let index = 0; index < records; index++) {
    const start = performance.now();
    await producer.send(options.topic, recordAt(index));
    latencies.push(performance.now() - start);
  }
  const time = elapsed();
  await producer.close();
  return { records, ...time, ...percentiles(latencies) };
}

/** One record at a time through the topic: from `send` to the consumer's handler. */
async function produceToConsumed(adapter, { records, ...options }) {
  let arrived;
  const trip = () => new Promise((resolve) => (arrived = resolve));
  const failure = new Promise((_, reject) => {
    options.failed = reject;
  });
  const consumer = await adapter.consumer({
    ...options,
    batch(batch) {
      for (const { value } of batch) if (value !== null) arrived?.();
    },
  });
  const producer = await adapter.producer(options);
  const send = async (index) => {
    const there = trip();
    await Promise.race([Promise.all([producer.send(options.topic, recordAt(index)), there]), failure]);
  };
  for (let index = 0; index < WARM_UP; index++) await send(index);
  const latencies = [];
  const elapsed = stopwatch();
  for (let index = 0; index < records; index++) {
    const start = performance.now();
    await send(index);
    latencies.push(performance.now() - start);
  }
  const time = elapsed();
  await producer.close();
  await consumer.close();
  return { records, ...time, ...percentiles(latencies) };
}

/** From the start of the process to the first acknowledgement; the client is imported in this time. */
async function start(adapter, { topic, spawnedAt, ...options }) {
  const producer = await adapter.producer(options);
  await producer.send(topic, recordAt(0));
  const startMs = Date.now() - spawnedAt;
  await producer.close();
  return { startMs };
}

/** The workloads of an adapter, by name. */
export function clientWorkloads(adapter) {
  return {
    'one send per record': (options) => sendOpen(adapter, options, OPEN),
    batches: (options) => sendBatches(adapter, options),
    'consume batch': (options) => consume(adapter, 'batch', options),
    'consume each': (options) => consume(adapter, 'each', options),
    'awaited send': (options) => awaitedSend(adapter, options),
    'produce to consumed': (options) => produceToConsumed(adapter, options),
    start: (options) => start(adapter, options),
    '10,000 open sends': (options) => sendOpen(adapter, options, MANY_OPEN),
  };
}
