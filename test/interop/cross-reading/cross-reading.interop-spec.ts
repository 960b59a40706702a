/**
 * What our client writes others read, and what they write it reads: Kafka's console tools (Java), kcat (librdkafka), kafkajs.
 *
 * The same records go every way: keys, headers, an empty value, a tombstone, text beyond ASCII; in every compression both
 * sides have. kafkajs has gzip only. Keys go to the partition where Java puts them.
 */
import {
  createAdmin,
  createConsumer,
  createProducer,
  silentLogger,
  type Admin,
  type ProducerOptions,
} from '@kafka-template/client';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { until } from '../../support/until.js';
import { kcat } from '../support/kcat.js';
import { startTarget, type Target } from '../support/target.js';
import { lines, toolsFor, type Tools } from '../tools/kafka-tool.js';
import { javaPartitions } from './partitions.js';

type Codec = NonNullable<ProducerOptions['compressionType']>;

const CODECS: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const KAFKAJS_CODECS: readonly (readonly [Codec, CompressionTypes])[] = [
  ['none', CompressionTypes.None],
  ['gzip', CompressionTypes.GZIP],
];
const JAVA_NULL = 'NIL';

/** A record as all of them can say it. */
interface Sample {
  readonly key: string;
  readonly value: string | null;
  /** One at most: kcat gives all records of a call the same ones. */
  readonly header: string | null;
}

/** Long and alike enough that a compression compresses. */
const SAMPLES: readonly Sample[] = [
  { key: 'first', value: 'one', header: 'trace-ü' },
  { key: 'ключ', value: 'значение €', header: null },
  { key: 'gone', value: null, header: 'why' },
  ...Array.from({ length: 50 }, (_, at) => ({ key: `k${at}`, value: 'much the same again '.repeat(20), header: null })),
];

let target: Target;
let tools: Tools;
let admin: Admin;
let kafkajs: Kafka;

beforeAll(async () => {
  target = await startTarget();
  tools = toolsFor(target.bootstrapServers);
  admin = createAdmin({ bootstrapServers: target.bootstrapServers, logger: silentLogger });
  kafkajs = new Kafka({ brokers: [target.bootstrapServers], logLevel: logLevel.NOTHING });
});
afterAll(async () => {
  await admin?.close();
  await target?.stop();
});

/** Creates the topic; one partition, so that the order of records is one. */
async function create(topic: string): Promise<string> {
  const [outcome] = await admin.createTopics([{ name: topic, numPartitions: 1, replicationFactor: 1 }]);
  if (outcome?.error != null) throw outcome.error;
  return topic;
}

/** Our producer: all samples, as one batch. */
async function produce(topic: string, compressionType: Codec): Promise<void> {
  const { bootstrapServers } = target;
  const producer = createProducer({ bootstrapServers, compressionType, lingerMs: 5, logger: silentLogger });
  try {
    await Promise.all(
      SAMPLES.map(({ key, value, header }) =>
        producer.send({ topic, key, value, headers: header === null ? [] : [{ key: 'h', value: header }] }),
      ),
    );
  } finally {
    await producer.close();
  }
}

/** Our consumer: everything in the topic, which has to be that many records. */
async function consume(topic: string, count: number): Promise<Sample[]> {
  const { bootstrapServers } = target;
  const consumer = createConsumer({ bootstrapServers, autoOffsetReset: 'earliest', logger: silentLogger });
  const read: Sample[] = [];
  try {
    consumer.assign([{ topic, partition: 0 }]);
    await until(async () => {
      for (const { key, value, headers } of await consumer.poll(200)) {
        for (const header of headers) expect(header.key).toBe('h');
        expect(headers.length).toBeLessThanOrEqual(1);
        read.push({
          key: String(key),
          value: value?.toString() ?? null,
          header: headers[0]?.value?.toString() ?? null,
        });
      }
      return read.length >= count;
    }, `our consumer has read ${count} records of ${topic}`);
    return read;
  } finally {
    await consumer.close();
  }
}

describe('what our producer writes', () => {
  it.each(CODECS)('kcat reads: %s', async (codec) => {
    const topic = await create(`ours-to-kcat-${codec}`);
    await produce(topic, codec);
    const format = ['-f', '%k|%S|%s|%h\n'];
    const read = await kcat(target.bootstrapServers, ['-C', '-t', topic, '-o', 'beginning', '-e', '-q', ...format]);
    expect(lines(read.toString())).toEqual(
      SAMPLES.map(({ key, value, header }) => {
        const size = value === null ? -1 : Buffer.byteLength(value);
        return `${key}|${size}|${value ?? ''}|${header === null ? '' : `h=${header}`}`;
      }),
    );
  });

  it(`the console consumer of Java reads: ${CODECS.join(', ')}`, async () => {
    // One JVM for all: each codec is a batch of its own.
    const topic = await create('ours-to-java');
    for (const codec of CODECS) await produce(topic, codec);
    const print = ['print.key=true', 'print.headers=true', `null.literal=${JAVA_NULL}`];
    const read = await tools.succeed('kafka-console-consumer', [
      ...['--topic', topic, '--from-beginning', '--max-messages', String(SAMPLES.length * CODECS.length)],
      ...print.flatMap((property) => ['--formatter-property', property]),
    ]);
    const said = SAMPLES.map(({ key, value, header }) =>
      [header === null ? 'NO_HEADERS' : `h:${header}`, key, value ?? JAVA_NULL].join('\t'),
    );
    expect(lines(read)).toEqual(CODECS.flatMap(() => said));
  });

  it.each(KAFKAJS_CODECS)('kafkajs reads: %s', async (codec) => {
    const topic = await create(`ours-to-kafkajs-${codec}`);
    await produce(topic, codec);
    const consumer = kafkajs.consumer({ groupId: topic });
    const read: Sample[] = [];
    try {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        eachMessage: async ({ message: { key, value, headers } }) =>
          void read.push({
            key: String(key),
            value: value?.toString() ?? null,
            header: headers?.h?.toString() ?? null,
          }),
      });
      await until(() => read.length >= SAMPLES.length, `kafkajs has read ${topic}`);
      expect(read).toEqual(SAMPLES);
    } finally {
      await consumer.disconnect();
    }
  });
});

describe('what our consumer reads', () => {
  it.each(CODECS)('kcat wrote: %s', async (codec) => {
    const topic = await create(`kcat-to-ours-${codec}`);
    const inOrder = [
      ...SAMPLES.filter(({ header }) => header !== null),
      ...SAMPLES.filter((one) => one.header === null),
    ];
    // It gives all records of a call the same headers, so one call for each that has one.
    for (const { key, value, header } of inOrder.filter((sample) => sample.header !== null)) {
      const words = ['-P', '-t', topic, '-z', codec, '-K', '|', '-Z', '-H', `h=${header}`];
      await kcat(target.bootstrapServers, words, `${key}|${value ?? ''}\n`);
    }
    const rest = inOrder.filter(({ header }) => header === null).map(({ key, value }) => `${key}|${value}\n`);
    await kcat(target.bootstrapServers, ['-P', '-t', topic, '-z', codec, '-K', '|'], rest.join(''));
    expect(await consume(topic, SAMPLES.length)).toEqual(inOrder);
  });

  it.each(CODECS)('the console producer of Java wrote: %s', async (codec) => {
    const topic = await create(`java-to-ours-${codec}`);
    const read = ['parse.key=true', 'parse.headers=true', `null.marker=${JAVA_NULL}`];
    const said = SAMPLES.map(({ key, value, header }) =>
      [header === null ? JAVA_NULL : `h:${header}`, key, value ?? JAVA_NULL].join('\t'),
    );
    await tools.succeed(
      'kafka-console-producer',
      ['--topic', topic, '--compression-codec', codec, ...read.flatMap((each) => ['--reader-property', each])],
      `${said.join('\n')}\n`,
    );
    expect(await consume(topic, SAMPLES.length)).toEqual(SAMPLES);
  });

  it.each(KAFKAJS_CODECS)('kafkajs wrote: %s', async (codec, compression) => {
    const topic = await create(`kafkajs-to-ours-${codec}`);
    const producer = kafkajs.producer();
    try {
      await producer.connect();
      const messages = SAMPLES.map(({ key, value, header }) => ({
        key,
        value,
        ...(header === null ? {} : { headers: { h: header } }),
      }));
      await producer.send({ topic, compression, messages });
    } finally {
      await producer.disconnect();
    }
    expect(await consume(topic, SAMPLES.length)).toEqual(SAMPLES);
  });
});

describe('the partition of a key', () => {
  const KEYS = 10_000;

  /** Of every length up to 40 and a few long ones, of bytes that follow from their number. */
  const keyAt = (number: number): Buffer => {
    const length = number % 100 === 99 ? 500 + (number % 7) : number % 41;
    const key = Buffer.alloc(length);
    let state = (number * 2_654_435_761) >>> 0;
    for (let at = 0; at < length; at += 1) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      key[at] = state >>> 24;
    }
    return key;
  };

  it(`is the one Java chooses, for ${KEYS} keys`, async () => {
    const counts = [1, 2, 3, 6, 12, 50];
    const { bootstrapServers } = target;
    const topics = counts.map((partitionCount) => ({
      name: `keys-${partitionCount}`,
      numPartitions: partitionCount,
      replicationFactor: 1,
    }));
    for (const { error } of await admin.createTopics(topics)) if (error !== null) throw error;
    const places = Array.from({ length: KEYS }, (_, number) => ({
      key: keyAt(number),
      partitionCount: counts[number % counts.length] ?? 1,
    }));
    const producer = createProducer({ bootstrapServers, logger: silentLogger });
    try {
      const sent = await Promise.all(
        places.map(({ key, partitionCount }) => producer.send({ topic: `keys-${partitionCount}`, key, value: 'x' })),
      );
      expect(sent.map(({ partition }) => partition)).toEqual(await javaPartitions(places));
    } finally {
      await producer.close();
    }
  });
});
