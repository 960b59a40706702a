/**
 * A network in memory: servers listen on `host:port` names, and a spec decides what becomes of every connection.
 *
 * Guarantees what the port promises: events come in later turns of the (fake) event loop, bytes arrive in order, and
 * everything written in one turn arrives as one chunk. The chunk is overwritten afterwards, as a socket's reused buffer
 * would be. For specs only.
 */
import type { Clock } from '../io/clock.js';
import type { Endpoint, Network, Stream, StreamEvents } from '../io/network.js';

/** The server's end of a connection. */
export interface FakePeer {
  /** Whether either side closed it: what still lies in its buffers is never handled. */
  readonly isClosed: boolean;
  /** Sends bytes to the client. */
  send(chunks: readonly Buffer[]): void;
  /** Closes the connection; with an error it looks like a reset. */
  close(error?: Error): void;
}

/** What a server does with bytes that arrive. */
export type FakeServer = (peer: FakePeer) => { onData(chunk: Buffer): void };

class FakeConnection implements Stream, FakePeer {
  private toServer: Buffer[] = [];
  private toClient: Buffer[] = [];
  private flushed: (() => void)[] = [];
  isClosed = false;
  private receiver: { onData(chunk: Buffer): void } | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly events: StreamEvents,
    private readonly onGone: (connection: FakeConnection) => void,
  ) {}

  readonly pendingBytes = 0;

  accept(server: FakeServer): void {
    if (this.isClosed) return;
    this.receiver = server(this);
    this.events.onConnected();
  }

  write(chunks: readonly Buffer[], onFlushed?: () => void): void {
    if (this.isClosed) return;
    // The operating system has its own copy: what the client does to its buffers afterwards changes nothing.
    if (this.toServer.length === 0) this.clock.defer(() => this.deliverToServer());
    this.toServer.push(...chunks.map((chunk) => Buffer.from(chunk)));
    if (onFlushed !== undefined) this.flushed.push(onFlushed);
  }

  send(chunks: readonly Buffer[]): void {
    if (this.isClosed) return;
    if (this.toClient.length === 0) this.clock.defer(() => this.deliverToClient());
    this.toClient.push(...chunks);
  }

  close(error?: Error): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onGone(this);
    this.clock.defer(() => this.events.onClosed(error ?? null));
  }

  destroy(): void {
    this.close();
  }

  private deliverToServer(): void {
    const chunk = Buffer.concat(this.toServer);
    this.toServer = [];
    if (this.isClosed) return;
    for (const callback of this.flushed.splice(0)) callback();
    this.receiver?.onData(chunk);
  }

  private deliverToClient(): void {
    const chunk = Buffer.concat(this.toClient);
    this.toClient = [];
    if (this.isClosed) return;
    this.events.onData(chunk);
    chunk.fill(0xee);
  }
}

/** The network. */
export class FakeNetwork implements Network {
  /** Every address a connection was tried to, in order. */
  readonly attempts: string[] = [];
  private readonly servers = new Map<string, FakeServer | 'silent'>();
  private readonly connections = new Map<FakeConnection, string>();

  constructor(private readonly clock: Clock) {}

  /** Starts a server; `silent` never answers a connection attempt, as a firewall that drops everything. */
  listen(address: string, server: FakeServer | 'silent'): void {
    this.servers.set(address, server);
  }

  /** Stops a server; its connections are reset. */
  stop(address: string): void {
    this.servers.delete(address);
    for (const [connection, to] of [...this.connections]) if (to === address) connection.close(reset());
  }

  /** Open connections, by address. */
  get open(): string[] {
    return [...this.connections.values()];
  }

  connect(endpoint: Endpoint, events: StreamEvents): Stream {
    const address = `${endpoint.host}:${endpoint.port}`;
    this.attempts.push(address);
    const connection = new FakeConnection(this.clock, events, (gone) => void this.connections.delete(gone));
    this.connections.set(connection, address);
    this.clock.defer(() => {
      const server = this.servers.get(address);
      if (server === undefined) connection.close(new Error(`connect ECONNREFUSED ${address}`));
      else if (server !== 'silent') connection.accept(server);
    });
    return connection;
  }
}

function reset(): Error {
  return new Error('read ECONNRESET');
}
