import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AckMode } from '../commit/ack-mode.js';
import { Acknowledgment } from '../commit/acknowledgment.js';
import { KafkaListener } from '../decorators/kafka-listener.decorator.js';
import type { KafkaListenerOptions } from '../listener/listener-options.js';
import { KafkaModule } from '../module/kafka.module.js';
import { ConsumerRecord } from '../record/consumer-record.js';
import { DriverFake } from '../testing/driver-fake.js';
import { FakeClock } from '../testing/fake-clock.js';
import type { IdempotencyStore } from './idempotency-store.js';
import { Idempotent, type IdempotentOptions } from './idempotent.decorator.js';
import { InMemoryIdempotencyStore } from './in-memory.store.js';
import { SqlIdempotencyStore } from './sql.store.js';
import { type SqliteFixture, hasSqlite, openSqlite } from '../../../../test/support/sqlite.js';

const STORE = Symbol('store');

/** An application whose listener notes what it is called with; `work` may fail. */
async function application(
  options: IdempotentOptions,
  work: (record: ConsumerRecord) => unknown = () => undefined,
  listener: Partial<KafkaListenerOptions> = {},
) {
  const called: unknown[] = [];
  const driver = new DriverFake(new FakeClock());
  driver.cluster.createTopic('t', 1);
  @Injectable()
  class Listener {
    @KafkaListener({ topics: 't', groupId: 'g', properties: { autoOffsetReset: 'earliest' }, ...listener })
    @Idempotent(options)
    async onRecord(record: ConsumerRecord) {
      called.push(record.value);
      await work(record);
    }
  }
  const store = new InMemoryIdempotencyStore();
  const app = await Test.createTestingModule({
    imports: [KafkaModule.forRoot({ bootstrapServers: 'none:9092', driver })],
    providers: [Listener, { provide: STORE, useValue: store }],
  })
    .setLogger({ log: () => undefined, warn: () => undefined, error: () => undefined })
    .compile();
  await app.init();
  const consumer = driver.consumers[0];
  const settle = () => consumer?.parked();
  await settle();
  const append = async (value: string, id?: string) => {
    const headers = id === undefined ? [] : [{ key: 'id', value: id }];
    driver.cluster.append({ topic: 't', value, headers });
    await settle();
  };
  const again = async () => {
    consumer?.seek({ topic: 't', partition: 0 }, 0);
    consumer?.wakeup();
    await settle();
  };
  return { app, called, append, again, store, driver };
}

describe('@Idempotent', () => {
  it('skips a record that is delivered again', async () => {
    const { app, called, append, again } = await application({});
    await append('a');
    await again();
    await append('b');
    expect(called).toEqual(['a', 'b']);
    await app.close();
  });

  it('takes its store from a provider', async () => {
    const { app, append, store } = await application({ store: STORE });
    await append('a');
    expect(store.has('Listener.onRecord:t-0@0')).toBe(true);
    await app.close();
  });

  it.each<[string, IdempotentOptions['key']]>([
    ['a header', 'id'],
    ['a function', (record) => record.headers.find(({ key }) => key === 'id')?.value?.toString()],
  ])('knows records by %s, and without one by their place', async (_name, key) => {
    const { app, called, append } = await application({ key });
    await append('a', 'order-1');
    await append('the same', 'order-1');
    await append('no id');
    await append('no id either');
    expect(called).toEqual(['a', 'no id', 'no id either']);
    await app.close();
  });

  it('a call that fails is repeated', async () => {
    let failures = 1;
    const { app, called, append } = await application({}, () => {
      if (failures-- > 0) throw new Error('boom');
    });
    await append('a');
    expect(called).toEqual(['a', 'a']);
    await app.close();
  });

  it('a store that fails fails the record: nothing is processed unseen', async () => {
    let failures = 1;
    const inner = new InMemoryIdempotencyStore();
    const store: IdempotencyStore = {
      has: (key) => {
        if (failures-- > 0) throw new Error('the database is away');
        return inner.has(key);
      },
      add: (key) => inner.add(key),
    };
    const { app, called, append } = await application({ store });
    await append('a');
    expect(called).toEqual(['a']);
    await app.close();
  });

  it('the same record twice at the same time is processed once', async () => {
    const { app, called, append, driver } = await application({ key: 'id' }, () => new Promise(setImmediate), {
      keyConcurrency: 4,
    });
    driver.cluster.append({ topic: 't', value: 'a', headers: [{ key: 'id', value: 'x' }] });
    await append('b', 'x');
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(called).toEqual(['a']);
    await app.close();
    expect(driver.cluster.offsetsOf('g').get('t-0')?.offset).toBe(2);
  });

  it('is refused at start on a batch listener', async () => {
    await expect(application({}, undefined, { batch: true })).rejects.toThrow(
      /@Idempotent is for record listeners.*take it or batch away/,
    );
  });

  it('acknowledges what it skips', async () => {
    const driver = new DriverFake(new FakeClock());
    driver.cluster.createTopic('t', 1);
    @Injectable()
    class Listener {
      @KafkaListener({
        topics: 't',
        groupId: 'g',
        ackMode: AckMode.MANUAL,
        properties: { autoOffsetReset: 'earliest' },
      })
      @Idempotent({ key: () => 'always the same' })
      onRecord(_record: ConsumerRecord, ack: Acknowledgment) {
        ack.acknowledge();
      }
    }
    const imports = [KafkaModule.forRoot({ bootstrapServers: 'none:9092', driver })];
    const app = await Test.createTestingModule({ imports, providers: [Listener] })
      .setLogger({ log: () => undefined, warn: () => undefined, error: () => undefined })
      .compile();
    for (const value of ['a', 'b', 'c']) driver.cluster.append({ topic: 't', value });
    await app.init();
    await driver.consumers[0]?.parked();
    expect(driver.cluster.offsetsOf('g').get('t-0')?.offset).toBe(3);
    await app.close();
  });
});

describe('idempotency store in memory', () => {
  it('is bounded by number and by age', () => {
    const clock = new FakeClock();
    const store = new InMemoryIdempotencyStore({ maxKeys: 2, ttlMs: 1000, clock });
    for (const key of ['a', 'b', 'c']) store.add(key);
    expect([store.has('a'), store.has('b'), store.has('c')]).toEqual([false, true, true]);
    clock.advance(999);
    expect(store.size).toBe(2);
    clock.advance(1);
    expect(store.size).toBe(0);
  });
});

describe('idempotency store in SQL', () => {
  let database: SqliteFixture | undefined;

  beforeAll(async () => {
    database = await openSqlite();
  });
  afterAll(() => database?.close());

  // SQLite comes with Node 22; on Node 20 Python has one. Without both the test shows as skipped.
  (hasSqlite() ? it : it.skip)('remembers keys in a real database, long ones too; forgets them by age', async () => {
    if (database === undefined) throw new Error('There is no SQLite after all');
    const clock = new FakeClock();
    const store = new SqlIdempotencyStore(database, { ttlMs: 1000, clock });
    await store.createTable();
    await store.createTable();
    const long = `${'x'.repeat(600)}1`;
    expect([await store.has("it's"), await store.has(long)]).toEqual([false, false]);
    for (const key of ["it's", "it's", long]) await store.add(key);
    expect([await store.has("it's"), await store.has(long), await store.has(`${'x'.repeat(600)}2`)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await database.execute('SELECT COUNT(*) AS n FROM kafka_idempotency', [])).toHaveLength(1);
    clock.advance(1001);
    await store.deleteOld();
    expect(await store.has("it's")).toBe(false);
  });

  it('adding a key that another process has added meanwhile is no error', async () => {
    const keys = new Set<unknown>();
    const store = new SqlIdempotencyStore({
      execute: (sql, [key]) => {
        if (sql.startsWith('SELECT')) return keys.has(key) ? [{ id: key }] : [];
        if (keys.has(key)) throw new Error('UNIQUE constraint failed');
        keys.add(key);
        return [];
      },
    });
    expect(await store.has('a')).toBe(false);
    await store.add('a');
    await store.add('a');
    expect([await store.has('a'), await store.has('b')]).toEqual([true, false]);
  });

  it('an error that is not about the key is passed on', async () => {
    const store = new SqlIdempotencyStore({
      execute: (sql) => {
        if (sql.startsWith('INSERT')) throw new Error('disk full');
        return [];
      },
    });
    await expect(store.add('a')).rejects.toThrow('disk full');
  });

  it.each([
    ['?', 'INSERT INTO done (id, done_at) VALUES (?, ?)'],
    ['$', 'INSERT INTO done (id, done_at) VALUES ($1, $2)'],
  ] as const)('writes parameters as %s', async (placeholders, statement) => {
    const seen: string[] = [];
    const executor = { execute: (sql: string) => (seen.push(sql), []) };
    await new SqlIdempotencyStore(executor, { table: 'done', placeholders }).add('a');
    expect(seen).toEqual([statement]);
  });

  it('refuses a table name that is more than a name', () => {
    expect(() => new SqlIdempotencyStore({ execute: () => [] }, { table: 'a; DROP TABLE b' })).toThrow(RangeError);
  });
});
