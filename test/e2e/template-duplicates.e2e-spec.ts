/**
 * Duplicates: a consumer is killed between processing and commit. The record comes again; @Idempotent processes it once.
 *
 * The consumers are processes of their own, ended by SIGKILL. Their stores outlive them: a file, and a table in SQLite. The
 * store in memory forgets with its process, so it is shown where it helps: the same process, and a commit that never came.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Injectable } from '@nestjs/common';
import {
  AckMode,
  ConsumerRecord,
  Idempotent,
  InMemoryIdempotencyStore,
  KafkaListener,
  KafkaListenerEndpointRegistry,
  KafkaTemplate,
  newTopic,
} from '@kafka-template/nestjs';
import { uniqueName } from '../support/broker.js';
import { NestApps, TEMPLATE_DRIVERS } from '../support/nest-apps.js';
import { hasSqlite } from '../support/sqlite.js';
import { until } from '../support/until.js';

const ROOT = resolve(import.meta.dirname, '../..');
const WORKER = ['--import', './test/support/typescript.mjs', 'test/support/idempotent-worker.ts'];

describe('duplicates: a consumer is killed between processing and commit', () => {
  let apps: NestApps;
  let folder: string;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    apps = await NestApps.start();
  });
  afterAll(() => apps.close());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'idempotent-'));
  });
  afterEach(async () => {
    await Promise.all(children.splice(0).map(kill));
    rmSync(folder, { recursive: true });
  });

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.on('close', done));
    child.kill('SIGKILL');
    await ended;
  }

  const lines = (file: string): string[] =>
    existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trim().split('\n') : [];

  /** A process that listens: `none`, `file` or `sql` says where it remembers. */
  function work(topic: string, groupId: string, store: string): ChildProcess {
    const parameters = [apps.broker.bootstrapServers, topic, groupId, folder, store];
    const child = spawn(process.execPath, [...WORKER, ...parameters], { cwd: ROOT, stdio: 'inherit' });
    children.push(child);
    return child;
  }

  /** Sends a, kills the first consumer when it has done it, sends b to the second. */
  async function story(store: string): Promise<void> {
    const topic = uniqueName('killed');
    const groupId = uniqueName('group');
    const sender = await apps.app({ topics: [newTopic(topic)] });
    await sender.get(KafkaTemplate).send(topic, 'a');
    const first = work(topic, groupId, store);
    await until(() => lines('finished').length === 1, 'the record was processed and remembered');
    await kill(first);
    work(topic, groupId, store);
    await until(() => lines('delivered').length === 2, 'the record came again');
    await sender.get(KafkaTemplate).send(topic, 'b');
    await until(() => lines('processed').includes('b'), 'the next record was processed');
    expect(lines('delivered')).toEqual(['a', 'a', 'b']);
  }

  it('without @Idempotent the record is processed twice', async () => {
    await story('none');
    expect(lines('processed')).toEqual(['a', 'a', 'b']);
  });

  it('with @Idempotent and a store in a file it is processed once', async () => {
    await story('file');
    expect(lines('processed')).toEqual(['a', 'b']);
  });

  // SQLite comes with Node 22; on Node 20 Python has one. Without both the test shows as skipped.
  (hasSqlite() ? it : it.skip)('with @Idempotent and a store in a table of SQLite it is processed once', async () => {
    await story('sql');
    expect(lines('processed')).toEqual(['a', 'b']);
  });
});

describe.each(TEMPLATE_DRIVERS)('duplicates within a process, on $name', ({ driver }) => {
  let apps: NestApps;

  beforeAll(async () => {
    apps = await NestApps.start(driver);
  });
  afterAll(() => apps.close());

  it('a record that is delivered again after a seek is processed once with a store in memory', async () => {
    const topic = uniqueName('again');
    const processed: unknown[] = [];
    const delivered: unknown[] = [];
    const store = new InMemoryIdempotencyStore();
    @Injectable()
    class Listener {
      @KafkaListener({
        id: topic,
        topics: topic,
        ackMode: AckMode.RECORD,
        filter: (record) => (delivered.push(record.value), false),
        properties: { autoOffsetReset: 'earliest' },
      })
      @Idempotent({ store })
      onRecord(record: ConsumerRecord) {
        processed.push(record.value);
      }
    }
    const app = await apps.app({ topics: [newTopic(topic)], providers: [Listener] });
    await app.get(KafkaTemplate).send(topic, 'a');
    await until(() => processed.length === 1, 'the record was processed');
    app.get(KafkaListenerEndpointRegistry).seek(topic, { topic, partition: 0 }, 0);
    await until(() => delivered.length === 2, 'the record came again');
    await app.get(KafkaTemplate).send(topic, 'b');
    await until(() => processed.includes('b'), 'the next record was processed');
    expect([delivered, processed]).toEqual([
      ['a', 'a', 'b'],
      ['a', 'b'],
    ]);
  });
});
