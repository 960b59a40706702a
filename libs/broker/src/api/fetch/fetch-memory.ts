/**
 * The memory that all fetch answers of a broker share, while they are read and until the client has taken them.
 *
 * Guarantees: the bytes in use stay within the bound, but for a batch that is larger than the smallest grant; when nothing
 * is in use anything is granted; who waits is served in the order of coming, and is forgotten when its connection closes.
 * A client that takes nothing while others wait is disconnected, so that nobody waits for ever.
 * Leaves out reading: see fetch-read.ts.
 */
import type { Clock, Timer } from '../../io/clock.js';
import { FETCH_BYTES_IN_FLIGHT_MAX, FETCH_GRANT_BYTES_MIN, FETCH_SHARE_OF_REST, FETCH_STALL_MS } from '../../limits.js';

/** How to run; bytes and milliseconds. The defaults are in limits.ts. */
export interface FetchMemoryOptions {
  readonly clock: Clock;
  readonly bytesMax?: number;
  /** No grant is smaller: what a batch may take. */
  readonly grantBytesMin?: number;
  readonly stallMs?: number;
}

/** What it has to know of a connection; `ClientConnection` is one. */
export interface FetchClient {
  readonly unsentMark: number;
  whenClosed(listener: () => void): () => void;
  fail(reason: string): void;
}

interface Waiter {
  readonly wantedBytes: number;
  readonly grant: (grant: FetchGrant) => void;
}

/** Memory that one fetch has. */
export class FetchGrant {
  /** What the connection had not sent when it was last looked at. */
  unsentMark = 0;
  connection: FetchClient | null = null;
  private forget: (() => void) | null = null;

  constructor(
    private readonly memory: FetchMemory,
    private heldBytes: number,
  ) {}

  /** Bytes that may be read, or that were read once it is settled. */
  get bytes(): number {
    return this.heldBytes;
  }

  /** So much was read: the rest is given back. */
  settle(readBytes: number): void {
    const change = readBytes - this.heldBytes;
    this.heldBytes = readBytes;
    this.memory.changed(change);
  }

  /** From now on it is up to the client how long the memory is in use; it is free when the connection is gone. */
  sendTo(connection: FetchClient): void {
    if (this.heldBytes === 0) return;
    this.connection = connection;
    this.memory.sending.add(this);
    this.unsentMark = connection.unsentMark;
    this.forget = connection.whenClosed(() => this.release());
  }

  /** The memory is free. Only the first call counts. */
  release(): void {
    this.memory.sending.delete(this);
    this.forget?.();
    this.forget = null;
    this.settle(0);
  }
}

/** See the head of this file. */
export class FetchMemory {
  /** Grants whose bytes are on their way to a client. */
  readonly sending = new Set<FetchGrant>();
  private readonly waiters = new Set<Waiter>();
  private readonly clock: Clock;
  private readonly bytesMax: number;
  private readonly grantBytesMin: number;
  private readonly stallMs: number;
  private used = 0;
  private timer: Timer | null = null;

  constructor(options: FetchMemoryOptions) {
    this.clock = options.clock;
    this.bytesMax = options.bytesMax ?? FETCH_BYTES_IN_FLIGHT_MAX;
    this.grantBytesMin = Math.min(options.grantBytesMin ?? FETCH_GRANT_BYTES_MIN, this.bytesMax);
    this.stallMs = options.stallMs ?? FETCH_STALL_MS;
  }

  /** Bytes granted and not given back. */
  get usedBytes(): number {
    return this.used;
  }

  /** Fetches that wait for memory. */
  get waitingCount(): number {
    return this.waiters.size;
  }

  /** Memory for a fetch that may read up to `wantedBytes`, or null when it has to wait. */
  tryTake(wantedBytes: number): FetchGrant | null {
    return this.waiters.size > 0 ? null : this.grant(wantedBytes);
  }

  /** The same, when it is this fetch's turn; at once, and with nothing, when its connection closes before. */
  take(wantedBytes: number, connection: FetchClient): Promise<FetchGrant> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        wantedBytes,
        grant: (grant) => {
          forget();
          resolve(grant);
        },
      };
      this.waiters.add(waiter);
      const forget = connection.whenClosed(() => {
        this.waiters.delete(waiter);
        resolve(new FetchGrant(this, 0));
        this.serve();
      });
      this.serve();
      this.watch();
    });
  }

  /** The bytes in use have changed. */
  changed(bytes: number): void {
    this.used += bytes;
    if (bytes < 0) this.serve();
  }

  private grant(wantedBytes: number): FetchGrant | null {
    const rest = this.bytesMax - this.used;
    if (this.used > 0 && rest < this.grantBytesMin) return null;
    const share = Math.min(wantedBytes, Math.floor(rest * FETCH_SHARE_OF_REST));
    const bytes = Math.max(this.grantBytesMin, share);
    this.used += bytes;
    return new FetchGrant(this, bytes);
  }

  private serve(): void {
    for (const waiter of this.waiters) {
      const grant = this.grant(waiter.wantedBytes);
      if (grant === null) return;
      this.waiters.delete(waiter);
      waiter.grant(grant);
    }
    if (this.timer !== null) this.clock.clearTimer(this.timer);
    this.timer = null;
  }

  /** While somebody waits: looks which clients take nothing. */
  private watch(): void {
    if (this.timer !== null || this.waiters.size === 0) return;
    for (const grant of this.sending) grant.unsentMark = grant.connection?.unsentMark ?? 0;
    this.scheduleLook();
  }

  private scheduleLook(): void {
    this.timer = this.clock.setTimer(this.stallMs, () => {
      this.timer = null;
      for (const grant of [...this.sending]) this.lookAt(grant);
      if (this.waiters.size > 0) this.scheduleLook();
    });
  }

  private lookAt(grant: FetchGrant): void {
    const { connection, unsentMark } = grant;
    const mark = connection?.unsentMark ?? 0;
    grant.unsentMark = mark;
    if (mark === 0 || mark !== unsentMark) return;
    connection?.fail(
      `it took nothing of a fetch answer of ${grant.bytes} bytes for ${this.stallMs} ms, ` +
        `while ${this.waiters.size} fetches waited for memory (limit ${this.bytesMax} bytes). ` +
        'Read faster, or ask for less with fetch.max.bytes.',
    );
  }
}
