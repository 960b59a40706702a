/**
 * Record batches beside kafkajs, and Fetch responses beside code written by hand for that one message.
 *
 * Batches have 1,000 records with a key of 10 and a value of 100 bytes. Reading checks the CRC on our side unless the name
 * says otherwise; kafkajs never checks it, and has one way to read, which stands beside all of ours. A Fetch response has 20
 * partitions with 1 KiB of records each. Before anything is measured, both sides of it must agree.
 */
import { deepStrictEqual } from 'node:assert';
import { Fetch, decodeResponse, encodeResponse } from '@kafka-template/protocol';
import { compare } from './support/measure.mjs';
import { FETCH_VERSION, fetchResponse } from './workloads/codec-fetch-response.mjs';
import * as handWritten from './workloads/codec-hand-written.mjs';

const RECORDS = { ours: 10_000_000, kafkajs: 1_000_000 };
const RESPONSES = 400_000;

const module = (name) => new URL(`workloads/codec-${name}.mjs`, import.meta.url).href;
const ours = { subject: 'ours', module: module('ours') };

export default async function codec({ runs }) {
  checkHandWritten();
  const records = await compare({
    runs,
    workloads: ['encode', 'encode strings', 'decode lazy', 'decode lazy, no CRC', 'decode eager'],
    subjects: [{ subject: 'kafkajs', module: module('kafkajs') }, ours],
    options: (subject) => ({ records: RECORDS[subject] }),
  });
  const responses = await compare({
    runs,
    workloads: ['fetch response encode', 'fetch response decode'],
    subjects: [{ subject: 'hand-written', module: module('hand-written') }, ours],
    options: () => ({ records: RESPONSES }),
  });
  return [...records, ...responses.map(countingResponses)];
}

function checkHandWritten() {
  const response = fetchResponse();
  const bytes = Buffer.concat(encodeResponse(Fetch, FETCH_VERSION, 7, response));
  deepStrictEqual(Buffer.concat(handWritten.encode(response, 7)), bytes);
  const frame = bytes.subarray(4);
  deepStrictEqual(handWritten.decode(frame), decodeResponse(Fetch, FETCH_VERSION, frame));
}

function countingResponses(figure) {
  const inResponses = (text) =>
    text.replace('records', 'responses').replace('CPU-s per million', 'CPU-s per million responses');
  return { ...figure, metric: inResponses(figure.metric), unit: inResponses(figure.unit) };
}
