/**
 * What the specs of the module share: an application on the driver fake, with one topic, `orders`.
 */
import type { LoggerService } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { DriverFake } from '../testing/driver-fake.js';
import { FakeClock } from '../testing/fake-clock.js';
import { KafkaModule } from './kafka.module.js';
import type { KafkaModuleOptions } from './kafka.options.js';

/** What listeners and modules say is not what these specs are about. */
export const SILENT: LoggerService = { log: () => undefined, warn: () => undefined, error: () => undefined };

/** What a test adds to the application. */
export interface AppParts {
  readonly providers?: unknown[];
  readonly controllers?: unknown[];
  readonly imports?: unknown[];
}

/** Applications on the driver fake; `close` ends them. */
export class ModuleFixture {
  readonly driver = new DriverFake(new FakeClock());
  readonly #apps: TestingModule[] = [];

  constructor() {
    this.driver.cluster.createTopic('orders', 1);
  }

  /** Starts an application in group `g`, reading from the beginning. */
  async start(parts: AppParts, options: Partial<KafkaModuleOptions> = {}): Promise<TestingModule> {
    const kafka = KafkaModule.forRoot({
      bootstrapServers: 'localhost:9092',
      driver: this.driver,
      ...options,
      consumer: { groupId: 'g', autoOffsetReset: 'earliest', ...options.consumer },
    });
    const builder = Test.createTestingModule({
      imports: [kafka, ...(parts.imports ?? [])] as never[],
      providers: (parts.providers ?? []) as never[],
      controllers: (parts.controllers ?? []) as never[],
    });
    const app = await builder.setLogger(SILENT).compile();
    await app.init();
    this.#apps.push(app);
    return app;
  }

  /** Appends a record to `orders` and waits until the first consumer has handled it. */
  async receive(value: string, rest: { key?: string; headers?: { key: string; value: string }[] } = {}): Promise<void> {
    this.driver.cluster.append({ topic: 'orders', value, ...rest });
    await this.driver.consumers[0]?.parked();
  }

  /** What group `g` has committed for `orders`. */
  committed(): number | undefined {
    return this.driver.cluster.offsetsOf('g').get('orders-0')?.offset;
  }

  /** Ends the applications that were started. */
  async close(): Promise<void> {
    await Promise.all(this.#apps.splice(0).map((app) => app.close()));
  }
}
