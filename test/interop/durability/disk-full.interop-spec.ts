/**
 * A file system that is really full: writers get an error, what was acknowledged stays, and with room again it goes on.
 *
 * The file system is a small one in memory, which only root can mount; anybody else needs `sudo` without a password.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createProducer } from '@kafka-template/client';
import { startBrokerProcess, type BrokerProcess } from '../support/broker-process.js';
import { kcat } from '../support/kcat.js';
import { startJavaWriter, type TellingWriter } from './writers.js';

const SIZE = '24m';
const BALLAST_BYTES = 8 * 1024 * 1024;
const VALUE_CHARS = 1000;
/** More than the file system can take. */
const LINES_TOO_MANY = 40_000;
const SOME_LINES = 100;
/** Clients try again and again for so long, since room may come back. */
const SOON_MS = 3000;
const SOON = ['-X', `message.timeout.ms=${SOON_MS}`, '-X', 'enable.idempotence=true'];
const PATIENCE_MS = 120_000;
const PATIENT = ['-X', `message.timeout.ms=${PATIENCE_MS}`, '-X', 'enable.idempotence=true'];
const LOOK_AGAIN_MS = 20;

let mountPoint: string;
let broker: BrokerProcess | undefined;
let writer: TellingWriter | undefined;

function asRoot(...words: string[]): void {
  const [command = '', ...parameters] = process.getuid?.() === 0 ? words : ['sudo', '-n', ...words];
  const { status, stderr, error } = spawnSync(command, parameters, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${words.join(' ')} failed, it needs root: ${error?.message ?? stderr}`);
}

beforeAll(() => {
  mountPoint = mkdtempSync(join(tmpdir(), 'disk-full-'));
  const owner = `uid=${process.getuid?.() ?? 0}`;
  asRoot('mount', '-t', 'tmpfs', '-o', `size=${SIZE},${owner}`, 'tmpfs', mountPoint);
});
afterAll(async () => {
  // A file system in use cannot be taken away.
  writer?.kill();
  await broker?.kill();
  asRoot('umount', mountPoint);
  rmSync(mountPoint, { recursive: true, force: true });
  rmSync(`${mountPoint}.properties`, { force: true });
});

const numbered = (from: number, count: number): string =>
  Array.from({ length: count }, (_, index) => `${String(from + index).padEnd(VALUE_CHARS, '.')}\n`).join('');

/** The numbers of a topic's records, which have to lie at dense offsets. */
async function read(bootstrapServers: string, topic: string): Promise<number[]> {
  const output = await kcat(bootstrapServers, ['-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%o %s\n']);
  const records = output.toString().split('\n').slice(0, -1);
  expect(records.findIndex((record, index) => !record.startsWith(`${index} `))).toBe(-1);
  return records.map((record) => Number(record.split(' ')[1]?.replaceAll('.', '')));
}

const produce = ({ bootstrapServers }: BrokerProcess, topic: string, input: string, howLong = SOON): Promise<Buffer> =>
  kcat(bootstrapServers, ['-P', '-t', topic, '-p', '0', ...howLong], input);

/** Sends until it is refused; resolves with what was acknowledged (number by offset) and the first error. */
async function fill(bootstrapServers: string): Promise<{ acknowledged: Map<number, number>; code: string }> {
  const producer = createProducer({ bootstrapServers, deliveryTimeoutMs: SOON_MS, requestTimeoutMs: SOON_MS });
  const acknowledged = new Map<number, number>();
  let code = '';
  for (let number = 0; number < LINES_TOO_MANY && code === ''; number++) {
    producer.append({ topic: 'filled', value: String(number).padEnd(VALUE_CHARS, '.') }, (error, metadata) => {
      if (metadata) acknowledged.set(metadata.offset, number);
      else if (code === '') code = error?.code ?? 'none';
    });
    if (number % SOME_LINES === 0) await producer.flush().catch(() => undefined);
  }
  await producer.close();
  return { acknowledged, code };
}

/** Hands numbers to a Java producer that tries again until there is room. */
function startPatientWriter(bootstrapServers: string): TellingWriter {
  const properties = `${mountPoint}.properties`;
  const settings = {
    'enable.idempotence': true,
    retries: 2147483647,
    acks: 'all',
    'delivery.timeout.ms': PATIENCE_MS,
    'max.block.ms': PATIENCE_MS,
  };
  writeFileSync(
    properties,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  return startJavaWriter(bootstrapServers, 'patient', properties);
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !isSo(); await wait(LOOK_AGAIN_MS)) {
    if (Date.now() > deadline) throw new Error(`Waited ${PATIENCE_MS} ms in vain for ${what}.\n${broker?.log() ?? ''}`);
  }
}

it('refuses what does not fit, keeps what it acknowledged, and goes on by itself when there is room', async () => {
  const dataDir = join(mountPoint, 'data');
  const ballast = join(mountPoint, 'ballast');
  writeFileSync(ballast, Buffer.alloc(BALLAST_BYTES, 1));
  const first = (broker = await startBrokerProcess({ dataDir }));
  await produce(first, 'other', numbered(0, SOME_LINES));
  const patient = (writer = startPatientWriter(first.bootstrapServers));
  await until('the Java producer', () => patient.acknowledged.length > SOME_LINES);

  const { acknowledged, code } = await fill(first.bootstrapServers);
  expect(acknowledged.size).toBeGreaterThan(SOME_LINES);
  // The broker says KAFKA_STORAGE_ERROR, which a client takes for something that may pass, until its time is over.
  expect(code).toBe('TIMEOUT');
  await expect(produce(first, 'filled', numbered(0, 1))).rejects.toThrow(/ended with 1/);
  expect(first.log()).toContain('ENOSPC');
  const held = await read(first.bootstrapServers, 'filled');
  expect([...acknowledged].filter(([offset, number]) => held[offset] !== number)).toEqual([]);
  expect(await read(first.bootstrapServers, 'other')).toHaveLength(SOME_LINES);

  truncateSync(ballast);
  const before = patient.acknowledged.length;
  await until('the Java producer to go on', () => patient.acknowledged.length > before + SOME_LINES);
  await produce(first, 'filled', numbered(held.length, SOME_LINES), PATIENT);
  expect(await read(first.bootstrapServers, 'filled')).toHaveLength(held.length + SOME_LINES);
  await produce(first, 'new', numbered(0, SOME_LINES), PATIENT);
  await patient.finish();

  await first.kill();
  const second = (broker = await startBrokerProcess({ dataDir }));
  const found = await read(second.bootstrapServers, 'filled');
  expect(found).toHaveLength(held.length + SOME_LINES);
  expect([...acknowledged].filter(([offset, number]) => found[offset] !== number)).toEqual([]);
  expect(await read(second.bootstrapServers, 'new')).toHaveLength(SOME_LINES);
  // Each once, in order, at the offset that was told.
  const written = await read(second.bootstrapServers, 'patient');
  expect(written.findIndex((number, offset) => number !== offset)).toBe(-1);
  expect(patient.acknowledged.findIndex(({ value, offset }) => written[offset] !== Number(value))).toBe(-1);
  expect(written).toHaveLength(patient.acknowledged.length);
  await second.stop();
});
