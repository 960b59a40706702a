/**
 * The broker's port: accepts connections, bounds their number, drops idle ones, and shuts them down in order.
 *
 * Guarantees: `bind` fails with an error that names the option to change; nothing is read from a client before `open`;
 * `close` answers what is parked and is done within its deadline, with every socket closed.
 * Leaves out what is said on a connection: that is connection.ts.
 */
import { BrokerError } from '../errors.js';
import type { Clock, Timer } from '../io/clock.js';
import type { Logger } from '../io/logger.js';
import type { Network, NetworkServer, NetworkSocket, SocketEvents } from '../io/network.js';
import { FrameMemory } from './frame-memory.js';
import { Connection, type ConnectionLimits, type ConnectionOwner, type Dispatcher } from './connection.js';

/** Everything a listener is told. */
export interface ListenerOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dispatch: Dispatcher;
  readonly limits: ConnectionLimits;
  /** `max.connections`: connections beyond it are closed as they come. */
  readonly maxConnections: number;
  /** `max.connections.per.ip`. */
  readonly maxConnectionsPerIp: number;
  /** `connections.max.idle.ms`: a connection without requests for that long is closed. */
  readonly maxIdleMs: number;
}

/** How often idle connections are looked for, in milliseconds, unless the idle limit is shorter. */
const IDLE_SWEEP_MS = 10_000;

/** Between sockets that were asked to close and sockets that are made to. */
const END_GRACE_MS = 100;

/** See the head of this file. */
export class Listener implements ConnectionOwner {
  readonly dispatch: Dispatcher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: ConnectionLimits;
  readonly frameMemory = new FrameMemory();

  private readonly connections = new Set<Connection>();
  private readonly countByHost = new Map<string, number>();
  private readonly waiting = new Set<() => void>();
  private server: NetworkServer | null = null;
  private sweepTimer: Timer | null = null;
  private nextId = 1;
  private isOpen = false;
  private isClosing = false;
  private whenEmpty: (() => void) | null = null;

  constructor(private readonly options: ListenerOptions) {
    this.dispatch = options.dispatch;
    this.clock = options.clock;
    this.logger = options.logger;
    this.limits = options.limits;
  }

  /** Connections that are open now. */
  get connectionCount(): number {
    return this.connections.size;
  }

  /** Takes the port. Clients can connect from here on, and are read from `open` on. */
  async bind(address: { host: string; port: number }): Promise<{ host: string; port: number }> {
    try {
      this.server = await this.options.network.listen(address, (socket) => this.accept(socket));
    } catch (error) {
      throw bindError(error, address);
    }
    this.scheduleSweep();
    return { host: this.server.host, port: this.server.port };
  }

  /** Begins to read from the clients. */
  open(): void {
    this.isOpen = true;
    for (const start of this.waiting) start();
    this.waiting.clear();
  }

  /** Accepts no one any more and takes no further requests. What is in flight goes on. */
  stop(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    this.server?.close();
    if (this.sweepTimer !== null) this.clock.clearTimer(this.sweepTimer);
    this.sweepTimer = null;
    for (const connection of this.connections) connection.stopReading();
  }

  /** After `stop`: waits until every request is answered or `deadlineMs` has passed, and closes all sockets. */
  async close(deadlineMs: number): Promise<void> {
    this.stop();
    await this.waitFor(() => [...this.connections].every((connection) => connection.openRequests === 0), deadlineMs);
    for (const connection of [...this.connections]) connection.end();
    await this.waitFor(() => this.connections.size === 0, END_GRACE_MS);
    for (const connection of [...this.connections]) connection.destroy();
  }

  closed(connection: Connection): void {
    this.connections.delete(connection);
    const host = connection.remoteHost;
    const left = (this.countByHost.get(host) ?? 1) - 1;
    if (left > 0) this.countByHost.set(host, left);
    else this.countByHost.delete(host);
    this.changed();
  }

  /** A connection answered its last open request. */
  idle(): void {
    if (this.isClosing) this.changed();
  }

  private accept(socket: NetworkSocket): SocketEvents {
    const connection = new Connection(this.nextId++, socket, this);
    this.connections.add(connection);
    const sameHost = (this.countByHost.get(socket.remoteHost) ?? 0) + 1;
    this.countByHost.set(socket.remoteHost, sameHost);
    const { maxConnections, maxConnectionsPerIp } = this.options;
    if (this.isClosing) connection.fail('the broker is shutting down.');
    else if (this.connections.size > maxConnections) {
      connection.fail(`more than max.connections=${maxConnections} are open.`);
    } else if (sameHost > maxConnectionsPerIp) {
      connection.fail(`more than max.connections.per.ip=${maxConnectionsPerIp} are open from its address.`);
    } else if (!this.isOpen) {
      socket.pause();
      this.waiting.add(() => socket.resume());
    }
    return connection;
  }

  private waitFor(isDone: () => boolean, deadlineMs: number): Promise<void> {
    if (isDone()) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        this.whenEmpty = null;
        this.clock.clearTimer(timer);
        resolve();
      };
      const timer = this.clock.setTimer(deadlineMs, finish);
      this.whenEmpty = () => {
        if (isDone()) finish();
      };
    });
  }

  private changed(): void {
    this.whenEmpty?.();
  }

  private scheduleSweep(): void {
    const everyMs = Math.min(IDLE_SWEEP_MS, this.options.maxIdleMs);
    this.sweepTimer = this.clock.setTimer(everyMs, () => {
      this.sweepIdle();
      this.scheduleSweep();
    });
  }

  private sweepIdle(): void {
    const oldestMs = this.clock.monotonic() - this.options.maxIdleMs;
    for (const connection of [...this.connections]) {
      if (connection.openRequests > 0 || connection.lastActiveMs > oldestMs) continue;
      this.logger.debug(
        `Connection from ${connection.remoteHost}:${connection.remotePort} closed: ` +
          `idle for connections.max.idle.ms=${this.options.maxIdleMs}.`,
      );
      connection.destroy();
    }
  }
}

function bindError(error: unknown, address: { host: string; port: number }): BrokerError {
  const code = (error as { code?: string }).code ?? 'unknown';
  const where = `${address.host}:${address.port}`;
  const cause = { cause: error };
  switch (code) {
    case 'EADDRINUSE':
      return new BrokerError(
        'PORT_IN_USE',
        `Cannot listen on ${where}: the port is in use by another process. ` +
          'Stop that process, or choose another port with --port (option `port`, in server.properties `listeners`); 0 takes a free one.',
        cause,
      );
    case 'EACCES':
      return new BrokerError(
        'CANNOT_LISTEN',
        `Cannot listen on ${where}: this user may not bind that port. ` +
          'Choose a port above 1023 with --port (option `port`, in server.properties `listeners`).',
        cause,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new BrokerError(
        'CANNOT_LISTEN',
        `Cannot listen on ${where}: this machine has no such address. ` +
          'Choose one it has with --host (option `host`, in server.properties `listeners`), for example 127.0.0.1 or 0.0.0.0; ' +
          'what clients should be told instead belongs in advertised.listeners.',
        cause,
      );
    default:
      return new BrokerError('CANNOT_LISTEN', `Cannot listen on ${where}: ${(error as Error).message}.`, cause);
  }
}
