import { recordSerdes } from '../serde/record-serdes.js';
import { driverError } from '../testing/cluster-fake.js';
import { DriverFake } from '../testing/driver-fake.js';
import { FakeClock } from '../testing/fake-clock.js';
import { KafkaTemplate } from './kafka-template.js';
import { type ReplyOptions, ReplyReceiver } from './reply-receiver.js';

function create(options: Partial<ReplyOptions> = {}) {
  const clock = new FakeClock();
  const driver = new DriverFake(clock);
  driver.cluster.createTopic('replies', 2);
  const producer = driver.createProducer({});
  const logged: string[] = [];
  const note = (message: string) => void logged.push(message);
  const log = { debug: note, info: note, warn: note, error: note };
  const serdes = recordSerdes();
  const replies = new ReplyReceiver(
    { topic: 'replies', ...options },
    { driver, createConsumer: () => driver.createConsumer({}), serdes, clock, log },
  );
  const template = new KafkaTemplate({ producer, serdes, listener: {}, clock, log, replies });
  /** Waits until `count` requests are with the producer, and gives the headers of the last. */
  const requested = async (count = 1) => {
    while (producer.appended.length < count) await new Promise((resolve) => setImmediate(resolve));
    return producer.appended[count - 1]?.headers ?? [];
  };
  const answer = (value: string, correlationId: string | undefined, partition = 0) => {
    const headers = correlationId === undefined ? [] : [{ key: 'kafka_correlationId', value: correlationId }];
    driver.cluster.append({ topic: 'replies', partition, value, headers });
  };
  return { clock, driver, producer, template, logged, requested, answer };
}

describe('template: request and reply', () => {
  it('each request gets its own reply, from any partition, in any order', async () => {
    const { template, requested, answer, clock, logged, driver } = create();
    driver.cluster.append({ topic: 'replies', value: 'from before' });
    const first = template.sendAndReceive({ topic: 'requests', key: 'k', value: { id: 1 }, headers: { trace: 't' } });
    const second = template.sendAndReceive({ topic: 'requests', value: { id: 2 } });
    const headers = await requested(1);
    await requested(2);
    expect(headers.map(({ key }) => key)).toEqual(['trace', 'kafka_correlationId', 'kafka_replyTopic']);
    expect(headers[1]?.value).toBe(first.correlationId);
    answer('"nobody"', undefined);
    answer('"other"', 'unknown');
    answer('"two"', second.correlationId, 1);
    answer('{"one":1}', first.correlationId);
    expect([(await second).value, (await first).value]).toEqual(['"two"', { one: 1 }]);
    answer('again', first.correlationId);
    await driver.consumers[0]?.parked();
    expect(logged.filter((message) => message.includes('for somebody else, or too late'))).toHaveLength(3);
    await template.close();
    expect(clock.timerCount).toBe(0);
  });

  it('with a partition of its own it reads that one, and tells it', async () => {
    const { template, requested, answer, driver } = create({ partition: 1 });
    const future = template.sendAndReceive({ topic: 'requests', value: '' });
    const headers = await requested();
    expect(headers.at(-1)).toEqual({ key: 'kafka_replyPartition', value: Buffer.from([0, 0, 0, 1]) });
    expect(driver.calls).toContain('assign replies-1');
    answer('a', future.correlationId, 1);
    expect((await future).value).toBe('a');
    await template.close();
  });

  it('times out, with a sentence that says what to do, and takes no reply afterwards', async () => {
    const { template, requested, answer, clock, driver } = create({ timeoutMs: 100 });
    const future = template.sendAndReceive({ topic: 'requests', value: '' });
    await requested();
    clock.advance(100);
    await expect(future).rejects.toMatchObject({
      name: 'KafkaReplyTimeoutError',
      code: 'REPLY_TIMEOUT',
      message: expect.stringMatching(/^No reply to a request to topic requests came within 100 ms/),
    });
    answer('late', future.correlationId);
    await driver.consumers[0]?.parked();
    await template.close();
  });

  it('fails with the send, with what errorOf says, with the signal, and beyond the bound', async () => {
    const errorOf: ReplyOptions['errorOf'] = (reply) =>
      reply.value === 'bad' ? new Error('refused by the server') : undefined;
    const { template, requested, answer, producer } = create({ errorOf, maxPending: 1 });
    producer.error = driverError('NETWORK');
    await expect(template.sendAndReceive({ topic: 'requests', value: '' })).rejects.toMatchObject({ code: 'NETWORK' });
    producer.error = undefined;
    const refused = template.sendAndReceive({ topic: 'requests', value: '' });
    const second = template.sendAndReceive({ topic: 'requests', value: '' });
    await expect(second).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    await requested(2);
    answer('bad', refused.correlationId);
    await expect(refused).rejects.toThrow('refused by the server');
    const controller = new AbortController();
    const aborted = template.sendAndReceive({ topic: 'requests', value: '' }, { signal: controller.signal });
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
    await template.close();
  });

  it('what cannot be sent fails by the future', async () => {
    const { template } = create();
    const nothing = null as unknown as { topic: string; value: string };
    await expect(template.sendAndReceive(nothing)).rejects.toMatchObject({
      code: 'SERIALIZATION',
      message: expect.stringMatching(/sendAndReceive takes a record .*, and was given null/),
    });
    const signal = {} as AbortSignal;
    await expect(template.sendAndReceive({ topic: 'requests', value: '' }, { signal })).rejects.toThrow(
      /signal must be an AbortSignal/,
    );
    expect(template.metrics()).toEqual({ sent: 2, acknowledged: 0, failed: 2, pending: 0 });
    await template.close();
  });

  it('close fails what waits', async () => {
    const { template, requested, driver, clock } = create();
    const future = template.sendAndReceive({ topic: 'requests', value: '' });
    await requested();
    await Promise.all([expect(future).rejects.toMatchObject({ code: 'CLOSED' }), template.close()]);
    expect([driver.consumers[0]?.isClosed, clock.timerCount]).toEqual([true, 0]);
    await expect(template.sendAndReceive({ topic: 'requests', value: '' })).rejects.toMatchObject({ code: 'CLOSED' });
    const unused = create();
    await unused.template.close();
    await expect(unused.template.sendAndReceive({ topic: 'a', value: '' })).rejects.toMatchObject({ code: 'CLOSED' });
    expect(unused.driver.consumers).toEqual([]);
  });

  it('reads on after a failed poll', async () => {
    const { template, requested, answer, driver, clock, logged } = create();
    const future = template.sendAndReceive({ topic: 'requests', value: '' }, { timeoutMs: 60_000 });
    await requested();
    await driver.consumers[0]?.parked();
    driver.consumers[0]?.failNext('poll', driverError('NETWORK'));
    while (!logged.some((message) => message.includes('it is tried again'))) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    clock.advance(500);
    answer('a', future.correlationId);
    expect((await future).value).toBe('a');
    await template.close();
  });

  it('refuses a driver that cannot, and a template without a topic for replies', async () => {
    const { template, driver } = create();
    driver.capabilities.assign = false;
    await expect(template.sendAndReceive({ topic: 'requests', value: '' })).rejects.toMatchObject({
      code: 'UNSUPPORTED_BY_DRIVER',
    });
    const producer = driver.createProducer({});
    const clock = new FakeClock();
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const without = new KafkaTemplate({ producer, serdes: recordSerdes(), listener: {}, clock, log });
    expect(() => without.sendAndReceive({ topic: 'requests', value: '' })).toThrow(/set template.replies.topic/);
  });
});
