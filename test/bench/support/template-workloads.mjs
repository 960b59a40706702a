/**
 * What every subject of the template bench does, on top of an adapter, so that all of them do the same.
 *
 * An adapter has four functions.
 * `sender({ bootstrapServers })` resolves with `{ forget(topic, key, value), callback(topic, key, value, answer), sync(topic, key,
 * value), close() }`; `sync` resolves when the record is acknowledged; one of `answer.sent()`, `answer.failed(error)` and `answer.done(error |
 * null)` is called then.
 * `listener({ bootstrapServers, topic, group, mode, take, look })` reads the topic from its beginning; `mode` is BATCH, MANUAL, RECORD or
 * `batch`; for each value `take(value)` is called, and `look()` for each record, or once for each batch. Resolves with `{ close() }`.
 * `requests({ bootstrapServers, topic, group })` resolves with `{ request(value), close() }` when a listener answers.
 */
import { stopwatch } from './stopwatch.mjs';

const DISTINCT = 1024;
const KEYS = Array.from({ length: DISTINCT }, (_, index) => String(index).padStart(10, '0'));
const VALUES = Array.from({ length: DISTINCT }, (_, index) => String.fromCharCode(97 + (index % 26)).repeat(100));
/** Of records that are sent and forgotten, one in so many is looked at: what stands for a bounded buffer in Java. */
const LOOKED_AT = 1000;
const SINGLE_REQUESTS = 1000;
const WARM_UP_REQUESTS = 200;
const OPEN_REQUESTS = 100;

/** Key and value number `index`. */
export const keyAt = (index) => KEYS[index % DISTINCT];
export const valueAt = (index) => VALUES[index % DISTINCT];

function percentiles(milliseconds) {
  const sorted = milliseconds.sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** Sends without looking at what becomes of it; at most about `open` records are not acknowledged. */
async function forget(sender, { topic, open }, records) {
  const lookedAt = Math.min(LOOKED_AT, open / 10);
  const looked = [];
  for (let index = 1; index <= records; index++) {
    if (index % lookedAt !== 0) {
      sender.forget(topic, keyAt(index), valueAt(index));
      continue;
    }
    looked.push(sender.sync(topic, keyAt(index), valueAt(index)));
    if (looked.length * lookedAt >= open) await looked.shift();
  }
  await Promise.all([...looked, sender.sync(topic, keyAt(0), valueAt(0))]);
}

async function callback(sender, { topic, open }, records) {
  let pending = 0;
  let goOn;
  let failure;
  const done = (error) => {
    failure ??= error ?? undefined;
    if (--pending <= open / 2) goOn?.();
  };
  const answer = { done, sent: () => done(null), failed: done };
  for (let index = 0; index < records; index++) {
    if (pending >= open) await new Promise((resolve) => (goOn = resolve));
    if (failure !== undefined) throw failure;
    pending++;
    sender.callback(topic, keyAt(index), valueAt(index), answer);
  }
  while (pending > 0) await new Promise((resolve) => (goOn = resolve));
}

async function sync(sender, { topic }, records) {
  const latencies = [];
  for (let index = 0; index < records; index++) {
    const start = performance.now();
    await sender.sync(topic, keyAt(index), valueAt(index));
    latencies.push(performance.now() - start);
  }
  return percentiles(latencies);
}

async function send(adapter, how, { records, warmUp, ...options }) {
  const sender = await adapter.sender(options);
  await how(sender, options, warmUp);
  const elapsed = stopwatch();
  const more = await how(sender, options, records);
  const time = elapsed();
  await sender.close();
  return { records, ...time, ...more };
}

/** Measured from the end of the warm-up on. */
async function listen(adapter, mode, { records, warmUp, ...options }) {
  let seen = 0;
  let characters = 0;
  let first;
  let elapsed;
  let result;
  let finished;
  const done = new Promise((resolve) => (finished = resolve));
  const listening = await adapter.listener({
    ...options,
    mode,
    take(value) {
      characters += value.length;
      seen += 1;
    },
    look() {
      if (elapsed === undefined) {
        if (seen < warmUp) return;
        elapsed = stopwatch();
        first = seen;
      }
      if (seen < warmUp + records || result !== undefined) return;
      result = { records: seen - first, ...elapsed() };
      finished();
    },
  });
  await done;
  await listening.close();
  if (characters < seen * 100) throw new Error(`read ${characters} characters in ${seen} records`);
  return result;
}

async function requestReply(adapter, { records, warmUp, ...options }) {
  const requests = await adapter.requests(options);
  const single = async (count) => {
    const latencies = [];
    for (let index = 0; index < count; index++) {
      const start = performance.now();
      await requests.request(valueAt(index));
      latencies.push(performance.now() - start);
    }
    return percentiles(latencies);
  };
  const open = async (count) => {
    let sent = 0;
    const lane = async () => {
      while (sent < count) await requests.request(valueAt(sent++));
    };
    await Promise.all(Array.from({ length: OPEN_REQUESTS }, lane));
  };
  await single(WARM_UP_REQUESTS);
  await open(warmUp);
  const latencies = await single(SINGLE_REQUESTS);
  const elapsed = stopwatch();
  await open(records);
  const time = elapsed();
  await requests.close();
  return { records, ...time, ...latencies };
}

/** From the start of the process to the first record in a listener. */
async function start(adapter, { spawnedAt, ...options }) {
  let startMs;
  let arrived;
  const first = new Promise((resolve) => (arrived = resolve));
  const listening = await adapter.listener({
    ...options,
    mode: 'BATCH',
    take() {
      startMs ??= Date.now() - spawnedAt;
    },
    look: () => arrived(),
  });
  await first;
  await listening.close();
  return { startMs };
}

/** The workloads of an adapter, by name. */
export function templateWorkloads(adapter) {
  return {
    'send forget': (options) => send(adapter, forget, options),
    'send callback': (options) => send(adapter, callback, options),
    'send sync': (options) => send(adapter, sync, options),
    'listen record BATCH': (options) => listen(adapter, 'BATCH', options),
    'listen record MANUAL': (options) => listen(adapter, 'MANUAL', options),
    'listen record RECORD': (options) => listen(adapter, 'RECORD', options),
    'listen batch': (options) => listen(adapter, 'batch', options),
    'request reply': (options) => requestReply(adapter, options),
    start: (options) => start(adapter, options),
  };
}
