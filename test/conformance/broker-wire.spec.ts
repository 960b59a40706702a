/**
 * The broker on the wire: order, refusals, long polls, hostile bytes, starting and stopping. Raw frames on real sockets.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBroker, type Broker, type BrokerOptions } from '@kafka-template/broker';
import {
  ApiVersions,
  BatchBuilder,
  CreateTopics,
  decodeRecords,
  decodeResponse,
  DeleteTopics,
  encodeRequest,
  ErrorCode,
  Fetch,
  ListOffsets,
  Metadata,
  Produce,
  responseCorrelationId,
  type RequestInput,
} from '@kafka-template/protocol';
import { RawConnection } from './support/raw-connection.js';

const LONG_MS = 60_000;

const brokers: Broker[] = [];
const connections: RawConnection[] = [];
const directories: string[] = [];

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  for (const broker of brokers.splice(0)) await broker.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

async function start(options: BrokerOptions = {}): Promise<Broker> {
  const broker = await createBroker(options);
  brokers.push(broker);
  return broker;
}

async function connectTo(broker: Broker): Promise<RawConnection> {
  const connection = await RawConnection.open(broker.host, broker.port);
  connections.push(connection);
  return connection;
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kafka-template-broker-'));
  directories.push(directory);
  return directory;
}

function batch(...values: string[]): Buffer {
  const builder = new BatchBuilder({ capacityBytes: 1024 });
  for (const value of values) builder.append(Date.now(), null, value, null);
  return builder.finish();
}

const produceTo = (topic: string, acks: number, records: Buffer): RequestInput<typeof Produce> => ({
  acks,
  timeoutMs: 1000,
  topicData: [{ name: topic, partitionData: [{ index: 0, records }] }],
});

const fetchFrom = (topic: string, offset: number, minBytes: number, maxWaitMs: number): RequestInput<typeof Fetch> => ({
  maxWaitMs,
  minBytes,
  topics: [{ topic, partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 1_000_000 }] }],
});

const createOf = (name: string): RequestInput<typeof CreateTopics> => ({
  topics: [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
  timeoutMs: 1000,
});

async function withTopic(): Promise<{ broker: Broker; connection: RawConnection }> {
  const broker = await start();
  const connection = await connectTo(broker);
  await connection.call(CreateTopics, 5, createOf('t'));
  return { broker, connection };
}

describe('broker wire: order', () => {
  it('answers pipelined requests in their order, around a long poll and a request without an answer', async () => {
    const { connection } = await withTopic();
    connection.send(
      ...encodeRequest(Fetch, 11, 101, 'test', fetchFrom('t', 0, 1, LONG_MS)),
      ...encodeRequest(Metadata, 5, 102, 'test', { topics: [{ name: 't' }] }),
      ...encodeRequest(Produce, 9, 103, 'test', produceTo('t', 0, batch('a'))),
      ...encodeRequest(ApiVersions, 2, 104, 'test', {}),
    );
    // The produce behind the long poll is what wakes it: later requests are worked on while their answers wait.
    const order = [];
    for (let count = 0; count < 3; count++) order.push(responseCorrelationId(await connection.frame()));
    expect(order).toEqual([101, 102, 104]);
  });

  it('closes the connection when a produce with acks=0 fails', async () => {
    const { connection } = await withTopic();
    connection.send(...encodeRequest(Produce, 9, 1, 'test', produceTo('nowhere', 0, batch('a'))));
    expect(await connection.next()).toEqual({ end: 'closed' });
  });
});

describe('broker wire: what it refuses', () => {
  it('answers ApiVersions of the future in version 0, with the range it has', async () => {
    const connection = await connectTo(await start());
    for (const version of [5, 9, 32767]) {
      const frame = Buffer.concat(encodeRequest(ApiVersions, 4, 7, 'test', { clientSoftwareName: 'x' }));
      frame.writeInt16BE(version, 6);
      connection.send(frame);
      const answer = decodeResponse(ApiVersions, 0, await connection.frame());
      expect(answer.errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION);
      expect(answer.apiKeys).toEqual([{ apiKey: 18, minVersion: 0, maxVersion: 4 }]);
    }
  });

  it('shows Produce from version 0 on, and serves it from version 3 on', async () => {
    const broker = await start();
    const connection = await connectTo(broker);
    const { apiKeys } = await connection.call(ApiVersions, 4, {
      clientSoftwareName: 'x',
      clientSoftwareVersion: '1.0-beta.2',
    });
    expect(apiKeys.find(({ apiKey }) => apiKey === Produce.key)).toEqual({ apiKey: 0, minVersion: 0, maxVersion: 13 });
    const frame = Buffer.concat(encodeRequest(Produce, 3, 7, 'test', produceTo('t', 1, batch('a'))));
    frame.writeInt16BE(2, 6);
    connection.send(frame);
    expect(await connection.next()).toEqual({ end: 'closed' });
  });

  const names: [name: string, version: string][] = [
    ['', '1'],
    ['x', ''],
    ['-x', '1'],
    ['x y', '1'],
    ['x', '1\n'],
  ];
  it.each(names)(
    'refuses the client software name %j, version %j',
    async (clientSoftwareName, clientSoftwareVersion) => {
      const connection = await connectTo(await start());
      const answer = await connection.call(ApiVersions, 3, { clientSoftwareName, clientSoftwareVersion });
      expect(answer).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] });
    },
  );

  it('closes the connection on an unknown API, and on an unknown version', async () => {
    const broker = await start();
    for (const [key, version] of [
      [999, 0],
      [-1, 0],
      [Metadata.key, 99],
      [Metadata.key, -1],
      [Fetch.key, 3],
    ] as const) {
      const connection = await connectTo(broker);
      const frame = Buffer.concat(encodeRequest(Metadata, 1, 7, 'test', { topics: [] }));
      frame.writeInt16BE(key, 4);
      frame.writeInt16BE(version, 6);
      connection.send(frame);
      expect(await connection.next()).toEqual({ end: 'closed' });
    }
    await (await connectTo(broker)).call(Metadata, 1, { topics: [] });
  });
});

describe('broker wire: hostile bytes', () => {
  it('tells a browser that this is not HTTP', async () => {
    const broker = await start();
    const answer = await fetchText(broker.port);
    expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*Kafka broker[^]*not HTTP/);
  });

  const openings: [what: string, bytes: Buffer][] = [
    ['a frame of 2 GB', Buffer.from([0x7f, 0xff, 0xff, 0xff, 1, 2, 3])],
    ['a negative length', Buffer.from([0x80, 0, 0, 0])],
    ['a TLS hello', Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])],
    ['a frame too short for a header', Buffer.from([0, 0, 0, 3, 0, 18, 0])],
  ];
  it.each(openings)('closes only the connection that sends %s', async (_what, bytes) => {
    const broker = await start();
    const healthy = await connectTo(broker);
    const hostile = await connectTo(broker);
    hostile.send(bytes);
    expect(await hostile.next()).toEqual({ end: 'closed' });
    await healthy.call(Metadata, 1, { topics: [] });
  });

  it('allocates nothing for bytes that were only announced', async () => {
    const broker = await start();
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 50; count++) {
      const connection = await connectTo(broker);
      connection.send(Buffer.from([0x05, 0xf5, 0xe1, 0x00, 0, 3]));
    }
    const healthy = await connectTo(broker);
    await healthy.call(Metadata, 1, { topics: [] });
    // 50 times 100 MB was announced.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
  });
});

describe('broker wire: long polls', () => {
  it('wakes a fetch when enough bytes have come', async () => {
    const { broker, connection } = await withTopic();
    const records = batch('first');
    const poller = await connectTo(broker);
    const fetched = poller.call(Fetch, 11, fetchFrom('t', 0, 2 * records.length, LONG_MS));
    for (const value of ['first', 'later']) await connection.call(Produce, 9, produceTo('t', 1, batch(value)));
    const partition = (await fetched).responses[0]!.partitions[0]!;
    expect(decodeRecords(partition.records!).map(({ value }) => value?.toString())).toEqual(['first', 'later']);
  });

  it('answers with what there is when the time is over, never with null records', async () => {
    const { connection } = await withTopic();
    const empty = await connection.call(Fetch, 4, fetchFrom('t', 0, 1, 20));
    expect(empty.responses[0]!.partitions[0]).toMatchObject({ errorCode: 0, records: Buffer.alloc(0) });
    await connection.call(Produce, 9, produceTo('t', 1, batch('a')));
    const some = await connection.call(Fetch, 11, fetchFrom('t', 0, 1_000_000, 20));
    expect(decodeRecords(some.responses[0]!.partitions[0]!.records!)).toHaveLength(1);
  });

  it('ends a fetch when its topic is deleted', async () => {
    const { broker, connection } = await withTopic();
    const poller = await connectTo(broker);
    const fetched = poller.call(Fetch, 11, fetchFrom('t', 0, 1, LONG_MS));
    await connection.call(DeleteTopics, 3, { topicNames: ['t'], timeoutMs: 1000 });
    expect((await fetched).responses[0]!.partitions[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });
});

describe('broker: starting and stopping', () => {
  it('answers a parked fetch before it stops, and stops once', async () => {
    const { broker } = await withTopic();
    const poller = await connectTo(broker);
    const fetched = poller.call(Fetch, 11, fetchFrom('t', 0, 1, LONG_MS));
    await (await connectTo(broker)).call(Metadata, 1, { topics: [] });
    await Promise.all([broker.close(), broker.close()]);
    expect((await fetched).responses[0]!.partitions[0]!.errorCode).toBe(0);
    await broker.close();
    await expect(RawConnection.open(broker.host, broker.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('finds its topics, records and id again', async () => {
    const dataDir = temporaryDirectory();
    const first = await start({ dataDir });
    const before = await connectTo(first);
    await before.call(CreateTopics, 5, createOf('t'));
    await before.call(Produce, 9, produceTo('t', 1, batch('kept')));
    const known = await before.call(Metadata, 10, { topics: [{ name: 't' }] });
    await first.close();

    const after = await connectTo(await start({ dataDir }));
    const found = await after.call(Metadata, 10, { topics: [{ name: 't' }] });
    expect(found.clusterId).toBe(known.clusterId);
    expect(found.topics[0]!.topicId).toBe(known.topics[0]!.topicId);
    const fetched = await after.call(Fetch, 11, fetchFrom('t', 0, 1, 0));
    expect(decodeRecords(fetched.responses[0]!.partitions[0]!.records!).map(({ value }) => String(value))).toEqual([
      'kept',
    ]);
    const offsets = await after.call(ListOffsets, 5, {
      replicaId: -1,
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    });
    expect(offsets.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, offset: 1 });
  });

  it('says who has the data directory, and leaves nothing behind', async () => {
    const dataDir = temporaryDirectory();
    await start({ dataDir });
    await expect(createBroker({ dataDir })).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringMatching(/in use by another broker.*--data-dir/) as string,
    });
  });

  it('says which option to change when the port is taken, and can start afterwards', async () => {
    const dataDir = temporaryDirectory();
    const { port } = await start();
    await expect(createBroker({ port, dataDir })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringMatching(/--port/) as string,
    });
    await start({ dataDir });
  });

  it('tells clients the address it was told to tell', async () => {
    const broker = await start({ advertisedHost: 'kafka.test', advertisedPort: 19092 });
    const answer = await (await connectTo(broker)).call(Metadata, 1, { topics: [] });
    expect(answer.brokers).toMatchObject([{ nodeId: 0, host: 'kafka.test', port: 19092 }]);
  });
});

/** A bare HTTP request; Node's own client would not show a response to a broken exchange. */
async function fetchText(port: number): Promise<string> {
  const { connect } = await import('node:net');
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}
