/**
 * Bytes made by Apache Kafka itself, for every message at every version: ours are the same, and we read theirs.
 *
 * Guarantees what the differential test cannot: that both of our codecs are not wrong together. The files in golden/ hold
 * where their bytes come from; support/golden.ts says how they are written.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Reader, Writer, messageCodec } from '@kafka-template/protocol';
import { GOLDEN_FILES, casesOf, goldenValue, parseGolden } from './support/golden.js';
import { fromJson } from './support/message-json.js';

const folder = join(import.meta.dirname, 'golden');

describe('golden bytes of Apache Kafka', () => {
  it('exist for every API and record', () => {
    const expected = GOLDEN_FILES.map((file) => file.name);
    expect(readdirSync(folder).sort()).toEqual(expected.sort());
  });

  it.each(GOLDEN_FILES)('$name', ({ name, messages }) => {
    const { full, cases } = parseGolden(readFileSync(join(folder, name), 'utf8'));
    for (const message of messages) {
      const value = fromJson(message, full.get(message.name) ?? '');
      for (const { version, kind } of casesOf(message)) {
        const where = `${message.name} v${version} ${kind}`;
        const golden = cases.find((one) => one.name === message.name && one.version === version && one.kind === kind);
        const given = goldenValue(message, version, kind, value);
        const codec = messageCodec(message, version);
        const writer = new Writer();
        codec.encode(writer, given);
        expect({ where, hex: writer.toBuffer().toString('hex') }).toEqual({ where, hex: golden?.hex });
        const reader = new Reader(Buffer.from(golden?.hex ?? '', 'hex'));
        expect({ where, value: codec.decode(reader), left: reader.remaining }).toEqual({
          where,
          value: given,
          left: 0,
        });
      }
    }
  });
});
