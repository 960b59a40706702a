/**
 * One client connection: bytes in, frames to the dispatcher, responses out in the order of the requests.
 *
 * Guarantees: bytes go out in request order, whatever finishes first; a long poll holds back the bytes, not the work; the
 * responses that finish in one turn of the loop leave in one write; reading stops while too much is in flight or unsent;
 * an announced length allocates nothing; whatever comes in, only this connection can suffer.
 * Leaves out what a request means: that is api/dispatch.ts.
 */
import { ProtocolError } from '@kafka-template/protocol';
import type { ClientConnection } from '../api/context.js';
import type { Clock } from '../io/clock.js';
import type { Logger } from '../io/logger.js';
import type { NetworkSocket, SocketEvents } from '../io/network.js';
import { Exchange, joinSmallChunks, type Reply } from './exchange.js';
import { OPENING_BYTES, recogniseForeign } from './foreign.js';
import type { FrameMemory } from './frame-memory.js';
import { FrameReader } from './frame-reader.js';

/** Bounds of one connection. */
export interface ConnectionLimits {
  /** Largest request frame in bytes; `socket.request.max.bytes`. */
  readonly maxRequestBytes: number;
  /** Requests taken and not yet answered; more are left in the socket. */
  readonly maxInFlightRequests: number;
  /** Response bytes that wait for the client or for an earlier answer; beyond it nothing more is read. */
  readonly maxUnsentBytes: number;
}

/** Takes one request frame (without its length) and answers through `reply`. The frame is valid only during the call. */
export type Dispatcher = (frame: Buffer, connection: ClientConnection, reply: Reply) => void;

/** What a connection needs from its listener. */
export interface ConnectionOwner {
  readonly dispatch: Dispatcher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: ConnectionLimits;
  readonly frameMemory: FrameMemory;
  closed(connection: Connection): void;
  /** Its last open request was answered. */
  idle(connection: Connection): void;
}

/** See the head of this file. */
export class Connection implements SocketEvents, ClientConnection {
  readonly remoteHost: string;
  readonly remotePort: number;
  softwareName = '';
  softwareVersion = '';
  /** Monotonic milliseconds of the last byte in or answer out; what `connections.max.idle.ms` is measured from. */
  lastActiveMs: number;

  private readonly reader: FrameReader;
  private opening: Buffer | null = null;
  private sawFrame = false;
  private head: Exchange | null = null;
  private tail: Exchange | null = null;
  private inFlight = 0;
  private heldBytes = 0;
  /** Frames that were in a chunk when the bound was reached: at most one read buffer of them. */
  private backlog: Buffer[] = [];
  private holds = 0;
  private isPaused = false;
  private mustDrain = false;
  private isFlushScheduled = false;
  private isClosed = false;
  private isStopping = false;
  private readonly closeListeners = new Set<() => void>();

  constructor(
    readonly id: number,
    private readonly socket: NetworkSocket,
    private readonly owner: ConnectionOwner,
  ) {
    this.remoteHost = socket.remoteHost;
    this.remotePort = socket.remotePort;
    this.lastActiveMs = owner.clock.monotonic();
    this.reader = new FrameReader(owner.limits.maxRequestBytes, owner.frameMemory);
  }

  /** Requests that are not answered yet. */
  get openRequests(): number {
    return this.inFlight + this.backlog.length;
  }

  get isOpen(): boolean {
    return !this.isClosed;
  }

  get unsentMark(): number {
    return this.socket.unsentMark;
  }

  onClose(error: Error | null): void {
    if (error !== null) {
      this.owner.logger.debug(`Connection from ${this.remoteHost}:${this.remotePort} broke: ${error.message}`);
    }
    this.finish();
  }

  whenClosed(listener: () => void): () => void {
    if (this.isClosed) {
      listener();
      return noop;
    }
    this.closeListeners.add(listener);
    return () => void this.closeListeners.delete(listener);
  }

  hold(): () => void {
    this.holds++;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.holds--;
      this.proceed();
    };
  }

  onData(chunk: Buffer): void {
    if (this.isClosed || this.isStopping) return;
    this.lastActiveMs = this.owner.clock.monotonic();
    if (!this.sawFrame) this.keepOpening(chunk);
    try {
      this.reader.push(chunk, this.onFrame);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.failOnBytes(error);
    }
  }

  nextBuffer(): Buffer | null {
    return this.isClosed || this.isStopping ? null : this.reader.target();
  }

  onDrain(): void {
    this.mustDrain = false;
    this.proceed();
  }

  /** The exchange is answered: send what has become sendable at the end of this turn. */
  settled(exchange: Exchange): void {
    if (this.isClosed) {
      exchange.onSent?.();
      return;
    }
    this.heldBytes += exchange.bytes;
    if (exchange !== this.head || this.isFlushScheduled) return;
    this.isFlushScheduled = true;
    queueMicrotask(this.flush);
  }

  /** Closes at once and says why. */
  fail(reason: string): void {
    if (this.isClosed) return;
    this.owner.logger.warn(`Connection from ${this.remoteHost}:${this.remotePort} closed: ${reason}`);
    this.destroy();
  }

  /** Reads nothing more; what is in flight is still answered. */
  stopReading(): void {
    this.isStopping = true;
    this.backlog = [];
    if (!this.isClosed) this.socket.pause();
  }

  /** Sends what is ready, then closes in order. */
  end(): void {
    if (this.isClosed) return;
    this.flush();
    this.socket.end();
    // A paused socket would never see the other side's end.
    this.socket.resume();
  }

  destroy(): void {
    this.socket.destroy();
    this.finish();
  }

  private readonly onFrame = (frame: Buffer): void => {
    if (this.isClosed || this.isStopping) return;
    this.sawFrame = true;
    this.opening = null;
    if (this.isFull() || this.backlog.length > 0) {
      this.backlog.push(Buffer.from(frame));
      this.pause();
      return;
    }
    this.take(frame);
  };

  private take(frame: Buffer): void {
    const exchange = new Exchange(this);
    if (this.tail === null) this.head = exchange;
    else this.tail.next = exchange;
    this.tail = exchange;
    this.inFlight++;
    this.owner.dispatch(frame, this, exchange);
  }

  private readonly flush = (): void => {
    this.isFlushScheduled = false;
    if (this.isClosed) return;
    let chunks: Buffer[] | null = null;
    let afterwards: (() => void)[] | null = null;
    let exchange = this.head;
    for (; exchange !== null && exchange.isSettled; exchange = exchange.next) {
      this.inFlight--;
      this.heldBytes -= exchange.bytes;
      if (exchange.bytes > 0) (chunks ??= []).push(...exchange.chunks);
      if (exchange.onSent !== null) (afterwards ??= []).push(exchange.onSent);
    }
    this.head = exchange;
    if (exchange === null) this.tail = null;
    if (chunks !== null) this.write(chunks, afterwards);
    else afterwards?.forEach((call) => call());
    this.proceed();
    if (this.openRequests === 0) this.owner.idle(this);
  };

  private write(chunks: readonly Buffer[], afterwards: readonly (() => void)[] | null): void {
    this.lastActiveMs = this.owner.clock.monotonic();
    const onSent = afterwards === null ? undefined : () => afterwards.forEach((call) => call());
    const hasRoom = this.socket.write(joinSmallChunks(chunks), onSent);
    if (!hasRoom) this.mustDrain = true;
  }

  /** After something left: takes what waited, and reads again when there is room. */
  private proceed(): void {
    if (this.isClosed || this.isStopping) return;
    if (this.backlog.length > 0) this.takeBacklog();
    if (this.isClosed) return;
    if (this.isFull()) this.pause();
    else if (this.isPaused && this.backlog.length === 0) {
      this.isPaused = false;
      this.socket.resume();
    }
  }

  private takeBacklog(): void {
    let taken = 0;
    while (taken < this.backlog.length && !this.isFull() && !this.isClosed) this.take(this.backlog[taken++]!);
    this.backlog.splice(0, taken);
  }

  private isFull(): boolean {
    const limits = this.owner.limits;
    return (
      this.mustDrain ||
      this.holds > 0 ||
      this.inFlight >= limits.maxInFlightRequests ||
      this.heldBytes + this.socket.unsentBytes > limits.maxUnsentBytes
    );
  }

  private pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.socket.pause();
  }

  private keepOpening(chunk: Buffer): void {
    const before = this.opening;
    if (before !== null && before.length >= OPENING_BYTES) return;
    const more = chunk.subarray(0, OPENING_BYTES - (before?.length ?? 0));
    this.opening = before === null ? Buffer.from(more) : Buffer.concat([before, more]);
  }

  /** The stream of frames is lost. Says what the bytes look like when we know. */
  private failOnBytes(error: ProtocolError): void {
    const foreign = this.opening === null ? null : recogniseForeign(this.opening, this.socket.localPort);
    if (foreign === null) {
      this.fail(
        `${error.message} The largest request taken is socket.request.max.bytes=${this.owner.limits.maxRequestBytes}.`,
      );
      return;
    }
    this.owner.logger.warn(`Connection from ${this.remoteHost}:${this.remotePort} closed: ${foreign.explanation}`);
    if (foreign.answer === null) {
      this.destroy();
      return;
    }
    this.isStopping = true;
    this.socket.write([Buffer.from(foreign.answer, 'latin1')]);
    this.socket.end();
  }

  private finish(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (let exchange = this.head; exchange !== null; exchange = exchange.next) exchange.onSent?.();
    this.reader.release();
    this.head = null;
    this.tail = null;
    this.inFlight = 0;
    this.backlog = [];
    for (const listener of [...this.closeListeners]) listener();
    this.closeListeners.clear();
    this.owner.closed(this);
  }
}

const noop = (): void => undefined;
