/**
 * A process that a test kills: a listener that processes, notes it, and never gets to commit.
 *
 * Arguments: bootstrap servers, topic, group, folder, and where it remembers: `none`, `file` or `sql`. Writes `delivered`,
 * `processed` (the work) and `finished` (nothing but the commit is left to do) into the folder.
 */
import 'reflect-metadata';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  AckMode,
  type ConsumerRecord,
  Idempotent,
  type IdempotencyStore,
  KafkaListener,
  KafkaModule,
  KafkaRecord,
  SqlIdempotencyStore,
} from '@kafka-template/nestjs';
import { openSqlite } from './sqlite.js';

const [bootstrapServers = '', topic = '', groupId = '', folder = '', where = ''] = process.argv.slice(2);
const note = (file: string, line: string): void => appendFileSync(join(folder, file), `${line}\n`);

/** Keys in a file: they outlive the process. */
const fileStore: IdempotencyStore = {
  has: (key) =>
    existsSync(join(folder, 'keys')) && readFileSync(join(folder, 'keys'), 'utf8').split('\n').includes(key),
  add: (key) => note('keys', key),
};

async function sqlStore(): Promise<IdempotencyStore> {
  const database = await openSqlite(join(folder, 'keys.sqlite'));
  if (database === undefined) throw new Error('There is no SQLite here');
  const store = new SqlIdempotencyStore(database);
  await store.createTable();
  return store;
}

/** Forgets everything. */
const noStore: IdempotencyStore = { has: () => false, add: () => undefined };

const chosen = where === 'sql' ? await sqlStore() : where === 'file' ? fileStore : noStore;
const store: IdempotencyStore = {
  has: (key) => chosen.has(key),
  add: async (key) => {
    await chosen.add(key);
    note('finished', key);
  },
};

class Listener {
  @KafkaListener({
    topics: topic,
    groupId,
    ackMode: AckMode.TIME,
    ackTimeMs: 3_600_000,
    filter: (record) => (note('delivered', String(record.value)), false),
    properties: { autoOffsetReset: 'earliest', sessionTimeoutMs: 6000, heartbeatIntervalMs: 500 },
  })
  @Idempotent({ store })
  onRecord(@KafkaRecord() record: ConsumerRecord) {
    note('processed', String(record.value));
  }
}

@Module({ imports: [KafkaModule.forRoot({ bootstrapServers })], providers: [Listener] })
class WorkerModule {}

await NestFactory.createApplicationContext(WorkerModule, { logger: false });
