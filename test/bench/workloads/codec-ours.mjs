/** Our record batches (1,000 records, built and read again and again) and our Fetch responses. */
import { BatchBuilder, Fetch, RecordReader, decodeResponse, encodeResponse } from '@kafka-template/protocol';
import { recordAt } from '../support/records.mjs';
import { stopwatch } from '../support/stopwatch.mjs';
import { FETCH_VERSION, fetchResponse, repeatMessages } from './codec-fetch-response.mjs';

const BATCH = 1000;
const CAPACITY = 128 * 1024;
const NOW = 1_790_000_000_000;

function build(keys, values) {
  const builder = new BatchBuilder({ capacityBytes: CAPACITY });
  for (let index = 0; index < BATCH; index++) builder.append(NOW + index, keys[index], values[index], null);
  return builder.finish();
}

const keys = Array.from({ length: BATCH }, (_, index) => recordAt(index).key);
const values = Array.from({ length: BATCH }, (_, index) => recordAt(index).value);

function repeat(records, work) {
  for (let warm = 0; warm < 300; warm++) work();
  const elapsed = stopwatch();
  for (let done = 0; done < records; done += BATCH) work();
  return { records, ...elapsed() };
}

function decode({ records, crc, touch }) {
  const batch = build(keys, values);
  const reader = new RecordReader();
  let seen = 0;
  const result = repeat(records, () => {
    reader.reset(batch);
    while (reader.nextBatch()) {
      if (crc && !reader.checkCrc()) throw new Error('a checksum is wrong');
      while (reader.nextRecord()) seen += touch(reader);
    }
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
  'decode lazy': ({ records }) => decode({ records, crc: true, touch: (reader) => reader.valueLength }),
  'decode lazy, no CRC': ({ records }) => decode({ records, crc: false, touch: (reader) => reader.valueLength }),
  'decode eager': ({ records }) =>
    decode({
      records,
      crc: true,
      touch: (reader) => {
        const { offset, timestamp } = reader;
        const record = { offset, timestamp, key: reader.key(), value: reader.value(), headers: reader.headers() };
        return record.value.length;
      },
    }),
  'fetch response encode': ({ records }) => {
    const response = fetchResponse();
    return repeatMessages(records, (index) => encodeResponse(Fetch, FETCH_VERSION, index, response).length);
  },
  'fetch response decode': ({ records }) => {
    const frame = Buffer.concat(encodeResponse(Fetch, FETCH_VERSION, 7, fetchResponse())).subarray(4);
    return repeatMessages(records, () => decodeResponse(Fetch, FETCH_VERSION, frame).responses.length);
  },
};
