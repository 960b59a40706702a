import { recordSerdes } from '../serde/record-serdes.js';
import { driverError } from '../testing/cluster-fake.js';
import { DriverFake } from '../testing/driver-fake.js';
import { FakeClock } from '../testing/fake-clock.js';
import { KafkaTemplate } from './kafka-template.js';
import { Transactions } from './transactions.js';

function create() {
  const clock = new FakeClock();
  const driver = new DriverFake(clock);
  const warnings: string[] = [];
  const quiet = () => undefined;
  const log = { debug: quiet, info: quiet, warn: (message: string) => void warnings.push(message), error: quiet };
  const createProducer = (transactionalId: string) => driver.createProducer({ transactionalId });
  const transactions = new Transactions({ prefix: 'tx-', createProducer, log });
  const parts = { producer: driver.createProducer({}), serdes: recordSerdes(), listener: {}, clock, log };
  const template = new KafkaTemplate({ ...parts, transactions });
  return { driver, template, transactions, warnings, plain: new KafkaTemplate(parts) };
}

const sent = (driver: DriverFake) =>
  driver.producers.map(({ options, appended }) => [
    options.transactionalId ?? 'plain',
    appended.map(({ value }) => String(value)),
  ]);

describe('template: transactions', () => {
  it('commits what was sent inside, by both templates, and leaves outside what is outside', async () => {
    const { driver, template } = create();
    template.send('t', 'before');
    const returned = await template.executeInTransaction(async (tx) => {
      await Promise.resolve();
      template.send('t', 'joined');
      tx.send('t', 'given');
      return 7;
    });
    template.send('t', 'after');
    expect(returned).toBe(7);
    expect(sent(driver)).toEqual([
      ['plain', ['before', 'after']],
      ['tx-0', ['joined', 'given']],
    ]);
    expect(driver.calls).toEqual(['tx-0.initTransactions', 'tx-0.begin', 'tx-0.commit']);
  });

  it('aborts when the work fails, and rejects with its error; the producer is used again', async () => {
    const { driver, template } = create();
    const failing = template.executeInTransaction(() => {
      throw new RangeError('boom');
    });
    await expect(failing).rejects.toThrow(RangeError);
    await template.executeInTransaction((tx) => void tx.send('t', 'x'));
    expect(driver.calls).toEqual(['tx-0.initTransactions', 'tx-0.begin', 'tx-0.abort', 'tx-0.begin', 'tx-0.commit']);
  });

  it('a commit that has to be aborted is aborted, and says that nothing is visible', async () => {
    const { driver, template } = create();
    await template.executeInTransaction(() => undefined);
    driver.producers[1]!.commitError = Object.assign(driverError('TRANSACTION_ABORTED'), { abortable: true });
    await expect(template.executeInTransaction(() => undefined)).rejects.toMatchObject({
      code: 'TRANSACTION_ABORTED',
      message: expect.stringContaining('nothing of it is visible') as string,
    });
    expect(driver.calls.slice(-2)).toEqual(['tx-0.commit', 'tx-0.abort']);
    await template.executeInTransaction(() => undefined);
    expect(driver.producers).toHaveLength(2);
  });

  it('a commit with an unknown end costs the producer its life, not its id', async () => {
    const { driver, template } = create();
    await template.executeInTransaction(() => undefined);
    driver.producers[1]!.commitError = driverError('TIMEOUT');
    await expect(template.executeInTransaction(() => undefined)).rejects.toThrow(/is not known/);
    expect(driver.producers[1]!.isClosed).toBe(true);
    await template.executeInTransaction(() => undefined);
    expect(driver.producers[2]?.options.transactionalId).toBe('tx-0');
  });

  it('transactions at the same time have producers of their own, also one inside another', async () => {
    const { driver, template } = create();
    await template.executeInTransaction(async () => {
      template.send('t', 'outer');
      await template.executeInTransaction(() => void template.send('t', 'inner'));
      template.send('t', 'outer again');
    });
    expect(sent(driver)).toEqual([
      ['plain', []],
      ['tx-0', ['outer', 'outer again']],
      ['tx-1', ['inner']],
    ]);
  });

  it('what is sent by its template after the end fails, and joins no other transaction', async () => {
    const { driver, template } = create();
    let late: KafkaTemplate | undefined;
    await template.executeInTransaction((tx) => void (late = tx));
    await template.executeInTransaction(async () => {
      await expect(Promise.resolve(late?.send('t', 'late'))).rejects.toMatchObject({ code: 'ILLEGAL_STATE' });
    });
    expect(driver.producers[1]?.appended).toEqual([]);
  });

  it('sends offsets with the transaction, and refuses to without one', async () => {
    const { driver, template } = create();
    const group = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null };
    const offsets = [{ topic: 't', partition: 0, offset: 3 }];
    await template.executeInTransaction((tx) => tx.sendOffsetsToTransaction(offsets, group));
    expect(driver.cluster.offsetsOf('g').get('t-0')?.offset).toBe(3);
    await expect(template.sendOffsetsToTransaction(offsets, group)).rejects.toMatchObject({ code: 'ILLEGAL_STATE' });
  });

  it('without a prefix it is refused, with the option to set; after the end of the template, too', async () => {
    const { template, plain, driver } = create();
    expect(() => plain.executeInTransaction(() => undefined)).toThrow(/transactionIdPrefix/);
    await template.executeInTransaction(() => undefined);
    await template.close();
    expect(driver.producers[1]?.isClosed).toBe(true);
    await expect(template.executeInTransaction(() => undefined)).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('a hundred at a time are the limit', async () => {
    const { template } = create();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const open = Array.from({ length: 100 }, () => template.executeInTransaction(() => held));
    await expect(template.executeInTransaction(() => undefined)).rejects.toMatchObject({ code: 'ILLEGAL_STATE' });
    release();
    await Promise.all(open);
  });
});
