/**
 * What end-to-end tests of Nest applications have in common: a broker, applications on it, and their orderly end.
 *
 * Guarantees that every application is closed before the broker. Waits for conditions, never for times.
 */
import type { LoggerService } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { type Driver, KafkaModule, type KafkaModuleOptions, kafkajsDriver } from '@kafka-template/nestjs';
import { KafkaTest } from '@kafka-template/nestjs/testing';
import { type TestBroker, startTestBroker } from './broker.js';

/** What applications say is not what the tests are about. */
export const SILENT: LoggerService = { log: () => undefined, warn: () => undefined, error: () => undefined };

/** The drivers the applications of a suite run on; undefined is the one that comes without asking. */
export const TEMPLATE_DRIVERS: readonly { readonly name: string; readonly driver: Driver | undefined }[] = [
  { name: 'the default driver', driver: undefined },
  { name: 'kafkajs', driver: kafkajsDriver() },
];

/** What a test adds to the options of KafkaModule, and its providers. */
export interface NestAppOptions extends Partial<KafkaModuleOptions> {
  readonly providers?: unknown[];
}

/** A broker and the applications of one spec file. */
export class NestApps {
  readonly #apps: TestingModule[] = [];

  private constructor(
    readonly broker: TestBroker,
    readonly kafka: KafkaTest,
    private readonly driver: Driver | undefined,
  ) {}

  /** Starts the broker, or takes the external one. Applications use `driver`, by default the library's own. */
  static async start(driver?: Driver): Promise<NestApps> {
    const broker = await startTestBroker();
    return new NestApps(broker, await KafkaTest.start({ bootstrapServers: broker.bootstrapServers }), driver);
  }

  /** An application whose listeners have their partitions. Without listeners, one that only sends. */
  async app({ providers = [], ...options }: NestAppOptions = {}): Promise<TestingModule> {
    const app = await this.unready({ providers, ...options });
    await this.kafka.ready(app, 20_000);
    return app;
  }

  /** An application that has started, whatever its listeners are doing. */
  async unready({ providers = [], ...options }: NestAppOptions = {}): Promise<TestingModule> {
    const kafka = KafkaModule.forRoot({
      bootstrapServers: this.broker.bootstrapServers,
      admin: { startTimeoutMs: 20_000 },
      driver: this.driver,
      ...options,
    });
    const builder = Test.createTestingModule({ imports: [kafka], providers: providers as never[] });
    const app = await builder.setLogger(SILENT).compile();
    this.#apps.push(app);
    await app.init();
    return app;
  }

  /** Closes applications, then the broker. */
  async close(): Promise<void> {
    await Promise.all(this.#apps.splice(0).map((app) => app.close()));
    await this.kafka.close();
    await this.broker.close();
  }
}
