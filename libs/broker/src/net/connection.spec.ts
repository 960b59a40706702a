import type { ClientConnection } from '../api/context.js';
import { FakeClock } from '../testing/fake-clock.js';
import type { Logger } from '../io/logger.js';
import { Connection, type ConnectionLimits } from './connection.js';
import type { Reply } from './exchange.js';
import { FrameMemory } from './frame-memory.js';
import { FakeSocket } from './testing/fake-socket.js';

interface Request {
  readonly text: string;
  readonly reply: Reply;
}

const LIMITS: ConnectionLimits = { maxRequestBytes: 1000, maxInFlightRequests: 3, maxUnsentBytes: 100 };

function frame(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function setUp(limits: Partial<ConnectionLimits> = {}) {
  const socket = new FakeSocket();
  const requests: Request[] = [];
  const lines: string[] = [];
  const events = { closed: 0, idle: 0 };
  const log = (message: string): void => void lines.push(message);
  const logger: Logger = { debug: () => undefined, info: log, warn: log, error: log };
  const connection = new Connection(1, socket, {
    dispatch: (bytes: Buffer, _connection: ClientConnection, reply: Reply) => {
      requests.push({ text: bytes.toString(), reply });
    },
    clock: new FakeClock(),
    logger,
    limits: { ...LIMITS, ...limits },
    frameMemory: new FrameMemory(),
    closed: () => void events.closed++,
    idle: () => void events.idle++,
  });
  const answer = (index: number, text = `<${requests[index]!.text}>`): void =>
    requests[index]!.reply.send([Buffer.from(text)]);
  return { socket, connection, requests, lines, events, answer };
}

/** Lets the microtask that flushes run. */
const turn = (): Promise<void> => Promise.resolve();

describe('connection: frames in', () => {
  it('takes frames however they are cut', () => {
    const bytes = Buffer.concat([frame('one'), frame(''), frame('three')]);
    for (let size = 1; size <= bytes.length; size++) {
      const { connection, requests } = setUp();
      for (let at = 0; at < bytes.length; at += size) connection.onData(bytes.subarray(at, at + size));
      expect(requests.map(({ text }) => text)).toEqual(['one', '', 'three']);
    }
  });

  it('keeps frames that have to wait out of the read buffer', async () => {
    const { connection, requests, answer } = setUp({ maxInFlightRequests: 1 });
    const chunk = Buffer.concat([frame('one'), frame('two')]);
    connection.onData(chunk);
    chunk.fill(0xff);
    answer(0);
    await turn();
    expect(requests.map(({ text }) => text)).toEqual(['one', 'two']);
  });
});

describe('connection: responses out', () => {
  it('writes in the order of the requests, whatever finishes first', async () => {
    const { connection, socket, answer } = setUp();
    connection.onData(Buffer.concat([frame('a'), frame('b'), frame('c')]));
    answer(2);
    await turn();
    answer(1);
    await turn();
    expect(socket.writes).toEqual([]);
    answer(0);
    await turn();
    expect(socket.writes.map(String)).toEqual(['<a><b><c>']);
  });

  it('joins the responses of one turn into one write', async () => {
    const { connection, socket, answer } = setUp();
    connection.onData(Buffer.concat([frame('a'), frame('b')]));
    answer(0);
    answer(1);
    expect(socket.writes).toEqual([]);
    await turn();
    expect(socket.writes.map(String)).toEqual(['<a><b>']);
  });

  it('leaves no hole for a request without a response', async () => {
    const { connection, socket, requests, answer, events } = setUp();
    connection.onData(Buffer.concat([frame('a'), frame('b'), frame('c')]));
    requests[1]!.reply.none();
    answer(2);
    answer(0);
    await turn();
    expect(socket.writes.map(String)).toEqual(['<a><c>']);
    expect(events.idle).toBe(1);
  });

  it('tells when the system has the bytes of a response', async () => {
    const { connection, socket, requests } = setUp();
    let sent = 0;
    socket.isFull = true;
    connection.onData(frame('a'));
    requests[0]!.reply.send([Buffer.from('x')], () => void sent++);
    await turn();
    expect(sent).toBe(0);
    socket.drain();
    expect(sent).toBe(1);
  });

  it('refuses to answer a request twice', () => {
    const { connection, answer } = setUp();
    connection.onData(frame('a'));
    answer(0);
    expect(() => answer(0)).toThrow('answered twice');
  });
});

describe('connection: back-pressure', () => {
  it('stops reading at the bound of open requests and goes on when one is answered', async () => {
    const { connection, socket, requests, answer } = setUp();
    connection.onData(Buffer.concat(['a', 'b', 'c', 'd', 'e'].map(frame)));
    expect(requests).toHaveLength(3);
    expect(socket.isPaused).toBe(true);
    expect(connection.openRequests).toBe(5);
    answer(0);
    await turn();
    expect(requests).toHaveLength(4);
    expect(socket.isPaused).toBe(true);
    for (let index = 1; index < 4; index++) answer(index);
    await turn();
    expect(requests).toHaveLength(5);
    expect(socket.isPaused).toBe(false);
  });

  it('stops reading while the socket is full', async () => {
    const { connection, socket, answer } = setUp();
    socket.isFull = true;
    connection.onData(frame('a'));
    answer(0);
    await turn();
    expect(socket.isPaused).toBe(true);
    socket.drain();
    connection.onDrain();
    expect(socket.isPaused).toBe(false);
  });

  it('counts answers that wait for an earlier one', async () => {
    const { connection, socket, requests, answer } = setUp();
    connection.onData(Buffer.concat([frame('poll'), frame('big')]));
    answer(1, 'x'.repeat(101));
    connection.onData(frame('next'));
    expect(requests).toHaveLength(2);
    expect(socket.isPaused).toBe(true);
    answer(0);
    await turn();
    expect(requests).toHaveLength(3);
    expect(socket.isPaused).toBe(false);
  });
});

describe('connection: being held', () => {
  it('takes nothing more until everyone who held it lets go', async () => {
    const { connection, socket, requests, answer } = setUp();
    const release = [connection.hold(), connection.hold()] as const;
    connection.onData(frame('a'));
    expect(requests).toEqual([]);
    expect(socket.isPaused).toBe(true);
    release[0]();
    release[0]();
    expect(requests).toEqual([]);
    release[1]();
    expect(requests.map(({ text }) => text)).toEqual(['a']);
    answer(0);
    await turn();
    expect(socket.isPaused).toBe(false);
  });
});

describe('connection: what must not come in', () => {
  const frames: [what: string, bytes: Buffer, reason: RegExp][] = [
    ['a length below zero', Buffer.from([0xff, 0xff, 0xff, 0xff, 0]), /announces -1 bytes/],
    [
      'a length above the bound',
      Buffer.from([0, 0, 4, 0, 0]),
      /announces 1024 bytes.*socket\.request\.max\.bytes=1000/,
    ],
    ['a frame of two gigabytes', Buffer.from([0x7f, 0xff, 0xff, 0xff]), /announces 2147483647 bytes/],
    ['a TLS hello', Buffer.from([0x16, 3, 1, 2, 0, 1]), /TLS client hello/],
  ];
  it.each(frames)('closes on %s', (_what, bytes, reason) => {
    const { connection, socket, requests, lines, events } = setUp();
    connection.onData(bytes);
    expect(socket.isDestroyed).toBe(true);
    expect(lines.join('\n')).toMatch(reason);
    expect(requests).toEqual([]);
    expect(events.closed).toBe(1);
    connection.onData(frame('late'));
    expect(requests).toEqual([]);
  });

  it('answers a browser in its own words', () => {
    const { connection, socket, lines } = setUp();
    const request = Buffer.from('GET / HTTP/1.1\r\nHost: localhost:9092\r\n\r\n');
    for (const byte of request) connection.onData(Buffer.from([byte]));
    expect(socket.writes.map(String).join('')).toMatch(/^HTTP\/1\.1 400 Bad Request[^]*not HTTP/);
    expect(socket.hasEnded).toBe(true);
    expect(lines.join('\n')).toMatch(/192\.0\.2\.1:5000 closed: an HTTP request \("GE/);
  });

  it('does not guess at bytes that come after good frames', () => {
    const { connection, lines } = setUp();
    connection.onData(frame('good'));
    connection.onData(Buffer.from('GET / HTTP/1.1\r\n'));
    expect(lines.join('\n')).toMatch(/announces 1195725856 bytes/);
  });

  it('ends at once when the dispatcher gives it up', () => {
    const { connection, socket, requests, lines } = setUp();
    connection.onData(Buffer.concat([frame('a'), frame('b')]));
    requests[0]!.reply.close('it is mad.');
    expect(socket.isDestroyed).toBe(true);
    expect(lines).toEqual(['Connection from 192.0.2.1:5000 closed: it is mad.']);
  });
});

describe('connection: the end', () => {
  it('tells those who asked, once, and forgets the others', () => {
    const { connection } = setUp();
    const told: string[] = [];
    connection.whenClosed(() => told.push('a'));
    connection.whenClosed(() => told.push('b'))();
    connection.onClose(null);
    connection.onClose(null);
    connection.whenClosed(() => told.push('c'));
    expect(told).toEqual(['a', 'c']);
  });

  it('drops answers that come too late, and says they are over', () => {
    const { connection, socket, requests, events } = setUp();
    let sent = 0;
    connection.onData(frame('a'));
    connection.onClose(new Error('ECONNRESET'));
    requests[0]!.reply.send([Buffer.from('x')], () => void sent++);
    expect(socket.writes).toEqual([]);
    expect({ sent, closed: events.closed }).toEqual({ sent: 1, closed: 1 });
  });

  it('answers what is in flight after it was told to stop reading', async () => {
    const { connection, socket, requests, answer } = setUp();
    connection.onData(frame('a'));
    connection.stopReading();
    connection.onData(frame('b'));
    expect(requests).toHaveLength(1);
    answer(0);
    connection.end();
    await turn();
    expect(socket.writes.map(String)).toEqual(['<a>']);
    expect(socket.hasEnded).toBe(true);
  });
});
