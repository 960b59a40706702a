/** @nestjs/microservices on kafkajs, with their defaults: ClientKafka.emit and send, @EventPattern and @MessagePattern. */
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxyFactory, EventPattern, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import { templateWorkloads } from '../support/template-workloads.mjs';

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';

const clientOf = (bootstrapServers) => ({ clientId: 'bench', brokers: [bootstrapServers], logLevel: 1 });

/** A microservice with one handler of a pattern. RECORD is kafkajs' commit after each record. */
async function microservice({ bootstrapServers, group, mode }, pattern, handle) {
  class PatternController {}
  Object.defineProperty(PatternController.prototype, 'handle', { value: handle, writable: true, configurable: true });
  const { prototype } = PatternController;
  Payload()(prototype, 'handle', 0);
  Reflect.decorate([pattern], prototype, 'handle', Object.getOwnPropertyDescriptor(prototype, 'handle'));
  Controller()(PatternController);
  class AppModule {}
  Module({ controllers: [PatternController] })(AppModule);
  const app = await NestFactory.createMicroservice(AppModule, {
    transport: Transport.KAFKA,
    logger: ['error', 'warn'],
    abortOnError: false,
    options: {
      client: clientOf(bootstrapServers),
      consumer: { groupId: group },
      subscribe: { fromBeginning: true },
      run: mode === 'RECORD' ? { autoCommitThreshold: 1 } : {},
    },
  });
  await app.listen();
  return app;
}

async function clientKafka({ bootstrapServers, group }) {
  const client = ClientProxyFactory.create({
    transport: Transport.KAFKA,
    options: {
      client: clientOf(bootstrapServers),
      consumer: { groupId: group ?? 'bench' },
      producerOnlyMode: group === undefined,
    },
  });
  return client;
}

export default templateWorkloads({
  async sender({ bootstrapServers }) {
    const client = await clientKafka({ bootstrapServers });
    await client.connect();
    return {
      forget: (topic, key, value) => client.emit(topic, { key, value }),
      callback: (topic, key, value, { sent, failed }) =>
        client.emit(topic, { key, value }).subscribe({ error: failed, complete: sent }),
      sync: (topic, key, value) => lastValueFrom(client.emit(topic, { key, value })),
      close: () => client.close(),
    };
  },

  async listener({ take, look, ...options }) {
    const app = await microservice(options, EventPattern(options.topic), (value) => {
      take(value);
      look();
    });
    return { close: () => app.close() };
  },

  async requests({ bootstrapServers, topic, group }) {
    const app = await microservice({ bootstrapServers, group }, MessagePattern(topic), (value) => value);
    const client = await clientKafka({ bootstrapServers, group });
    client.subscribeToResponseOf(topic);
    await client.connect();
    return {
      request: (value) => lastValueFrom(client.send(topic, value)),
      close: async () => {
        await client.close();
        await app.close();
      },
    };
  },
});
