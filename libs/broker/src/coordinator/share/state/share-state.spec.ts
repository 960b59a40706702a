import { ErrorCode } from '@kafka-template/protocol';
import { GroupWorld } from '../../group-world.fixture.js';
import { decodeShareStateRecord, encodeShareStateRecord, type ShareStateRecord } from './records.js';
import { overlay, type ShareKey, type StateBatch } from './share-state.js';
import { SHARE_STATE_TOPIC } from './share-state-coordinator.js';

const batch = (firstOffset: number, lastOffset: number, deliveryState = 2, deliveryCount = 1): StateBatch => ({
  firstOffset,
  lastOffset,
  deliveryState,
  deliveryCount,
});

describe('batches laid over batches', () => {
  const rows: [name: string, old: StateBatch[], newer: StateBatch[], start: number, expected: StateBatch[]][] = [
    ['beside each other', [batch(0, 1, 0)], [batch(3, 4)], 0, [batch(0, 1, 0), batch(3, 4)]],
    ['over the middle', [batch(0, 9, 0)], [batch(3, 4)], 0, [batch(0, 2, 0), batch(3, 4), batch(5, 9, 0)]],
    ['over all', [batch(1, 2, 0), batch(4, 5, 4)], [batch(0, 9)], 0, [batch(0, 9)]],
    ['equal neighbours', [batch(0, 1), batch(4, 5)], [batch(2, 3)], 0, [batch(0, 5)]],
    ['with another count', [batch(0, 1, 0, 1)], [batch(2, 3, 0, 2)], 0, [batch(0, 1, 0, 1), batch(2, 3, 0, 2)]],
    ['before the start', [batch(0, 4), batch(6, 9, 0)], [], 3, [batch(3, 4), batch(6, 9, 0)]],
  ];
  it.each(rows)('%s', (_name, old, newer, start, expected) => {
    expect(overlay(old, newer, start)).toEqual(expected);
  });
});

describe('the store of share group state', () => {
  let world: GroupWorld;
  let key: ShareKey;

  beforeEach(async () => {
    world = await GroupWorld.start({
      'share.coordinator.state.topic.num.partitions': '1',
      'share.coordinator.snapshot.update.records.per.snapshot': '3',
    });
    expect(await world.shareStates.prepare()).toBe(ErrorCode.NONE);
    key = { groupId: 'g', topicId: world.controller.image.topic('t')!.id, partition: 0 };
  });
  afterEach(() => world.stop());

  function settle(start: (done: (errorCode: number) => void) => void): Promise<number> {
    return world.settled(new Promise<number>((resolve) => start(resolve)));
  }
  const steps = (done: (errorCode: number) => void) => ({ stored: () => done(0), refused: done, failed: done });
  const initialize = (stateEpoch: number, startOffset: number) =>
    settle((done) => world.shareStates.initialize(key, { stateEpoch, startOffset }, steps(done)));
  const update = (startOffset: number, batches: StateBatch[], epochs = { stateEpoch: 1, leaderEpoch: 0 }) => {
    const command = { ...epochs, startOffset, deliveryCompleteCount: batches.length, batches };
    return settle((done) => world.shareStates.update(key, command, steps(done)));
  };
  const stored = () => world.shareStates.read(key).state;
  const log = () => world.partitions.get(SHARE_STATE_TOPIC, 0)!;

  it('keeps what it is told, over restarts', async () => {
    expect(await update(0, [])).toBe(ErrorCode.INVALID_REQUEST);
    expect(await initialize(1, 0)).toBe(ErrorCode.NONE);
    expect(await update(0, [batch(0, 4), batch(7, 7, 4)])).toBe(ErrorCode.NONE);
    expect(await update(5, [batch(6, 6, 0, 3)])).toBe(ErrorCode.NONE);
    const before = stored();
    expect(before).toMatchObject({ startOffset: 5, batches: [batch(6, 6, 0, 3), batch(7, 7, 4)] });
    await world.restart();
    expect(stored()).toEqual(before);
  });

  it('refuses writers that are behind', async () => {
    await initialize(4, 10);
    expect(await update(0, [], { stateEpoch: 3, leaderEpoch: 0 })).toBe(ErrorCode.FENCED_STATE_EPOCH);
    expect(await update(12, [], { stateEpoch: 4, leaderEpoch: 2 })).toBe(ErrorCode.NONE);
    expect(await update(0, [], { stateEpoch: 4, leaderEpoch: 1 })).toBe(ErrorCode.FENCED_LEADER_EPOCH);
    expect(await initialize(3, 0)).toBe(ErrorCode.FENCED_STATE_EPOCH);
    expect(stored()).toMatchObject({ startOffset: 12, stateEpoch: 4 });
  });

  it('stores everything again after some changes, and deletes what came before', async () => {
    await initialize(1, 0);
    for (let offset = 0; offset < 40; offset += 1) await update(offset + 1, [batch(offset, offset)]);
    const before = stored();
    expect(before?.snapshotEpoch).toBe(10);
    expect(log().logStartOffset).toBe(0);
    await world.clock.advance(300_000);
    expect(log().logStartOffset).toBe(40);
    await world.restart();
    expect(stored()).toEqual(before);
  });

  it('forgets', async () => {
    await initialize(1, 0);
    expect(await settle((done) => world.shareStates.remove(key, steps(done)))).toBe(ErrorCode.NONE);
    expect(await settle((done) => world.shareStates.remove(key, steps(done)))).toBe(ErrorCode.NONE);
    await world.restart();
    expect(world.shareStates.read(key)).toEqual({ errorCode: ErrorCode.NONE, state: null });
  });

  it('tells who is the coordinator, and of what kind keys are', async () => {
    const text = `a:b:${key.topicId}:0`;
    expect(await world.shareStates.findCoordinator(text)).toMatchObject({ errorCode: 0, nodeId: 0 });
    expect((await world.shareStates.findCoordinator('g')).errorCode).toBe(ErrorCode.INVALID_REQUEST);
    world.shareStates.close();
    expect(world.shareStates.read(key).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  });

  it('reads its own records', () => {
    const state = { snapshotEpoch: 2, stateEpoch: 3, leaderEpoch: 4, startOffset: 5, deliveryCompleteCount: 6 };
    const records: ShareStateRecord[] = [
      { type: 'snapshot', key, value: { ...state, createdMs: 7, writtenMs: 8, batches: [batch(9, 10)] } },
      { type: 'snapshot', key, value: null },
      {
        type: 'update',
        key,
        value: { snapshotEpoch: 2, leaderEpoch: 4, startOffset: -1, deliveryCompleteCount: 0, batches: [] },
      },
    ];
    for (const record of records) {
      const { key: bytes, value } = encodeShareStateRecord(record);
      expect(decodeShareStateRecord(bytes, value)).toEqual(record);
    }
  });
});
