/**
 * `npm run fuzz [-- --frames N] [--seed S]`: mutated messages and record batches, by the million.
 *
 * Starts from bytes that Apache Kafka made (golden/*.txt) and from batches of our own in all compressions; flips bits,
 * overwrites lengths, cuts, joins and repeats. Decoding may give a value or a ProtocolError; anything else ends the run with
 * the seed and the bytes. Prints how many were tried, the rate, the slowest of them, and the memory it took.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = new URL('../../', import.meta.url);
const build = spawnSync(process.execPath, ['scripts/build.mjs', 'libs/protocol/tsconfig.lib.json'], {
  cwd: fileURLToPath(root),
  stdio: 'inherit',
});
if (build.status !== 0) process.exit(build.status ?? 1);
const { APIS, BatchBuilder, COMPRESSION_NAMES, ProtocolError, Reader, RecordReader, messageCodec } =
  await import('@kafka-template/protocol');

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const frames = Number(values.frames);
const seed = Number(values.seed);
const MEASURE_EVERY = 100_000;
const STACK_FRAMES = 30;
/** One batch in this many targets is a record batch: they take longer. */
const BATCH_SHARE = 20;
const LENGTHS = ['7fffffff', '80000000', 'ffffffff', '7fff', 'ffff', 'ffffffff0f', '00000000', '00'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

/** xorshift32: small, fast, the same everywhere. */
let state = seed | 0 || 1;
function below(limit) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}

function messageTargets() {
  const messages = new Map(
    APIS.flatMap((api) => [api.request, api.response]).map((message) => [message.name, message]),
  );
  const targets = [];
  const folder = new URL('golden/', import.meta.url);
  for (const file of readdirSync(folder)) {
    let message;
    for (const line of readFileSync(new URL(file, folder), 'utf8').split('\n')) {
      if (messages.has(line)) message = messages.get(line);
      const found = /^((?:v\d+ )+)(?:full|empty) ([0-9a-f]*)$/.exec(line);
      if (message === undefined || found === null) continue;
      for (const version of found[1].trim().split(' ')) {
        const codec = messageCodec(message, Number(version.slice(1)));
        const name = `${message.name} ${version}`;
        targets.push({ name, bytes: Buffer.from(found[2], 'hex'), decode: (bytes) => codec.decode(new Reader(bytes)) });
      }
    }
  }
  return targets;
}

function batchTargets() {
  return COMPRESSION_NAMES.flatMap((compression) =>
    // Few records that repeat themselves, and many of different texts: for these zstd and gzip have to write tables.
    [8, 60].map((records) => {
      const builder = new BatchBuilder({ capacityBytes: 4096, compression });
      for (let index = 0; index < records; index++) {
        const value = records === 8 ? 'value '.repeat(index) : `${Math.imul(index, 2654435761)} is ${index * index}`;
        builder.append(1_790_000_000_000 + index, `key${index}`, value, [{ key: 'h', value: 'x' }]);
      }
      return { name: `record batch, ${compression}`, bytes: builder.finish(), decode: decodeBatches };
    }),
  );
}

function decodeBatches(bytes) {
  const reader = new RecordReader(bytes);
  while (reader.nextBatch()) while (reader.nextRecord()) reader.headers();
}

function mutate(bytes) {
  let mutated = Buffer.from(bytes);
  for (let rounds = 1 + below(4); rounds > 0 && mutated.length > 0; rounds--) {
    const at = below(mutated.length);
    switch (below(6)) {
      case 0:
        mutated[at] ^= 1 << below(8);
        break;
      case 1:
        mutated[at] = below(256);
        break;
      case 2:
        LENGTHS[below(LENGTHS.length)].copy(mutated, at);
        break;
      case 3:
        mutated = mutated.subarray(0, at);
        break;
      case 4:
        mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(below(mutated.length))]);
        break;
      default:
        mutated = Buffer.concat([mutated.subarray(at), mutated.subarray(0, at)]);
    }
  }
  return mutated;
}

const messages = messageTargets();
const batches = batchTargets();
const started = process.hrtime.bigint();
let refused = 0;
let rssMax = 0;
let slowestMs = 0;
let slowestName = '';
// Millions of errors are made below; most of the time would go into stacks that nobody reads.
Error.stackTraceLimit = 0;
console.log(`fuzz: ${frames} frames from ${messages.length} messages and ${batches.length} batches, seed ${seed}`);
for (let done = 1; done <= frames; done++) {
  const pool = below(BATCH_SHARE) === 0 ? batches : messages;
  const target = pool[below(pool.length)];
  const bytes = mutate(target.bytes);
  const startedMs = performance.now();
  try {
    target.decode(bytes);
  } catch (error) {
    if (!(error instanceof ProtocolError)) {
      console.error(`${target.name}, seed ${seed}, frame ${done}, bytes ${bytes.toString('hex')}`);
      Error.stackTraceLimit = STACK_FRAMES;
      target.decode(bytes); // once more, for its stack
      throw error;
    }
    refused++;
  }
  const tookMs = performance.now() - startedMs;
  if (tookMs > slowestMs) {
    slowestMs = tookMs;
    slowestName = target.name;
  }
  if (done % MEASURE_EVERY === 0 || done === frames) rssMax = Math.max(rssMax, process.memoryUsage().rss);
}
const seconds = Number(process.hrtime.bigint() - started) / 1e9;
console.log(
  `${frames} frames in ${seconds.toFixed(1)} s (${Math.round(frames / seconds)} a second): ` +
    `${refused} refused with a ProtocolError, ${frames - refused} read, nothing else; ` +
    `the slowest took ${slowestMs.toFixed(1)} ms (${slowestName}); RSS at most ${Math.round(rssMax / 2 ** 20)} MiB`,
);
