/**
 * A TCP proxy on loopback that stands between a client and a broker and does what networks do to people.
 *
 * Guarantees that bytes that are passed on are passed on unchanged and in order, that the choice and the place of every
 * fault follow from the seed, and that `close` ends every connection. It does not look for fault-free moments: a cut may
 * come in the middle of a frame. `calm` ends all faults, for the part of a test that has to come to its end.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { type ClientIo, type Random, seededRandom, systemIo } from '@kafka-template/client';
import { FrameSplitter } from '@kafka-template/protocol';

/** What is done to connections. */
export type Fault =
  /** Everything is passed on, some milliseconds later. */
  | 'latency'
  /** Ended when some number of bytes have gone to the broker, in the middle of a request. */
  | 'cut requests'
  /** Ended when some number of bytes have come back, in the middle of an answer. A larger answer never arrives. */
  | 'cut answers'
  /** The broker gets whole requests and answers them; some answer never arrives, and the connection ends. */
  | 'drop answers'
  /** The broker's side ends, the client's side is closed in order a while later, and meanwhile takes what it is sent. */
  | 'close slowly'
  /** Each connection gets one of the above. */
  | 'any';

const FAULTS = ['latency', 'cut requests', 'cut answers', 'drop answers', 'close slowly'] as const;
const LATENCY_MAX_MS = 15;
const SLOW_CLOSE_MAX_MS = 60;
/** Bytes until a cut. */
const CUT_MIN_BYTES = 200;
const CUT_MAX_BYTES = 5_000;
/** Answers until one is dropped; the first ones are about versions and metadata. */
const ANSWERS_MIN = 3;
const ANSWERS_MAX = 14;
const FRAME_BYTES_MAX = 16 * 1024 * 1024;
const PRODUCE = 0;
/** In a request; an answer begins with it. */
const CORRELATION_ID_AT = 4;

/** See the file comment. */
export class FaultProxy {
  /** Connections that were ended by a fault. */
  faults = 0;
  /** Most produce requests that were on their way at once on one connection. */
  mostInFlight = 0;
  private isCalm = false;
  private readonly sockets = new Set<Socket>();
  private readonly random: Random;

  private constructor(
    private readonly server: Server,
    private readonly target: { readonly host: string; readonly port: number },
    private readonly fault: Fault,
    seed: number,
  ) {
    this.random = seededRandom(seed);
    server.on('connection', (client) => this.join(client));
  }

  /** Listens on a free port, in front of `bootstrapServers` (one address). */
  static async start(bootstrapServers: string, fault: Fault, seed: number): Promise<FaultProxy> {
    const at = bootstrapServers.lastIndexOf(':');
    const target = { host: bootstrapServers.slice(0, at), port: Number(bootstrapServers.slice(at + 1)) };
    // What the one side has ended, the other may still write to.
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FaultProxy(server, target, fault, seed);
  }

  /** Ports of a client all of whose connections go through the proxy, whatever address the broker names. */
  get io(): ClientIo {
    const { port } = this.server.address() as AddressInfo;
    const network: ClientIo['network'] = {
      connect: (_endpoint, events, tls) => systemIo.network.connect({ host: '127.0.0.1', port }, events, tls),
    };
    return { ...systemIo, network };
  }

  /** No more faults from now on; connections that are open keep theirs. */
  calm(): void {
    this.isCalm = true;
  }

  /** Ends everything. */
  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(client: Socket): void {
    const broker = connect({ ...this.target, noDelay: true, allowHalfOpen: true });
    for (const socket of [client, broker]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.sockets.delete(socket));
    }
    const connection = new Connection(client, broker, this.random, {
      onFault: () => (this.faults += 1),
      onInFlight: (count) => (this.mostInFlight = Math.max(this.mostInFlight, count)),
    });
    if (this.isCalm) return connection.pass();
    const { fault } = this;
    const chosen = fault === 'any' ? FAULTS[Math.floor(this.random.next() * FAULTS.length)] : fault;
    connection[chosen === 'latency' ? 'delay' : 'disturb'](chosen ?? 'latency');
  }
}

interface ConnectionEvents {
  onFault(): void;
  onInFlight(produceRequests: number): void;
}

/** The two sides of one connection. */
class Connection {
  private readonly requests = new FrameSplitter(FRAME_BYTES_MAX);
  private readonly answers = new FrameSplitter(FRAME_BYTES_MAX);
  /** Correlation ids of the produce requests that have no answer yet. */
  private readonly producing = new Set<number>();
  private ended = false;

  constructor(
    private readonly client: Socket,
    private readonly broker: Socket,
    private readonly random: Random,
    private readonly events: ConnectionEvents,
  ) {
    client.on('close', () => this.end());
    broker.on('close', () => this.end());
  }

  /** Everything as it is. */
  pass(): void {
    this.client.on('data', (chunk: Buffer) => this.toBroker(chunk));
    this.broker.on('data', (chunk: Buffer) => this.toClient(chunk));
    this.passEnds();
  }

  /** Every chunk later, none before another. */
  delay(): void {
    const later = (deliver: (chunk: Buffer) => void): ((chunk: Buffer) => void) => {
      let due = 0;
      // Timers of different lengths may ring in another order than they are due in, so none has a chunk of its own.
      const waiting: Buffer[] = [];
      return (chunk) => {
        due = Math.max(due, performance.now() + this.random.next() * LATENCY_MAX_MS);
        waiting.push(chunk);
        setTimeout(() => deliver(waiting.shift()!), due - performance.now());
      };
    };
    this.client.on(
      'data',
      later((chunk) => this.toBroker(chunk)),
    );
    this.broker.on(
      'data',
      later((chunk) => this.toClient(chunk)),
    );
    this.passEnds();
  }

  /** Until its time has come. */
  disturb(fault: Exclude<Fault, 'latency' | 'any'> | 'latency'): void {
    const bytes = this.between(CUT_MIN_BYTES, CUT_MAX_BYTES);
    const answers = this.between(ANSWERS_MIN, ANSWERS_MAX);
    let [sent, received, answered] = [0, 0, 0];
    this.client.on('data', (chunk: Buffer) => {
      sent += chunk.length;
      if (fault !== 'cut requests' || sent < bytes) return this.toBroker(chunk);
      this.toBroker(chunk.subarray(0, chunk.length - (sent - bytes)));
      this.cut();
    });
    this.broker.on('data', (chunk: Buffer) => {
      received += chunk.length;
      answered += 1;
      if (fault === 'cut answers' && received >= bytes) {
        this.toClient(chunk.subarray(0, chunk.length - (received - bytes)));
        return this.cut();
      }
      if (answered < answers) return this.toClient(chunk);
      if (fault === 'drop answers') return this.cut();
      if (fault === 'close slowly') return this.closeSlowly();
      this.toClient(chunk);
    });
    this.passEnds();
  }

  private passEnds(): void {
    this.client.on('end', () => this.broker.end());
    this.broker.on('end', () => this.client.end());
  }

  private toBroker(chunk: Buffer): void {
    if (this.ended) return;
    this.requests.push(chunk, (frame) => {
      if (frame.readInt16BE(0) === PRODUCE) this.producing.add(frame.readInt32BE(CORRELATION_ID_AT));
      this.events.onInFlight(this.producing.size);
    });
    this.broker.write(chunk);
  }

  private toClient(chunk: Buffer): void {
    if (this.ended) return;
    this.answers.push(chunk, (frame) => this.producing.delete(frame.readInt32BE(0)));
    this.client.write(chunk);
  }

  /** What was passed on before still arrives: data first, then the end. */
  private cut(): void {
    if (this.ended) return;
    this.events.onFault();
    this.ended = true;
    this.broker.end();
    this.client.destroySoon();
    this.client.on('close', () => this.broker.destroy());
  }

  private closeSlowly(): void {
    if (this.ended) return;
    this.events.onFault();
    this.ended = true;
    this.broker.destroy();
    setTimeout(() => this.client.destroySoon(), this.random.next() * SLOW_CLOSE_MAX_MS);
  }

  /** One side is gone for good. */
  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.client.destroy();
    this.broker.destroy();
  }

  private between(low: number, high: number): number {
    return low + Math.floor(this.random.next() * (high - low));
  }
}
