/**
 * Kafka's own generated classes and our codecs make the same bytes of the same JSON, and each reads the other's.
 *
 * Guarantees this for every message at every version, with random values, and that the golden files of test/conformance
 * hold what this version of Kafka writes. UPDATE_GOLDEN=1 writes those files anew.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Message, Reader, Writer, messageCodec } from '@kafka-template/protocol';
import { GOLDEN_FILES, casesOf, goldenText, goldenValue } from '../../conformance/support/golden.js';
import { toJson } from '../../conformance/support/message-json.js';
import { MESSAGES_AT_VERSIONS } from '../../conformance/support/messages.js';
import { type Struct, randomMessage } from '../../conformance/support/random-message.js';
import { Random, seedOfRun } from '../../conformance/support/random.js';
import { sampleMessage } from '../../conformance/support/sample-message.js';
import { KAFKA_VERSION, askKafka } from './kafka-codec.js';

const RANDOM_MESSAGES_PER_CODEC = 20;
const goldenFolder = join(import.meta.dirname, '../../conformance/golden');
const seed = seedOfRun();

interface Answer {
  readonly hex: string;
  readonly again: string;
  readonly unread: number;
  readonly error?: string;
}

interface Question {
  readonly message: Message;
  readonly version: number;
  readonly value: Struct;
  readonly hex: string;
}

function question(message: Message, version: number, value: Struct): Question {
  const writer = new Writer();
  messageCodec(message, version).encode(writer, value);
  return { message, version, value, hex: writer.toBuffer().toString('hex') };
}

function requestText({ message, version, value, hex }: Question): string {
  const json = toJson(message, version, value);
  return `{"op":"message","name":"${message.name}","version":${version},"json":${json},"hex":"${hex}"}`;
}

describe(`bytes of Apache Kafka ${KAFKA_VERSION}, SEED=${seed}`, () => {
  it('are ours, and both read each other', async () => {
    const random = new Random(seed);
    const questions = MESSAGES_AT_VERSIONS.flatMap(({ message, version }) =>
      (['default', 'full', ...Array<'random'>(RANDOM_MESSAGES_PER_CODEC).fill('random')] as const).map((filling) =>
        question(message, version, randomMessage(message, version, random, filling)),
      ),
    );
    const answers = await askKafka<Answer>(questions.map(requestText));
    questions.forEach((asked, index) => {
      const answer = answers[index];
      const decoded = messageCodec(asked.message, asked.version).decode(
        new Reader(Buffer.from(answer?.hex ?? '', 'hex')),
      );
      const equal = answer?.hex === asked.hex && answer.again === asked.hex && answer.unread === 0;
      if (equal && isDeepStrictEqual(decoded, asked.value)) return;
      const where = `${asked.message.name} v${asked.version}`;
      expect({ where, answer, decoded }).toEqual({
        where,
        answer: { hex: asked.hex, again: asked.hex, unread: 0 },
        decoded: asked.value,
      });
    });
    expect(questions.length).toBeGreaterThan(10_000);
  });

  it('are what the golden files hold', async () => {
    const cases = GOLDEN_FILES.flatMap((file) => file.messages).flatMap((message) => {
      const full = sampleMessage(message);
      return casesOf(message).map(({ version, kind }) => ({
        key: `${message.name} ${version} ${kind}`,
        asked: question(message, version, goldenValue(message, version, kind, full)),
      }));
    });
    const answers = await askKafka<Answer>(cases.map(({ asked }) => requestText(asked)));
    const bytes = new Map(cases.map(({ key }, index) => [key, answers[index]?.hex ?? `${answers[index]?.error}`]));
    const provenance = `Bytes made by Apache Kafka ${KAFKA_VERSION} (its generated JsonConverter classes) from the JSON beside them.`;
    if (process.env['UPDATE_GOLDEN'] === '1') mkdirSync(goldenFolder, { recursive: true });
    for (const file of GOLDEN_FILES) {
      const text = goldenText(
        file,
        provenance,
        ({ message, version, kind }) => bytes.get(`${message.name} ${version} ${kind}`) ?? '',
      );
      const path = join(goldenFolder, file.name);
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, text);
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
  });
});
