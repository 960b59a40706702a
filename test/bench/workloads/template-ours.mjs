/** KafkaTemplate and @KafkaListener in a Nest application, with their defaults. Decorators are applied by hand: this is no TypeScript. */
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  AckMode,
  Acknowledgment,
  ConsumerRecord,
  KafkaListener,
  KafkaModule,
  KafkaRecord,
  KafkaTemplate,
  SendTo,
} from '@kafka-template/nestjs';
import { templateWorkloads } from '../support/template-workloads.mjs';

/** A provider class with one method, decorated as TypeScript would do it. */
function provider(method, types, ...decorators) {
  class Provider {}
  Object.defineProperty(Provider.prototype, 'handle', { value: method, writable: true, configurable: true });
  const all = [...decorators, Reflect.metadata('design:paramtypes', types)];
  Reflect.decorate(all, Provider.prototype, 'handle', Object.getOwnPropertyDescriptor(Provider.prototype, 'handle'));
  Injectable()(Provider);
  return Provider;
}

async function application(options, providers = []) {
  class AppModule {}
  Module({ imports: [KafkaModule.forRoot({ consumer: { autoOffsetReset: 'earliest' }, ...options })], providers })(
    AppModule,
  );
  return NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'], abortOnError: false });
}

function listenerOf({ topic, group, mode, take, look }) {
  const options = { topics: topic, groupId: group };
  switch (mode) {
    case 'batch':
      return provider(
        function (records) {
          for (const record of records) take(record.value);
          look();
        },
        [Array],
        KafkaListener({ ...options, batch: true }),
        (target, name) => KafkaRecord()(target, name, 0),
      );
    case 'MANUAL':
      return provider(
        function (record, acknowledgment) {
          take(record.value);
          acknowledgment.acknowledge();
          look();
        },
        [ConsumerRecord, Acknowledgment],
        KafkaListener({ ...options, ackMode: AckMode.MANUAL }),
      );
    default:
      return provider(
        function (record) {
          take(record.value);
          look();
        },
        [ConsumerRecord],
        KafkaListener({ ...options, ackMode: AckMode[mode] }),
      );
  }
}

export default templateWorkloads({
  async sender({ bootstrapServers }) {
    const app = await application({ bootstrapServers });
    const kafka = app.get(KafkaTemplate);
    return {
      forget: (topic, key, value) => kafka.send(topic, key, value),
      callback: (topic, key, value, { sent, failed }) => kafka.send(topic, key, value).addCallback(sent, failed),
      sync: (topic, key, value) => kafka.send(topic, key, value).get(),
      close: () => app.close(),
    };
  },

  async listener({ bootstrapServers, ...options }) {
    const app = await application({ bootstrapServers }, [listenerOf(options)]);
    return { close: () => app.close() };
  },

  async requests({ bootstrapServers, topic, group }) {
    const replier = provider(
      (request) => request,
      [String],
      KafkaListener({ topics: topic, groupId: group }),
      SendTo(),
    );
    const options = { bootstrapServers, template: { replies: { topic: `${topic}.reply`, timeoutMs: 30_000 } } };
    const app = await application(options, [replier]);
    const kafka = app.get(KafkaTemplate);
    return {
      request: (value) => kafka.sendAndReceive({ topic, value }).then((reply) => reply.value),
      close: () => app.close(),
    };
  },
});
