/**
 * Locks of share groups on the bundled broker: a member that waits is woken by what another gives back, loses to time or to
 * its connection; and what was accepted stays accepted when the broker is started again.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBroker, type Broker } from '@kafka-template/broker';
import {
  createAdmin,
  createProducer,
  createShareConsumer,
  silentLogger,
  type ShareConsumer,
  type ShareConsumerOptions,
  type ShareRecord,
} from '@kafka-template/client';
import { DeleteGroups, decodeResponse, encodeRequest, errorName, ShareGroupHeartbeat } from '@kafka-template/protocol';
import { RawConnection } from '../conformance/support/raw-connection.js';

const CONFIG = {
  'group.share.min.record.lock.duration.ms': '1000',
  'group.share.record.lock.duration.ms': '5000',
  'group.share.min.heartbeat.interval.ms': '100',
  'group.share.heartbeat.interval.ms': '100',
  'offsets.topic.num.partitions': '1',
  'share.coordinator.state.topic.num.partitions': '1',
};
/** Longer than any test: whoever is given a record was woken for it. */
const LONG_MS = 25_000;

describe('locks of share groups', () => {
  let dataDir: string;
  let broker: Broker;
  const open: ShareConsumer[] = [];

  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'share-locks-'));
    broker = await createBroker({ dataDir, config: CONFIG });
    const admin = createAdmin({ bootstrapServers: broker.bootstrapServers, logger: silentLogger });
    await admin.createTopics([{ name: 't', numPartitions: 1, replicationFactor: 1 }]);
    const changes = [{ name: 'share.auto.offset.reset', value: 'earliest' }];
    await admin.alterConfigs([{ type: 'group', name: 'g', changes }]);
    await admin.close();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((consumer) => consumer.close(5000)));
    await broker.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function send(...values: string[]): Promise<void> {
    const producer = createProducer({ bootstrapServers: broker.bootstrapServers, logger: silentLogger });
    for (const value of values) producer.append({ topic: 't', value });
    await producer.close();
  }

  function member(options: Partial<ShareConsumerOptions> = {}): ShareConsumer {
    const { bootstrapServers } = broker;
    const mode = { groupId: 'g', shareAcknowledgementMode: 'explicit' } as const;
    const consumer = createShareConsumer({ bootstrapServers, logger: silentLogger, ...mode, ...options });
    open.push(consumer);
    consumer.subscribe('t');
    return consumer;
  }

  async function take(consumer: ShareConsumer, count: number): Promise<ShareRecord[]> {
    const records: ShareRecord[] = [];
    while (records.length < count) {
      for (const record of await consumer.poll(LONG_MS)) {
        records.push(record);
      }
    }
    return records;
  }

  /** One member has the record, another one waits for it in one long fetch. */
  async function holderAndWaiter() {
    await send('v');
    const holder = member();
    const [record] = await take(holder, 1);
    const waiter = member({ fetchMaxWaitMs: LONG_MS });
    const waited = take(waiter, 1);
    return { holder, record: record!, waited };
  }

  const seen = async (waited: Promise<ShareRecord[]>): Promise<unknown[]> =>
    (await waited).map(({ offset, deliveryCount }) => [offset, deliveryCount]);

  it('are given back by release', async () => {
    const { holder, record, waited } = await holderAndWaiter();
    holder.acknowledge(record, 'release');
    await holder.commitSync();
    expect(await seen(waited)).toEqual([[0, 2]]);
  }, 60_000);

  it('are over in time, and the late member is told', async () => {
    const { holder, record, waited } = await holderAndWaiter();
    expect(await seen(waited)).toEqual([[0, 2]]);
    holder.acknowledge(record);
    const [outcome] = await holder.commitSync();
    expect(outcome?.error?.code).toBe('INVALID_RECORD_STATE');
  }, 60_000);

  it('are over with the session of a member that closes', async () => {
    const { holder, waited } = await holderAndWaiter();
    await holder.close();
    expect(await seen(waited)).toEqual([[0, 2]]);
  }, 60_000);

  it('are not in the way of a restart, after which what was accepted stays so', async () => {
    await send('one', 'two', 'three');
    const first = member();
    const [, two] = await take(first, 3);
    first.acknowledge(two!);
    expect(await first.commitSync()).toMatchObject([{ offsets: [1], error: null }]);
    const { port } = broker;
    await broker.close();
    broker = await createBroker({ dataDir, port, config: CONFIG });
    const second = member();
    expect((await take(second, 2)).map(({ value }) => value?.toString())).toEqual(['one', 'three']);
  }, 60_000);

  it('nobody joins a group while it is deleted, and anybody afterwards', async () => {
    await send('a');
    const first = member();
    await take(first, 1);
    await first.close();
    const memberId = 'r4T2aFqQTXuVZ3mQm0pY1w';
    const join = { groupId: 'g', memberId, memberEpoch: 0, subscribedTopicNames: ['t'] };
    const connection = await RawConnection.open(broker.host, broker.port);
    try {
      connection.send(
        ...encodeRequest(DeleteGroups, 2, 1, 'test', { groupsNames: ['g'] }),
        ...encodeRequest(ShareGroupHeartbeat, 1, 2, 'test', join),
      );
      const [deleted, refused] = [await connection.frame(), await connection.frame()];
      expect(decodeResponse(DeleteGroups, 2, deleted).results).toMatchObject([{ groupId: 'g', errorCode: 0 }]);
      const { errorCode } = decodeResponse(ShareGroupHeartbeat, 1, refused);
      expect(errorName(errorCode)).toBe('COORDINATOR_LOAD_IN_PROGRESS');
      const joined = await connection.call(ShareGroupHeartbeat, 1, join);
      expect(joined.errorCode).toBe(0);
      const next = { ...join, memberEpoch: joined.memberEpoch, subscribedTopicNames: null };
      expect((await connection.call(ShareGroupHeartbeat, 1, next)).errorCode).toBe(0);
    } finally {
      connection.close();
    }
  });
});
