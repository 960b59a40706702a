/**
 * The README of @kafka-template/nestjs by task: its programs stand here, are compiled, and run on a driver without a broker.
 *
 * What stands between the lines `<readme>` and `</readme>` here, or in a spec of the library, is in the README; and every
 * program of the README stands in one of them. So nothing is shown there that was not run.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { Controller, type INestApplication, Injectable, Module, Post } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  AckMode,
  Acknowledgment,
  ConsumerRecord,
  DeadLetterPublishingRecoverer,
  DefaultErrorHandler,
  ExponentialBackOff,
  KafkaHandler,
  KafkaHeader,
  KafkaKey,
  KafkaListener,
  KafkaModule,
  KafkaTemplate,
  Payload,
  SendTo,
  type StandardSchema,
  type ValueOf,
  defineTopic,
  getKafkaDriverToken,
  kafkajsDriver,
  nestLog,
  newTopic,
} from '@kafka-template/nestjs';
import { DriverFake, FakeClock } from '@kafka-template/nestjs/testing';

const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };
const LIBRARY = resolve(import.meta.dirname, '../libs/kafka-template');
const apps: (TestingModule | INestApplication)[] = [];

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

/** What a program was called with. */
const seen: unknown[] = [];
const console = { log: (...texts: unknown[]) => void seen.push(texts.length === 1 ? texts[0] : texts.join(' ')) };

beforeEach(() => {
  seen.length = 0;
});

/** An application on memory: the module of a program, with another driver. `values` are in the topic before it starts. */
async function start(
  module: unknown,
  providers: unknown[] = [],
  topics: Readonly<Record<string, readonly string[]>> = {},
) {
  const driver = new DriverFake(new FakeClock());
  for (const [topic, values] of Object.entries(topics)) {
    driver.cluster.createTopic(topic);
    for (const value of values) driver.cluster.append({ topic, value });
  }
  const builder = Test.createTestingModule({ imports: [module as never], providers: providers as never[] });
  const app = await builder.overrideProvider(getKafkaDriverToken()).useValue(driver).setLogger(SILENT).compile();
  apps.push(app);
  await app.init();
  await Promise.all(driver.consumers.map((consumer) => consumer.parked()));
  const sent = () => driver.producers.flatMap(({ appended }) => appended.map(({ topic, value }) => [topic, value]));
  return { app, driver, sent, kafka: app.get(KafkaTemplate) };
}

const EARLIEST = { bootstrapServers: 'none:9092', consumer: { autoOffsetReset: 'earliest' } } as const;

// <readme>
@Controller('greetings')
class GreetingController {
  constructor(private readonly kafka: KafkaTemplate) {}

  @Post()
  async greet() {
    const { partition, offset } = await this.kafka.send('greetings', 'key', { text: 'hello' }).get(2_000);
    return { partition, offset };
  }
}

@Injectable()
class GreetingListener {
  @KafkaListener({ topics: 'greetings', groupId: 'printer' })
  onGreeting(greeting: { text: string }) {
    console.log(greeting.text);
  }
}

@Module({
  imports: [
    KafkaModule.forRoot({
      bootstrapServers: 'localhost:9092',
      consumer: { autoOffsetReset: 'earliest' },
      topics: [newTopic('greetings', { partitions: 3 })],
    }),
  ],
  controllers: [GreetingController],
  providers: [GreetingListener],
})
export class AppModule {}
// </readme>

/** Stands for Nest's, which listens on a port for good. */
const NestFactory = {
  create: async (module: unknown) => {
    const { app } = await start(module);
    const application = { enableShutdownHooks: () => app.enableShutdownHooks(), listen: async (_port: number) => app };
    return application;
  },
};

it('quick start: a route sends, a listener receives', async () => {
  const { app, driver } = await start(AppModule);
  expect(await app.get(GreetingController).greet()).toEqual({ partition: 0, offset: 0 });
  await driver.consumers[0]?.parked();
  expect(seen).toEqual(['hello']);
});

it('main', async () => {
  // <readme>
  const app = await NestFactory.create(AppModule);
  app.enableShutdownHooks(); // SIGTERM and SIGINT end it in order
  await app.listen(3000);
  // </readme>
  expect(apps).toHaveLength(1);
});

it('sending', async () => {
  const { kafka, sent } = await start(KafkaModule.forRoot(EARLIEST));
  const order = { id: 'o-1' };
  const onSent = () => void seen.push('sent');
  const onFailed = () => void seen.push('failed');
  // <readme>
  kafka.send('orders', order.id, order); //                                    fire and forget
  await kafka.send('orders', order.id, order).get(2_000); //                   synchronous: wait for the broker
  kafka.send('orders', order.id, order).addCallback(onSent, onFailed); //      asynchronous, with callbacks
  // </readme>
  await kafka.flush();
  expect(sent()).toEqual(Array.from({ length: 3 }, () => ['orders', '{"id":"o-1"}']));
  expect(seen).toEqual(['sent']);
});

class OrderDto {
  amount!: number;
}

it('receiving', async () => {
  @Injectable()
  class Orders {
    async bill(order: OrderDto) {
      seen.push(order.amount);
    }

    // <readme>
    @KafkaListener({ topics: 'orders', groupId: 'billing', concurrency: 3, ackMode: AckMode.MANUAL })
    async onOrder(@Payload() order: OrderDto, @KafkaHeader('traceparent') trace: string, ack: Acknowledgment) {
      await this.bill(order);
      ack.acknowledge();
    }
    // </readme>
  }
  const { driver } = await start(KafkaModule.forRoot(EARLIEST), [Orders], { orders: ['{"amount":7}'] });
  // Each of the three consumers has everything: sharing out is the business of a broker.
  expect(seen).toEqual([7, 7, 7]);
  expect(driver.cluster.offsetsOf('billing').get('orders-0')?.offset).toBe(1);
});

class OrderCreated {
  id!: string;
}

// <readme>
@Injectable()
@KafkaListener({ topics: 'orders', groupId: 'shipping' })
class Shipping {
  @KafkaHandler() // the class of the parameter is compared with the header __TypeId__, as Spring writes it
  onCreated(order: OrderCreated) {
    console.log(`pack ${order.id}`);
  }

  @KafkaHandler({ headers: { kind: 'cancelled' } })
  onCancelled(@KafkaKey() id: string) {
    console.log(`unpack ${id}`);
  }

  @KafkaHandler({ when: (record) => record.topic.endsWith('-retry') })
  onRetry(record: ConsumerRecord) {
    console.log('again', record.key);
  }

  @KafkaHandler({ isDefault: true })
  onRest(record: ConsumerRecord) {
    console.log('ignored', record.value);
  }
}
// </readme>

it('several types in one topic', async () => {
  const { driver } = await start(KafkaModule.forRoot(EARLIEST), [Shipping], { orders: [] });
  const header = (key: string, value: string) => ({ headers: [{ key, value: Buffer.from(value) }] });
  driver.cluster.append({ topic: 'orders', value: '{"id":"1"}', ...header('__TypeId__', 'com.shop.OrderCreated') });
  driver.cluster.append({ topic: 'orders', key: 'o-2', value: 'x', ...header('kind', 'cancelled') });
  driver.cluster.append({ topic: 'orders', value: 'what is this' });
  driver.consumers[0]?.wakeup();
  await driver.consumers[0]?.parked();
  expect(seen).toEqual(['pack 1', 'unpack o-2', 'ignored what is this']);
});

interface Price {
  readonly price: number;
}

it('request and reply', async () => {
  @Injectable()
  class Prices {
    @KafkaListener({ topics: 'prices', groupId: 'prices' })
    @SendTo()
    price({ sku }: { sku: string }): Price {
      return { price: sku.length };
    }
  }
  const module =
    // <readme>
    KafkaModule.forRoot({
      bootstrapServers: 'localhost:9092',
      topics: [newTopic('prices'), newTopic('price-replies')],
      template: { replies: { topic: 'price-replies', timeoutMs: 5000 } },
    });
  // </readme>
  const { kafka } = await start(module, [Prices]);
  const sku = 'lamp';
  // <readme>
  const reply = await kafka.sendAndReceive<Price>({ topic: 'prices', value: { sku } }); // a ConsumerRecord; a listener with @SendTo() answers
  // </readme>
  expect(reply.value).toEqual({ price: 4 });
});

it('transactions', async () => {
  const module =
    // <readme>
    KafkaModule.forRoot({
      bootstrapServers: 'localhost:9092',
      consumer: { isolationLevel: 'read_committed', autoOffsetReset: 'earliest' },
      template: { transactionIdPrefix: `invoicing-${hostname()}-` }, // another one in each instance
    });
  // </readme>
  @Injectable()
  class Invoicing {
    constructor(private readonly kafka: KafkaTemplate) {}

    // <readme>
    @KafkaListener({ topics: 'orders', groupId: 'invoicing', transactional: true })
    onOrder(order: { id: number; amounts: number[] }) {
      for (const amount of order.amounts) this.kafka.send('invoices', String(order.id), { amount });
    }
    // </readme>
  }
  const { kafka, driver, sent } = await start(module, [Invoicing], { orders: [] });
  // <readme>
  await kafka.executeInTransaction(async (tx) => {
    tx.send('stock', 'book', { change: -1 });
    tx.send('orders', 'o-1', { id: 1, amounts: [20, 22] });
  });
  // </readme>
  await driver.consumers[0]?.parked();
  expect(
    sent()
      .map(([topic]) => topic)
      .sort(),
  ).toEqual(['invoices', 'invoices', 'orders', 'stock']);
  expect(driver.cluster.offsetsOf('invoicing').get('orders-0')?.offset).toBe(1);
});

class OutOfStockError extends Error {}

it('when a listener fails', async () => {
  @Injectable()
  class Orders {
    // <readme>
    @KafkaListener({
      topics: 'orders',
      errorHandler: (kafka) =>
        new DefaultErrorHandler({
          backOff: new ExponentialBackOff({ initialIntervalMs: 500, multiplier: 2, maxRetries: 5 }),
          notRetryable: [OutOfStockError],
          recoverer: new DeadLetterPublishingRecoverer(kafka).recoverer, // to `<topic>-dlt`, with Spring's headers
        }),
    })
    // </readme>
    onOrder(_order: string) {
      throw new OutOfStockError('no lamps');
    }
  }
  const module = KafkaModule.forRoot({ ...EARLIEST, consumer: { groupId: 'g', autoOffsetReset: 'earliest' } });
  const { sent } = await start(module, [Orders], { orders: ['a'] });
  expect(sent().map(([topic, value]) => [topic, String(value)])).toEqual([['orders-dlt', 'a']]);
});

/** A library of schemas, as far as the program uses it: what zod, valibot and arktype have in common is Standard Schema. */
const z = {
  string: () => (value: unknown) => (typeof value === 'string' ? value : undefined),
  coerce: { number: () => (value: unknown) => (Number.isNaN(Number(value)) ? undefined : Number(value)) },
  object: (shape: { readonly id: (value: unknown) => unknown; readonly amount: (value: unknown) => unknown }) => {
    const schema: StandardSchema<{ id: string; amount: unknown }, { id: string; amount: number }> = {
      '~standard': {
        version: 1,
        vendor: 'of this test',
        validate: (given) => {
          const record = (given ?? {}) as Record<string, unknown>;
          const [id, amount] = [shape.id(record.id), shape.amount(record.amount)];
          if (id === undefined) return { issues: [{ message: 'no text', path: ['id'] }] };
          if (amount === undefined) return { issues: [{ message: 'no number', path: ['amount'] }] };
          return { value: { id: id as string, amount: amount as number } };
        },
      },
    };
    return schema;
  },
};

// <readme>
const Order = z.object({ id: z.string(), amount: z.coerce.number() }); // zod, valibot, arktype: any Standard Schema
export const Orders = defineTopic({ name: 'orders', schema: Order, partitions: 3 });
// </readme>

it('topics with types', async () => {
  const module =
    // <readme>
    KafkaModule.forRoot({
      bootstrapServers: 'localhost:9092',
      consumer: { groupId: 'shop' }, // for listeners that name none
      topics: [Orders], // created at start
    });
  // </readme>
  @Injectable()
  class Listener {
    // <readme>
    @KafkaListener(Orders)
    onOrder(order: ValueOf<typeof Orders>) {
      console.log(order.amount + 1);
    }
    // </readme>
  }
  const { kafka, driver, sent } = await start(module, [Listener]);
  const order = { id: 'o-1', amount: '7' };
  // <readme>
  kafka.send(Orders, order.id, order); // the compiler checks key and value, the schema what comes at run time
  // </readme>
  await kafka.flush();
  expect(sent()).toEqual([['orders', '{"id":"o-1","amount":"7"}']]);
  await expect(Promise.resolve(kafka.send(Orders, 'k', { id: 'o-2', amount: 'many' }))).rejects.toThrow(
    /amount: no number/,
  );
  expect(driver.cluster.topics.get('orders')).toBe(3);
  driver.cluster.append({ topic: 'orders', value: '{"id":"o-3","amount":"41"}' });
  await driver.consumers[0]?.parked();
  expect(seen).toEqual([8, 42]);
});

it('drivers', async () => {
  const bootstrapServers = 'none:9092';
  const module =
    // <readme>
    KafkaModule.forRoot({
      bootstrapServers,
      driver: kafkajsDriver({ log: nestLog('KafkaClient') }),
    });
  // </readme>
  await start(module);
});

it('TLS and SASL', async () => {
  const readFileSync = (name: string): string => name;
  const module =
    // <readme>
    KafkaModule.forRoot({
      bootstrapServers: 'kafka.example:9094',
      client: {
        securityProtocol: 'SASL_SSL', // or PLAINTEXT (default), SSL, SASL_PLAINTEXT
        ssl: { ca: readFileSync('ca.pem') },
        sasl: { mechanism: 'SCRAM-SHA-512', username: 'billing', password: process.env.KAFKA_PASSWORD },
      },
    });
  // </readme>
  const { driver } = await start(module);
  expect(driver.producers[0]?.options.sasl).toMatchObject({ mechanism: 'SCRAM-SHA-512', username: 'billing' });
});

describe('the README of the library', () => {
  const readme = readFileSync(join(LIBRARY, 'README.md'), 'utf8');
  const specs = readdirSync(join(LIBRARY, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.spec.ts'))
    .map((name) => join(LIBRARY, 'src', name));
  const programs = [import.meta.filename, ...specs].flatMap((file) => programsOf(readFileSync(file, 'utf8')));

  it('shows what runs', () => {
    expect(programs.length).toBeGreaterThan(20);
    for (const program of programs) expect(readme).toContain(program);
  });

  it('shows nothing else', () => {
    const longestFirst = [...programs].sort((one, other) => other.length - one.length);
    for (const [, block = ''] of readme.matchAll(/^```ts\n([^]*?)^```$/gm)) {
      let rest = block;
      for (const program of longestFirst) rest = rest.replace(program, '');
      expect(rest.replaceAll(/^import .*;$/gm, '').trim()).toBe('');
    }
  });
});

/** What stands between the lines of a spec, without its indentation. */
function programsOf(source: string): string[] {
  return Array.from(source.matchAll(/^ *\/\/ <readme>\n([^]*?) *\/\/ <\/readme>/gm), ([, program = '']) => {
    const indent = /^ */.exec(program)?.[0] ?? '';
    return program.replaceAll(new RegExp(`^${indent}`, 'gm'), '').trim();
  });
}
