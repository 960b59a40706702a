/** `for await` over a consumer: pace, positions, leaving, ending; and the numbers beside it. */
import { ConsumerWorld } from './testing/consumer-world.js';

const A0 = { topic: 'a', partition: 0 };
const A1 = { topic: 'a', partition: 1 };

function world(options: ConstructorParameters<typeof ConsumerWorld>[0] = {}): ConsumerWorld {
  const created = new ConsumerWorld(options);
  created.cluster.setTopic('a', 2);
  return created;
}

function assigned(options: ConstructorParameters<typeof ConsumerWorld>[0] = {}): ConsumerWorld {
  const created = world(options);
  created.consumer.assign([A0]);
  return created;
}

/** The values of the next `count` records. */
async function take(created: ConsumerWorld, count: number, onRecord?: (value: string) => void): Promise<string[]> {
  const values: string[] = [];
  const loop = async (): Promise<void> => {
    for await (const record of created.consumer) {
      values.push(String(record.value));
      onRecord?.(String(record.value));
      if (values.length === count) break;
    }
  };
  await created.drive(loop());
  return values;
}

describe('for await over a consumer', () => {
  it('gives one record after the other, over several polls', async () => {
    const created = assigned({ maxPollRecords: 2 });
    created.logs.append('a', 0, ['1', '2', '3']);
    created.logs.append('a', 0, ['4', '5']);
    expect(await take(created, 5)).toEqual(['1', '2', '3', '4', '5']);
  });

  it('keeps the position behind the record given last, so that a commit in the loop takes no other for done', async () => {
    const created = assigned();
    created.logs.append('a', 0, ['1', '2', '3']);
    const positions: number[] = [];
    await take(created, 3, () => void created.consumer.position(A0).then((position) => positions.push(position)));
    await created.clock.run();
    expect(positions).toEqual([1, 2, 3]);
  });

  it('left by break, goes on with the next record in the next loop or poll', async () => {
    const created = assigned();
    created.logs.append('a', 0, ['1', '2', '3', '4']);
    expect(await take(created, 1)).toEqual(['1']);
    expect(await take(created, 2)).toEqual(['2', '3']);
    expect(await created.values()).toEqual(['4']);
  });

  it('commits at close what the loop has seen, and nothing else', async () => {
    const created = assigned({ enableAutoCommit: true });
    created.logs.append('a', 0, ['1', '2', '3', '4']);
    await take(created, 2);
    await created.drive(created.consumer.close());
    expect(created.group.committed.get('a-0')).toBe(2);
  });

  it('follows a seek with the next record', async () => {
    const created = assigned();
    created.logs.append('a', 0, ['1', '2', '3', '4']);
    let sought = false;
    const values = await take(created, 5, (value) => {
      if (value !== '2' || sought) return;
      sought = true;
      created.consumer.seek(A0, 0);
    });
    expect(values).toEqual(['1', '2', '1', '2', '3']);
  });

  it('polls nothing while the loop is at work', async () => {
    const created = assigned({ maxPollRecords: 1 });
    created.logs.append('a', 0, ['1', '2']);
    const iterator = created.consumer[Symbol.asyncIterator]();
    await created.drive(iterator.next());
    const polled = created.consumer.metrics().recordsConsumedTotal;
    await created.clock.advance(10_000);
    expect(polled).toBe(1);
    expect(created.consumer.metrics()).toMatchObject({ recordsConsumedTotal: 1, lastPollAgoMs: 10_000 });
  });

  it('ends when the consumer is closed, also while it waits, and throws what poll throws', async () => {
    const created = assigned();
    const values: string[] = [];
    const loop = (async () => {
      for await (const record of created.consumer) values.push(String(record.value));
      return 'ended';
    })();
    await created.clock.advance(5_000);
    await created.drive(created.consumer.close());
    expect(await created.drive(loop)).toBe('ended');
    expect(await created.drive(created.consumer[Symbol.asyncIterator]().next())).toEqual({
      done: true,
      value: undefined,
    });

    const failing = world({ autoOffsetReset: 'none' });
    failing.consumer.assign([A0]);
    await expect(take(failing, 1)).rejects.toMatchObject({ code: 'NO_OFFSET_FOR_PARTITION' });
    failing.consumer.wakeup();
    await expect(take(failing, 1)).rejects.toMatchObject({ code: 'WAKEUP' });
  });
});

describe('currentLag and metrics', () => {
  it('say how far the position is behind, without asking anybody', async () => {
    const created = assigned({ maxPollRecords: 2 });
    expect(created.consumer.currentLag(A0)).toBeNull();
    expect(() => created.consumer.currentLag(A1)).toThrow('not assigned');
    created.logs.append('a', 0, ['1', '2', '3']);
    await created.values();
    expect(created.consumer.currentLag(A0)).toBe(1);
    const requests = created.cluster.sent.length;
    expect(created.consumer.metrics()).toMatchObject({
      recordsConsumedTotal: 2,
      assignedPartitions: 1,
      recordsLagMax: 1,
      fetchTotal: 1,
    });
    expect(created.consumer.metrics().bytesFetchedTotal).toBeGreaterThan(60);
    expect(created.cluster.sent).toHaveLength(requests);
  });

  it('count heartbeats, rebalances and commits', async () => {
    const created = world();
    created.consumer.subscribe('a');
    await created.pollAssigned(2);
    await created.clock.advance(6_100);
    await created.drive(created.consumer.commitSync([{ ...A0, offset: 1 }]));
    created.group.commitCodes = [25];
    await created.drive(created.consumer.commitSync([{ ...A0, offset: 2 }])).catch(() => undefined);
    expect(created.consumer.metrics()).toMatchObject({
      heartbeatTotal: 2,
      rebalanceTotal: 1,
      commitTotal: 1,
      commitFailedTotal: 1,
    });
  });
});
