/**
 * Building and reading record batches, beside kafkajs: batches of 1,000 records with a key of 10 and a value of 100 bytes.
 *
 * Reading checks the CRC on our side; kafkajs does not check it. kafkajs has one way to read, which stands beside both of ours.
 */
import { compare } from './support/measure.mjs';

const RECORDS = { ours: 10_000_000, kafkajs: 1_000_000 };

export default function codec({ runs }) {
  return compare({
    runs,
    workloads: ['encode', 'encode strings', 'decode lazy', 'decode eager'],
    subjects: [
      { subject: 'kafkajs', module: new URL('workloads/codec-kafkajs.mjs', import.meta.url).href },
      { subject: 'ours', module: new URL('workloads/codec-ours.mjs', import.meta.url).href },
    ],
    options: (subject) => ({ records: RECORDS[subject] }),
  });
}
