/**
 * KafkaTemplate on a real broker: the three ways to send, and what becomes of failures.
 */
import {
  JsonSerde,
  KafkaSendAllError,
  type KafkaSendError,
  KafkaTemplate,
  type SendResult,
  defineTopic,
  newTopic,
} from '@kafka-template/nestjs';
import { uniqueName } from '../support/broker.js';
import { NestApps, TEMPLATE_DRIVERS } from '../support/nest-apps.js';

describe.each(TEMPLATE_DRIVERS)('template: sending, on $name', ({ driver }) => {
  let apps: NestApps;

  beforeAll(async () => {
    apps = await NestApps.start(driver);
  });
  afterAll(() => apps.close());

  it('fire and forget: the record arrives, nothing is waited for', async () => {
    const topic = uniqueName('forget');
    const app = await apps.app({ topics: [newTopic(topic)] });
    app.get(KafkaTemplate).send(topic, 'k', { item: 'book' });
    const [record] = await apps.kafka.take(topic);
    expect([record?.key, record?.value]).toEqual(['k', { item: 'book' }]);
  });

  it('synchronous: waits for the acknowledgement and knows topic, partition, offset and time', async () => {
    const topic = uniqueName('sync');
    const app = await apps.app({ topics: [newTopic(topic, { partitions: 3 })] });
    const template = app.get(KafkaTemplate);
    const before = Date.now();
    const results: SendResult[] = [];
    for (const value of ['a', 'b']) results.push(await template.send(topic, 2, 'k', value).get(10_000));
    expect(results.map((result) => [result.topic, result.partition, result.offset])).toEqual([
      [topic, 2, 0],
      [topic, 2, 1],
    ]);
    expect(results[0]?.timestamp).toBeGreaterThanOrEqual(before);
    expect(results[0]?.record).toMatchObject({ topic, partition: 2, key: 'k', value: 'a' });
  });

  it('a signal for many records: what waits is taken back, without a warning of too many listeners', async () => {
    const topic = uniqueName('abort');
    const warnings: string[] = [];
    const onWarning = (warning: Error) => void warnings.push(warning.message);
    process.on('warning', onWarning);
    const app = await apps.app({ topics: [newTopic(topic)], producer: { lingerMs: 60_000 } });
    const template = app.get(KafkaTemplate);
    const controller = new AbortController();
    const records = Array.from({ length: 2000 }, (_, index) => ({ topic, value: `aborted ${index}` }));
    const sent = template.sendAll(records, { signal: controller.signal });
    const kept = template.send(topic, 'kept');
    controller.abort();
    await expect(sent).rejects.toMatchObject({ code: 'ABORTED', failures: { length: 2000 } });
    await template.flush();
    if (driver === undefined) expect((await kept).offset).toBe(0);
    expect(template.metrics()).toEqual({ sent: 2001, acknowledged: 1, failed: 2000, pending: 0 });
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  it('asynchronous: callbacks come in the order of the records of a partition', async () => {
    const topic = uniqueName('callback');
    const app = await apps.app({ topics: [newTopic(topic)] });
    const template = app.get(KafkaTemplate);
    const offsets: number[] = [];
    const errors: KafkaSendError[] = [];
    for (let index = 0; index < 500; index++) {
      template.send(topic, String(index)).addCallback(
        (result) => offsets.push(result.offset),
        (error) => errors.push(error),
      );
    }
    await template.flush();
    expect(errors).toEqual([]);
    expect(offsets).toEqual(Array.from({ length: 500 }, (_, index) => index));
  });

  it('equal keys go to one partition, headers and timestamps travel along, null is a tombstone', async () => {
    const topic = uniqueName('record');
    const app = await apps.app({ topics: [newTopic(topic, { partitions: 4 })] });
    const template = app.get(KafkaTemplate);
    const first = await template.send({ topic, key: 'k', value: 'v', timestamp: 1234, headers: { trace: 'abc' } });
    const second = await template.send(topic, 'k', null);
    expect(second.partition).toBe(first.partition);
    const [record, tombstone] = await apps.kafka.take(topic, { count: 2 });
    expect([record?.timestamp, record?.header('trace')?.toString()]).toEqual([1234, 'abc']);
    expect(tombstone?.value).toBeNull();
  });

  it('a record that is too large fails by the future and the listener, and the next one goes through', async () => {
    const topic = uniqueName('large');
    const failures: string[] = [];
    const app = await apps.app({
      topics: [newTopic(topic)],
      producer: { maxRequestSize: 10_000 },
      producerListener: { onError: (_record, _metadata, error) => failures.push(error.code) },
    });
    const template = app.get(KafkaTemplate);
    await expect(template.send(topic, 'x'.repeat(20_000))).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' });
    expect(failures).toEqual(['RECORD_TOO_LARGE']);
    expect((await template.send(topic, 'small')).offset).toBe(0);
  });

  it('the end of the application loses nothing that was sent, and no callback', async () => {
    const topic = uniqueName('ending');
    const app = await apps.app({ topics: [newTopic(topic)] });
    const template = app.get(KafkaTemplate);
    let acknowledged = 0;
    for (let index = 0; index < 1000; index++) template.send(topic, String(index)).addCallback(() => acknowledged++);
    await app.close();
    expect(acknowledged).toBe(1000);
    expect(await apps.kafka.take(topic, { count: 1000 })).toHaveLength(1000);
  });

  it('a contract is created as a topic, typed when sent, and read back record by record, with all 64 bits', async () => {
    const Orders = defineTopic<string, { id: bigint }>({
      name: uniqueName('contract'),
      partitions: 2,
      value: new JsonSerde({ largeIntegers: 'bigint' }),
    });
    const app = await apps.app({ topics: [Orders] });
    const template = app.get(KafkaTemplate);
    const id = 2n ** 63n - 1n;
    const { offset } = await template.send(Orders, 1, 'k', { id });
    expect(await template.partitionsFor(Orders.name)).toHaveLength(2);
    const receiving = template.receive(Orders, 1, offset, 20_000);
    if (driver !== undefined) {
      await expect(receiving).rejects.toMatchObject({ code: 'UNSUPPORTED_BY_DRIVER' });
      return;
    }
    const record = await receiving;
    expect([record?.key, record?.value]).toEqual(['k', { id }]);
    expect(await template.receive(Orders, 1, offset + 7, 1000)).toBeUndefined();
  });

  it('many records at once: those that fail are told, the others are stored; headers are text', async () => {
    const topic = uniqueName('all');
    const app = await apps.app({ topics: [newTopic(topic)], producer: { maxRequestSize: 10_000 } });
    const template = app.get(KafkaTemplate);
    const values = ['a', 'x'.repeat(20_000), 'c'];
    const records = values.map((value, index) => ({ topic, value, headers: { index, list: ['1', '2'] } }));
    const failed = await template.sendAll(records).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(KafkaSendAllError);
    const { failures, results } = failed as KafkaSendAllError;
    expect(failures.map(({ index, error }) => [index, error.code])).toEqual([[1, 'RECORD_TOO_LARGE']]);
    expect(results.map((result) => result?.offset)).toEqual([0, undefined, 1]);
    const stored = await apps.kafka.take(topic, { count: 2 });
    expect(stored.map(({ value }) => value)).toEqual(['a', 'c']);
    const headers = stored[1]?.headers.map(({ key, value }) => [key, value?.toString()]);
    expect(headers).toEqual([
      ['index', '2'],
      ['list', '1'],
      ['list', '2'],
    ]);
  });
});
