/** On real sockets of the loopback interface: ports from the system, nothing waits for a fixed time. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { BrokerError } from '../errors.js';
import { systemClock } from '../io/clock.js';
import { FakeClock } from '../testing/fake-clock.js';
import { silentLogger, type Logger } from '../io/logger.js';
import { systemNetwork } from '../io/network.js';
import type { Reply } from './exchange.js';
import { Listener, type ListenerOptions } from './listener.js';

const HOST = '127.0.0.1';

const sockets: Socket[] = [];
const listeners: Listener[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const listener of listeners.splice(0)) await listener.close(0);
});

function frame(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

async function setUp(options: Partial<ListenerOptions> = {}) {
  const parked: Reply[] = [];
  const listener = new Listener({
    network: systemNetwork,
    clock: systemClock,
    logger: silentLogger,
    // Echoes every frame but those that begin with "p", which stay parked.
    dispatch: (bytes, _connection, reply) => {
      if (bytes[0] === 'p'.charCodeAt(0)) parked.push(reply);
      else reply.send([Buffer.from(bytes)]);
    },
    limits: { maxRequestBytes: 64 * 1024 * 1024, maxInFlightRequests: 16, maxUnsentBytes: 4 * 1024 * 1024 },
    maxConnections: 100,
    maxConnectionsPerIp: 100,
    maxIdleMs: 600_000,
    ...options,
  });
  listeners.push(listener);
  const { port } = await listener.bind({ host: HOST, port: 0 });
  return { listener, parked, port };
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, HOST);
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function read(socket: Socket, bytes: number): Promise<Buffer> {
  let all = Buffer.alloc(0);
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    all = Buffer.concat([all, chunk]);
    if (all.length >= bytes) break;
  }
  return all;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('The condition did not come true in 10 s.');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('listener: accepting', () => {
  it('answers from the moment it is opened, also what was sent before', async () => {
    const { listener, port } = await setUp();
    const socket = await open(port);
    socket.write(frame(Buffer.from('early')));
    await until(() => listener.connectionCount === 1);
    listener.open();
    expect((await read(socket, 5)).toString()).toBe('early');
  });

  it('carries frames larger than its read buffer both ways', async () => {
    const { listener, port } = await setUp();
    listener.open();
    const socket = await open(port);
    const big = Buffer.alloc(3_000_000);
    for (let at = 0; at < big.length; at += 4) big.writeUInt32BE(at, at);
    socket.write(frame(big));
    expect((await read(socket, big.length)).equals(big)).toBe(true);
  });

  it('says which option to change when the port is taken', async () => {
    const { port } = await setUp();
    const second = new Listener({
      network: systemNetwork,
      clock: systemClock,
      logger: silentLogger,
      dispatch: () => undefined,
      limits: { maxRequestBytes: 1, maxInFlightRequests: 1, maxUnsentBytes: 1 },
      maxConnections: 1,
      maxConnectionsPerIp: 1,
      maxIdleMs: 1,
    });
    const failure = await second.bind({ host: HOST, port }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BrokerError);
    expect(failure).toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringMatching(/127\.0\.0\.1:\d+: the port is in use.*--port.*`listeners`/) as string,
    });
  });

  it('says which option to change when the address is not of this machine', async () => {
    const { listener } = await setUp();
    await listener.close(0);
    const failure = await listener.bind({ host: '192.0.2.1', port: 0 }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'CANNOT_LISTEN', message: expect.stringMatching(/--host/) as string });
  });

  it('closes connections beyond the limit of one address', async () => {
    const { listener, port } = await setUp({ maxConnectionsPerIp: 1 });
    listener.open();
    const first = await open(port);
    const second = await open(port);
    await once(second, 'close');
    first.write(frame(Buffer.from('still here')));
    expect((await read(first, 10)).toString()).toBe('still here');
    first.destroy();
    await until(() => listener.connectionCount === 0);
    const third = await open(port);
    third.write(frame(Buffer.from('x')));
    expect((await read(third, 1)).toString()).toBe('x');
  });

  it('closes connections beyond the limit of all', async () => {
    const lines: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (message) => void lines.push(message) };
    const { listener, port } = await setUp({ maxConnections: 1, logger });
    listener.open();
    await open(port);
    const second = await open(port);
    await once(second, 'close');
    expect(lines.join()).toMatch(/more than max\.connections=1/);
  });
});

describe('listener: idle connections', () => {
  it('closes what asked for nothing, and leaves a parked request alone', async () => {
    const clock = new FakeClock();
    const { listener, port, parked } = await setUp({ clock, maxIdleMs: 60_000 });
    listener.open();
    const idle = await open(port);
    const busy = await open(port);
    busy.write(frame(Buffer.from('park')));
    await until(() => listener.connectionCount === 2 && parked.length === 1);
    const closed = once(idle, 'close');
    await clock.advance(59_000);
    expect(listener.connectionCount).toBe(2);
    await clock.advance(12_000);
    await closed;
    expect(listener.connectionCount).toBe(1);
    busy.destroy();
    await until(() => listener.connectionCount === 0);
  });
});

describe('listener: shutting down', () => {
  it('waits for what is parked, sends it, and closes every socket', async () => {
    const { listener, port, parked } = await setUp();
    listener.open();
    const socket = await open(port);
    socket.write(frame(Buffer.from('park')));
    await until(() => parked.length === 1);
    const closing = listener.close(10_000);
    parked[0]!.send([Buffer.from('answer')]);
    expect((await read(socket, 6)).toString()).toBe('answer');
    await closing;
    expect(listener.connectionCount).toBe(0);
    const refused = connect(port, HOST);
    sockets.push(refused);
    const [failure] = (await once(refused, 'error')) as [Error & { code: string }];
    expect(failure.code).toBe('ECONNREFUSED');
  });

  it('does not wait longer than its deadline', async () => {
    const { listener, port, parked } = await setUp();
    listener.open();
    const socket = await open(port);
    socket.write(frame(Buffer.from('park')));
    await until(() => parked.length === 1);
    const closed = once(socket, 'close');
    await listener.close(1);
    await closed;
    expect(listener.connectionCount).toBe(0);
  });
});
