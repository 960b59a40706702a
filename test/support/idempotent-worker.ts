/**
 * A process that a test kills: an idempotent listener that processes, notes it, and never gets to commit.
 *
 * Arguments: bootstrap servers, topic, group, folder. Writes `delivered`, `processed` (the work) and `keys` (the store) there.
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
} from '@kafka-template/nestjs';

const [bootstrapServers = '', topic = '', groupId = '', folder = ''] = process.argv.slice(2);
const note = (file: string, line: string): void => appendFileSync(join(folder, file), `${line}\n`);

/** Keys in a file: they outlive the process. */
const store: IdempotencyStore = {
  has: (key) =>
    existsSync(join(folder, 'keys')) && readFileSync(join(folder, 'keys'), 'utf8').split('\n').includes(key),
  add: (key) => note('keys', key),
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
