/** The network port on real sockets of this machine, with TLS and without. */
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { type TlsOptions, createServer as createTlsServer } from 'node:tls';
import { TEST_CA, TEST_CERTIFICATE, TEST_KEY } from '../testing/certificates.js';
import { type Stream, tcpNetwork } from './network.js';
import { type SslOptions, createTlsSettings } from './tls.js';

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

async function listen(listener: Server, event: 'connection' | 'secureConnection'): Promise<void> {
  onAccepted = new Promise((resolve) => (accepted = resolve));
  server = listener;
  server.on(event, (socket: Socket) => {
    sockets.add(socket);
    accepted(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
}

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((resolve) => server.close(resolve));
});

function connect(to = port, ssl?: SslOptions, host = '127.0.0.1'): Client {
  const received: Buffer[] = [];
  let onConnected = (): void => undefined;
  let onClosed: (error: Error | null) => void = () => undefined;
  const connected = new Promise<void>((resolve) => (onConnected = resolve));
  const closed = new Promise<Error | null>((resolve) => (onClosed = resolve));
  const stream = tcpNetwork.connect(
    { host, port: to },
    { onConnected, onClosed, onData: (chunk) => void received.push(Buffer.from(chunk)) },
    ssl === undefined ? undefined : createTlsSettings(ssl),
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
  beforeEach(() => listen(createServer(), 'connection'));

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

describe('tcpNetwork with TLS', () => {
  const listenTls = (options: TlsOptions = {}): Promise<void> =>
    listen(createTlsServer({ cert: TEST_CERTIFICATE, key: TEST_KEY, ...options }), 'secureConnection');

  it('sends and delivers much data whole, though the buffer it reads into is used again', async () => {
    await listenTls();
    const client = connect(port, { ca: TEST_CA });
    const socket = await onAccepted;
    await client.connected;
    const arrived = collect(socket, 4);
    client.stream.write([Buffer.from('ab'), Buffer.from('cd')]);
    expect(Buffer.concat(await arrived).toString()).toBe('abcd');
    const sent = Buffer.alloc(3_000_000);
    for (let index = 0; index < sent.length; index += 4) sent.writeUInt32BE(index, index);
    socket.end(sent);
    expect(await client.closed).toBeNull();
    expect(Buffer.concat(client.received).equals(sent)).toBe(true);
  });

  it('asks for the host it connects to by name, and for no name when that is an address', async () => {
    const asked: string[] = [];
    const SNICallback: TlsOptions['SNICallback'] = (name, callback) => {
      asked.push(name);
      callback(null);
    };
    await listenTls({ SNICallback });
    const clients = [
      connect(port, { ca: TEST_CA }, '127.0.0.1'),
      connect(port, { ca: TEST_CA }, 'localhost'),
      connect(port, { ca: TEST_CA, servername: 'localhost' }, '127.0.0.1'),
    ];
    await Promise.all(clients.map((client) => client.connected));
    expect(asked).toEqual(['localhost', 'localhost']);
    for (const client of clients) client.stream.destroy();
    await Promise.all(clients.map((client) => client.closed));
  });

  it.each<[string, SslOptions, string]>([
    ['an authority that is not trusted', {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['another host', { ca: TEST_CA, servername: 'elsewhere.example' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('does not connect to %s', async (_, ssl, code) => {
    await listenTls();
    const client = connect(port, ssl);
    let isConnected = false;
    void client.connected.then(() => (isConnected = true));
    expect(await client.closed).toMatchObject({ code });
    expect(isConnected).toBe(false);
  });

  it('takes the word of the application about certificates', async () => {
    await listenTls();
    const hosts: string[] = [];
    const checkServerIdentity: SslOptions['checkServerIdentity'] = (host) => {
      hosts.push(host);
      return undefined;
    };
    const checked = connect(port, { ca: TEST_CA, servername: 'elsewhere.example', checkServerIdentity });
    const trusting = connect(port, { rejectUnauthorized: false });
    await Promise.all([checked.connected, trusting.connected]);
    expect(hosts).toEqual(['elsewhere.example']);
    for (const client of [checked, trusting]) client.stream.destroy();
    await Promise.all([checked.closed, trusting.closed]);
  });

  it('shows a certificate to a listener that asks for one, and is turned away without', async () => {
    await listenTls({ requestCert: true, rejectUnauthorized: true, ca: TEST_CA });
    const known = connect(port, { ca: TEST_CA, cert: TEST_CERTIFICATE, key: TEST_KEY });
    await Promise.all([onAccepted, known.connected]);
    known.stream.destroy();
    await known.closed;
    const unknown = connect(port, { ca: TEST_CA });
    expect(await unknown.closed).toMatchObject({
      code: expect.stringMatching(/ALERT_CERTIFICATE_REQUIRED/) as string,
    });
  });

  it('reports a listener that does not speak TLS', async () => {
    await listen(createServer(), 'connection');
    const client = connect(port, { ca: TEST_CA });
    (await onAccepted).write('220 mail.example ready\r\n');
    expect(await client.closed).toMatchObject({ code: 'ERR_SSL_WRONG_VERSION_NUMBER' });
  });
});
