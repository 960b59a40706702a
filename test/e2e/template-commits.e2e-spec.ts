/**
 * Commits on a real broker, read back with a foreign tool (kafkajs); and what a crash between processing and commit does.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Injectable } from '@nestjs/common';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import {
  AckMode,
  Acknowledgment,
  ConsumerRecord,
  KafkaListener,
  type KafkaListenerOptions,
  KafkaTemplate,
  newTopic,
} from '@kafka-template/nestjs';
import { uniqueName } from '../support/broker.js';
import { NestApps } from '../support/nest-apps.js';
import { until } from '../support/until.js';

type Work = (record: ConsumerRecord, ack: Acknowledgment) => unknown;
const acknowledge: Work = (_record, ack) => ack.acknowledge();

/** A listener with or without an Acknowledgment, which only manual modes have. */
function listener(options: KafkaListenerOptions, work: Work | undefined) {
  const all: KafkaListenerOptions = {
    pollTimeoutMs: 200,
    ...options,
    properties: { autoOffsetReset: 'earliest', ...options.properties },
  };
  if (work !== undefined) return manualListener(all, work);
  @Injectable()
  class Listener {
    @KafkaListener(all)
    onRecord(_record: ConsumerRecord) {
      return undefined;
    }
  }
  return Listener;
}

function manualListener(options: KafkaListenerOptions, work: Work) {
  @Injectable()
  class Listener {
    @KafkaListener(options)
    async onRecord(record: ConsumerRecord, ack: Acknowledgment) {
      await work(record, ack);
    }
  }
  return Listener;
}

describe('template: commits as a foreign tool sees them', () => {
  let apps: NestApps;
  let foreign: Admin;

  beforeAll(async () => {
    apps = await NestApps.start();
    const brokers = apps.broker.bootstrapServers.split(',');
    foreign = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    await foreign.connect();
  });
  afterAll(async () => {
    await foreign.disconnect();
    await apps.close();
  });

  /** What the group has committed for partition 0, -1 for nothing. */
  const committed = async (groupId: string, topic: string): Promise<{ offset: number; metadata: string | null }> => {
    const [found] = await foreign.fetchOffsets({ groupId, topics: [topic] });
    const entry = found?.partitions.find(({ partition }) => partition === 0);
    return { offset: Number(entry?.offset ?? -1), metadata: entry?.metadata ?? null };
  };

  const POLICY = { commit: { every: { records: 2, ms: 60_000 }, onIdle: true } } as const;
  const RULES: readonly (readonly [string, KafkaListenerOptions, Work | undefined])[] = [
    ['RECORD', { ackMode: AckMode.RECORD }, undefined],
    ['BATCH', { ackMode: AckMode.BATCH }, undefined],
    ['TIME', { ackMode: AckMode.TIME, ackTimeMs: 100 }, undefined],
    ['COUNT', { ackMode: AckMode.COUNT, ackCount: 2 }, undefined],
    ['COUNT_TIME', { ackMode: AckMode.COUNT_TIME, ackCount: 2, ackTimeMs: 100 }, undefined],
    ['MANUAL', { ackMode: AckMode.MANUAL }, acknowledge],
    ['MANUAL_IMMEDIATE', { ackMode: AckMode.MANUAL_IMMEDIATE }, acknowledge],
    ['automatic', { properties: { enableAutoCommit: true, autoCommitIntervalMs: 100 } }, undefined],
    ['a policy', POLICY, undefined],
    ['keyConcurrency', { keyConcurrency: 4 }, undefined],
  ];
  const STYLES = ['sync', 'async', 'combined'] as const;

  it.each(RULES.flatMap(([name, options, work]) => STYLES.map((style) => [name, style, options, work] as const)))(
    '%s, %s: what was handled is committed while it runs, nothing goes back at the stop, and a restart goes on there',
    async (_name, commitStyle, options, work) => {
      const topic = uniqueName('commits');
      const groupId = uniqueName('group');
      const providers = [listener({ topics: topic, groupId, commitStyle, ...options }, work)];
      const app = await apps.app({ topics: [newTopic(topic)], providers });
      const template = app.get(KafkaTemplate);
      for (const value of ['a', 'b', 'c']) await template.send(topic, value);
      await until(async () => (await committed(groupId, topic)).offset === 3, 'three were committed');
      await template.send(topic, 'd');
      await until(async () => {
        // Whether it has been received yet is of no interest here; that it is not lost is.
        return [3, 4].includes((await committed(groupId, topic)).offset);
      }, 'nothing went back');
      await app.close();
      const late = await apps.app({ providers });
      await until(async () => (await committed(groupId, topic)).offset === 4, 'the fourth was committed');
      await late.close();
    },
  );

  it('chosen offsets in the middle of a batch, synchronously and with a callback, with metadata', async () => {
    const topic = uniqueName('chosen');
    const groupId = uniqueName('group');
    const seen: string[] = [];
    @Injectable()
    class Listener {
      @KafkaListener({
        topics: topic,
        groupId,
        batch: true,
        ackMode: AckMode.MANUAL,
        properties: { autoOffsetReset: 'earliest' },
      })
      async onRecords(records: ConsumerRecord[], ack: Acknowledgment) {
        if (records.length < 3) return;
        await ack.commitSync([{ topic, partition: 0, offset: 1, metadata: 'one of three' }]);
        const first = await committed(groupId, topic);
        seen.push(`${first.offset} ${first.metadata ?? ''}`);
        await new Promise<void>((done) => ack.commitAsync([{ topic, partition: 0, offset: 2 }], () => done()));
        seen.push(String((await committed(groupId, topic)).offset));
      }
    }
    const sender = await apps.app({ topics: [newTopic(topic)] });
    await Promise.all(['a', 'b', 'c'].map((value) => sender.get(KafkaTemplate).send(topic, value)));
    await apps.app({ providers: [Listener] });
    await until(() => seen.length === 2, 'both were committed');
    expect(seen).toEqual(['1 one of three', '2']);
  });

  it('out-of-order acknowledgement commits up to the gap, and a restart begins there', async () => {
    const topic = uniqueName('gap');
    const groupId = uniqueName('group');
    const delivered: unknown[] = [];
    const work: Work = (record, ack) => {
      delivered.push(record.value);
      if (record.value !== 'c') ack.acknowledge();
    };
    const options = { topics: topic, groupId, ackMode: AckMode.MANUAL, asyncAcks: true } as const;
    const app = await apps.app({ topics: [newTopic(topic)], providers: [listener(options, work)] });
    for (const value of ['a', 'b', 'c', 'd']) await app.get(KafkaTemplate).send(topic, value);
    await until(() => delivered.length === 4, 'all were delivered');
    await app.close();
    expect((await committed(groupId, topic)).offset).toBe(2);
    delivered.length = 0;
    await apps.app({ providers: [listener(options, work)] });
    await until(() => delivered.length === 2, 'the rest came again');
    expect(delivered).toEqual(['c', 'd']);
  });
});

describe('template: a consumer is killed between processing and commit', () => {
  const ROOT = resolve(import.meta.dirname, '../..');
  let apps: NestApps;
  let folder: string;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    apps = await NestApps.start();
    folder = mkdtempSync(join(tmpdir(), 'idempotent-'));
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await apps.close();
    rmSync(folder, { recursive: true });
  });

  const lines = (file: string): string[] =>
    existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trim().split('\n') : [];

  it('the record comes again, and the idempotent listener processes it once', async () => {
    const topic = uniqueName('killed');
    const groupId = uniqueName('group');
    const sender = await apps.app({ topics: [newTopic(topic)] });
    const work = (): ChildProcess => {
      const script = ['--import', './test/support/typescript.mjs', 'test/support/idempotent-worker.ts'];
      const args = [...script, apps.broker.bootstrapServers, topic, groupId, folder];
      const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
      children.push(child);
      return child;
    };
    await sender.get(KafkaTemplate).send(topic, 'a');
    const first = work();
    await until(() => lines('keys').length === 1, 'the record was processed and remembered');
    const ended = new Promise((done) => first.on('close', done));
    first.kill('SIGKILL');
    await ended;
    work();
    await until(() => lines('delivered').length === 2, 'the record came again');
    await sender.get(KafkaTemplate).send(topic, 'b');
    await until(() => lines('processed').includes('b'), 'the next record was processed');
    expect(lines('delivered')).toEqual(['a', 'a', 'b']);
    expect(lines('processed')).toEqual(['a', 'b']);
  });
});
