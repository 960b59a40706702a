import { ConsumerRecord } from '../record/consumer-record.js';
import { recordSerdes } from '../serde/record-serdes.js';
import { FakeClock } from '../testing/fake-clock.js';
import {
  type DeadLetterOptions,
  DeadLetterPublishingRecoverer,
  type DeadLetterSender,
} from './dead-letter.recoverer.js';

type Sent = Parameters<DeadLetterSender['sendRaw']>[0];

const RECORD = new ConsumerRecord(
  {
    topic: 'orders',
    partition: 1,
    offset: 0,
    timestamp: 0x1a20628ff7b,
    timestampType: 'CreateTime',
    key: Buffer.from('k'),
    value: Buffer.from('{"id":'),
    headers: [{ key: 'trace', value: Buffer.from('t') }],
  },
  recordSerdes(),
);

class OutOfStockError extends Error {}

async function recover(
  options: DeadLetterOptions = {},
  partitions = 2,
  error: Error = new TypeError('boom', { cause: new RangeError('below') }),
) {
  const sent: Sent[] = [];
  const sender: DeadLetterSender = {
    sendRaw: async (record) => void sent.push(record),
    partitionsFor: async () => Array.from({ length: partitions }, (_, partition) => ({ partition })),
  };
  await new DeadLetterPublishingRecoverer(sender, options).recoverer(RECORD, error, { listenerId: 'l', groupId: 'g' });
  return sent;
}

describe('error-handling: dead letters', () => {
  it('carry the record as it came, and headers as Spring writes them, in its order', async () => {
    const [letter] = await recover();
    expect(letter).toMatchObject({
      topic: 'orders-dlt',
      partition: 1,
      key: Buffer.from('k'),
      value: Buffer.from('{"id":'),
    });
    const shown = letter?.headers?.map(({ key, value }) => [
      key,
      Buffer.isBuffer(value) ? value.toString('hex') : value,
    ]);
    expect(
      shown?.map(([key, value]) => (key === 'kafka_dlt-exception-stacktrace' ? [key, 'stack'] : [key, value])),
    ).toEqual([
      ['trace', '74'],
      ['kafka_dlt-exception-fqcn', 'TypeError'],
      ['kafka_dlt-exception-cause-fqcn', 'RangeError'],
      ['kafka_dlt-exception-message', 'boom'],
      ['kafka_dlt-exception-stacktrace', 'stack'],
      ['kafka_dlt-original-topic', 'orders'],
      ['kafka_dlt-original-partition', '00000001'],
      ['kafka_dlt-original-offset', '0000000000000000'],
      ['kafka_dlt-original-timestamp', '000001a20628ff7b'],
      ['kafka_dlt-original-timestamp-type', 'CreateTime'],
      ['kafka_dlt-original-consumer-group', 'g'],
    ]);
  });

  it('name the class of an error that has set no name of its own', async () => {
    const error = new OutOfStockError('none left', { cause: new OutOfStockError('below') });
    const [letter] = await recover({}, 2, error);
    const names = letter?.headers?.filter(({ key }) => key.endsWith('fqcn')).map(({ value }) => value);
    expect(names).toEqual(['OutOfStockError', 'OutOfStockError']);
  });

  it('leave the partition to the partitioner where the topic does not have it', async () => {
    expect((await recover({}, 1))[0]?.partition).toBeNull();
  });

  it('do not wait for ever to learn what partitions there are', async () => {
    const clock = new FakeClock();
    const sent: Sent[] = [];
    const sender: DeadLetterSender = {
      sendRaw: async (record) => void sent.push(record),
      partitionsFor: () => new Promise(() => undefined),
    };
    const { recoverer } = new DeadLetterPublishingRecoverer(sender, { clock });
    const recovered = recoverer(RECORD, new Error('boom'), { listenerId: 'l', groupId: undefined });
    clock.advance(5000);
    await recovered;
    expect(sent[0]?.partition).toBeNull();
  });

  it('go where they are told, with more or fewer headers, or nowhere', async () => {
    const [letter] = await recover({
      destination: (record) => ({ topic: `dead-${record.topic}` }),
      includeStackTrace: false,
      headers: () => [{ key: 'why', value: 'because' }],
    });
    expect([letter?.topic, letter?.partition, letter?.headers?.at(-1)]).toEqual([
      'dead-orders',
      null,
      { key: 'why', value: 'because' },
    ]);
    expect(letter?.headers?.map((header) => header.key)).not.toContain('kafka_dlt-exception-stacktrace');
    expect(await recover({ destination: () => null })).toEqual([]);
    expect((await recover({ suffix: '.DLT' }))[0]?.topic).toBe('orders.DLT');
  });
});
