import { Acknowledgment } from './acknowledgment.js';
import type { RecordRef } from './commit-strategy.js';

const RECORDS: RecordRef[] = [0, 1, 2].map((offset) => ({ topic: 't', partition: 0, offset }));

function create(records = RECORDS) {
  const seen: number[][] = [];
  const acknowledgment = new Acknowledgment(
    {
      acknowledged(list) {
        seen.push(list.map((record) => record.offset));
        return Promise.resolve();
      },
      commitSync: () => Promise.resolve(),
      commitAsync: () => undefined,
    },
    records,
  );
  return { seen, acknowledgment };
}

describe('commit: Acknowledgment', () => {
  it('acknowledges once, however often it is called', async () => {
    const { seen, acknowledgment } = create();
    await acknowledgment.acknowledge();
    await acknowledgment.acknowledge();
    expect(seen).toEqual([[0, 1, 2]]);
    expect(acknowledgment.isAcknowledged).toBe(true);
  });

  it('acknowledges a batch in parts; the last call covers the rest', async () => {
    const { seen, acknowledgment } = create();
    await acknowledgment.acknowledge(0);
    await acknowledgment.acknowledge(0);
    await acknowledgment.acknowledge();
    expect(seen).toEqual([[0], [1, 2]]);
  });

  it('remembers a rejection until the listener has returned', () => {
    const { acknowledgment } = create();
    acknowledgment.nack(100);
    expect(acknowledgment.finish()).toEqual({ index: 0, sleepMs: 100 });
    const batch = create().acknowledgment;
    batch.nack(1, 5);
    expect(batch.finish()).toEqual({ index: 1, sleepMs: 5 });
  });

  it.each<[string, (acknowledgment: Acknowledgment) => unknown, RegExp]>([
    ['acknowledge after nack', (a) => (a.nack(1), a.acknowledge()), /acknowledge\(\) after nack\(\)/],
    ['nack after acknowledge', (a) => (a.acknowledge(), a.nack(1)), /nack\(\) after acknowledge\(\)/],
    ['nack after the listener has returned', (a) => (a.finish(), a.nack(1)), /after the listener has returned/],
    ['nack of a negative time', (a) => a.nack(-1), /milliseconds from 0/],
    ['an index outside the batch', (a) => a.acknowledge(3), /index 3 is not one of the 3 records/],
  ])('refuses %s', (_name, call, message) => {
    const { acknowledgment } = create();
    expect(() => call(acknowledgment)).toThrow(message);
    expect(() => call(create().acknowledgment)).toThrow(expect.objectContaining({ code: 'ILLEGAL_STATE' }));
  });
});
