/** The TCP side of the network port, on real sockets of this machine. */
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { type Stream, tcpNetwork } from './network.js';

interface Client {
  readonly stream: Stream;
  readonly received: Buffer[];
  readonly connected: Promise<void>;
  readonly closed: Promise<Error | null>;
}

let server: Server;
let port: number;
let accepted: (socket: Socket) => void;
let onAccepted: Promise<Socket>;
const sockets = new Set<Socket>();

beforeEach(async () => {
  onAccepted = new Promise((resolve) => (accepted = resolve));
  server = createServer((socket) => {
    sockets.add(socket);
    accepted(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((resolve) => server.close(resolve));
});

function connect(to = port): Client {
  const received: Buffer[] = [];
  let onConnected = (): void => undefined;
  let onClosed: (error: Error | null) => void = () => undefined;
  const connected = new Promise<void>((resolve) => (onConnected = resolve));
  const closed = new Promise<Error | null>((resolve) => (onClosed = resolve));
  const stream = tcpNetwork.connect(
    { host: '127.0.0.1', port: to },
    { onConnected, onClosed, onData: (chunk) => void received.push(Buffer.from(chunk)) },
  );
  return { stream, received, connected, closed };
}

function collect(socket: Socket, bytes: number): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (chunks.reduce((sum, each) => sum + each.length, 0) >= bytes) resolve(chunks);
    });
  });
}

describe('tcpNetwork', () => {
  it('sends chunks in order, everything of one turn in one piece', async () => {
    const client = connect();
    const socket = await onAccepted;
    await client.connected;
    const arrived = collect(socket, 9);
    client.stream.write([Buffer.from('ab'), Buffer.from('cd')]);
    client.stream.write([Buffer.from('e')]);
    await Promise.resolve();
    client.stream.write([Buffer.from('fghi')]);
    expect((await arrived).map(String)).toEqual(['abcdefghi']);
    client.stream.destroy();
    await client.closed;
  });

  it('tells when the operating system has taken the bytes', async () => {
    const client = connect();
    await Promise.all([onAccepted, client.connected]);
    await new Promise<void>((resolve) => client.stream.write([Buffer.from('x')], resolve));
    expect(client.stream.pendingBytes).toBe(0);
    client.stream.destroy();
    await client.closed;
  });

  it('delivers much data whole, though the buffer it reads into is used again', async () => {
    const client = connect();
    const socket = await onAccepted;
    await client.connected;
    const sent = Buffer.alloc(3_000_000);
    for (let index = 0; index < sent.length; index += 4) sent.writeUInt32BE(index, index);
    socket.end(sent);
    expect(await client.closed).toBeNull();
    expect(Buffer.concat(client.received).equals(sent)).toBe(true);
  });

  it('ends without an error when the other side ends in order, with one when it does not', async () => {
    const orderly = connect();
    (await onAccepted).end();
    expect(await orderly.closed).toBeNull();

    onAccepted = new Promise((resolve) => (accepted = resolve));
    const reset = connect();
    const socket = await onAccepted;
    await reset.connected;
    socket.resetAndDestroy();
    expect(await reset.closed).toMatchObject({ code: 'ECONNRESET' });
  });

  it('reports that nobody listens', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const closedPort = (other.address() as AddressInfo).port;
    await new Promise((resolve) => other.close(resolve));
    expect(await connect(closedPort).closed).toMatchObject({ code: 'ECONNREFUSED' });
  });
});
