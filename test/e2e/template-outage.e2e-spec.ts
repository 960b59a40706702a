/**
 * An application whose broker is not there: at its start, and in the middle of its work. Always on the embedded broker,
 * which these tests stop and start.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, type LoggerService } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { type Broker, createBroker } from '@kafka-template/broker';
import {
  KafkaAdmin,
  KafkaListener,
  KafkaListenerEndpointRegistry,
  KafkaModule,
  type KafkaModuleOptions,
  KafkaTemplate,
  newTopic,
} from '@kafka-template/nestjs';
import { until } from '../support/until.js';

describe('template: outages', () => {
  let dataDir: string;
  let broker: Broker | undefined;
  let app: TestingModule | undefined;
  let received: string[];
  /** What the application logged, with the level before it; debugging lines left out. */
  let logged: string[];

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'kafka-template-'));
    received = [];
    logged = [];
  });

  afterEach(async () => {
    await app?.close();
    await broker?.close();
    app = undefined;
    broker = undefined;
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Lines of an application's log about its connections and about what went wrong. */
  function told(): string[] {
    return logged.filter((line) => /^(warn|error)|Connection to broker/.test(line));
  }

  /** A port that is free now, and is where the broker will be. */
  async function startAndStop(): Promise<number> {
    const first = await createBroker({ dataDir, port: 0 });
    await first.close();
    return first.port;
  }

  async function startApp(port: number, options: Partial<KafkaModuleOptions> = {}): Promise<TestingModule> {
    @Injectable()
    class Listener {
      @KafkaListener({ topics: 'orders', groupId: 'billing' })
      onOrder(value: string) {
        received.push(value);
      }
    }
    const kafka = KafkaModule.forRoot({
      bootstrapServers: `127.0.0.1:${port}`,
      topics: [newTopic('orders', { partitions: 3 })],
      admin: { startTimeoutMs: 100 },
      consumer: { autoOffsetReset: 'earliest' },
      client: { reconnectBackoffMaxMs: 200, requestTimeoutMs: 2000 },
      ...options,
    });
    const builder = Test.createTestingModule({ imports: [kafka], providers: [Listener] });
    const say = (level: string) => (message: unknown) => void logged.push(`${level} ${String(message)}`);
    const logger: LoggerService = { log: say('info'), warn: say('warn'), error: say('error') };
    app = await builder.setLogger(logger).compile();
    return app.init();
  }

  it('starts without a broker; topics, records and listeners follow when it is there', async () => {
    const port = await startAndStop();
    const started = await startApp(port);
    const sent = started.get(KafkaTemplate).send('orders', 'k', 'early');
    expect(sent.isDone).toBe(false);
    broker = await createBroker({ dataDir, port });
    expect((await sent.get(20_000)).offset).toBe(0);
    await until(() => received.length === 1, 'the record was received');
    expect(await started.get(KafkaAdmin).describeTopics('orders')).toEqual([{ name: 'orders', partitions: 3 }]);
    const address = `127.0.0.1:${port}`;
    expect(told()).toEqual([
      expect.stringMatching(new RegExp(`^warn Connection to broker ${address} .*connect ECONNREFUSED ${address}`)),
      expect.stringMatching(new RegExp(`^info Connection to broker ${address} is established again`)),
    ]);
  });

  it('with admin.failFast refuses to start without a broker, and says why', async () => {
    const port = await startAndStop();
    await expect(startApp(port, { admin: { failFast: true, startTimeoutMs: 50 } })).rejects.toThrow(
      /topics orders could not be created \(no answer within 50 ms\) and admin\.failFast is true/,
    );
    await app?.close();
    app = undefined;
  });

  it('a send without a broker fails after maxBlockMs, by its future', async () => {
    const port = await startAndStop();
    const started = await startApp(port, { producer: { maxBlockMs: 200 } });
    await expect(started.get(KafkaTemplate).send('orders', 'v')).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  it('survives a broker that goes and comes back: nothing acknowledged is lost, listeners go on by themselves', async () => {
    broker = await createBroker({ dataDir, port: 0 });
    const { port } = broker;
    const started = await startApp(port, { admin: { startTimeoutMs: 10_000 } });
    const template = started.get(KafkaTemplate);
    for (const value of ['1', '2', '3']) await template.send('orders', value, value);
    await until(() => received.length === 3, 'three were received');

    await broker.close();
    const during = ['4', '5', '6'].map((value) => template.send('orders', value, value));
    broker = await createBroker({ dataDir, port });
    await Promise.all(during.map((future) => future.get(20_000)));
    await template.send('orders', '7', '7').get(20_000);
    await until(() => new Set(received).size === 7, 'all were received');
    expect([...new Set(received)].sort()).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    const [lost, ...rest] = told();
    expect(lost).toMatch(new RegExp(`^warn Connection to broker 127\\.0\\.0\\.1:${port} was lost: `));
    expect(rest).toEqual([`info Connection to broker 127.0.0.1:${port} is established again`]);
    expect(started.get(KafkaListenerEndpointRegistry).all[0]?.status()).toMatchObject({
      isRunning: true,
      isInExpectedState: true,
    });
  });

  it('ends in time while the broker is away', async () => {
    broker = await createBroker({ dataDir, port: 0 });
    const started = await startApp(broker.port, {
      admin: { startTimeoutMs: 10_000 },
      template: { closeTimeoutMs: 300 },
    });
    await started.get(KafkaTemplate).send('orders', 'a', 'a');
    await until(() => received.length === 1, 'the record was received');
    await broker.close();
    const outcome = started
      .get(KafkaTemplate)
      .send('orders', 'b')
      .catch((error: unknown) => error);
    // Unbounded, the close would wait for the delivery timeout of two minutes, longer than this test may take.
    await started.close();
    app = undefined;
    expect(await outcome).toMatchObject({ name: 'KafkaSendError' });
  });
});
