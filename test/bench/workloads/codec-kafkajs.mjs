/** The record batches of kafkajs, by the modules its producer and consumer use. It has one way to read them: eagerly. */
import { createRequire } from 'node:module';
import { recordAt } from '../support/records.mjs';
import { stopwatch } from '../support/stopwatch.mjs';

const load = createRequire(import.meta.url);
const Record = load('kafkajs/src/protocol/recordBatch/record/v0/index.js');
const { RecordBatch } = load('kafkajs/src/protocol/recordBatch/v0/index.js');
const decodeBatch = load('kafkajs/src/protocol/recordBatch/v0/decoder.js');
const Decoder = load('kafkajs/src/protocol/decoder.js');

const BATCH = 1000;
const NOW = 1_790_000_000_000;

async function build(keys, values) {
  const records = keys.map((key, offsetDelta) =>
    Record({ key, value: values[offsetDelta], offsetDelta, timestampDelta: offsetDelta }),
  );
  const batch = await RecordBatch({
    firstTimestamp: NOW,
    maxTimestamp: NOW + BATCH,
    lastOffsetDelta: BATCH - 1,
    records,
  });
  return batch.buffer;
}

const keys = Array.from({ length: BATCH }, (_, index) => recordAt(index).key);
const values = Array.from({ length: BATCH }, (_, index) => recordAt(index).value);

async function repeat(records, work) {
  for (let warm = 0; warm < 30; warm++) await work();
  const elapsed = stopwatch();
  for (let done = 0; done < records; done += BATCH) await work();
  return { records, ...elapsed() };
}

async function decode({ records }) {
  const bytes = Buffer.from(await build(keys, values));
  let seen = 0;
  const result = await repeat(records, async () => {
    const { records: decoded } = await decodeBatch(new Decoder(bytes));
    seen += decoded.length;
  });
  if (seen <= 0) throw new Error('nothing was read');
  return result;
}

export default {
  encode: ({ records }) => repeat(records, () => build(keys, values)),
  'encode strings': ({ records }) => {
    const textKeys = keys.map(String);
    const textValues = values.map(String);
    return repeat(records, () => build(textKeys, textValues));
  },
  'decode lazy': decode,
  'decode lazy, no CRC': decode,
  'decode eager': decode,
};
