/**
 * The network port: listening sockets and accepted connections, and their implementation on node:net.
 *
 * Guarantees: chunks arrive in order; `write` keeps the order of its chunks and hands them to the system in one vectored
 * write; errors of a connection end in `onClose`, never in a thrown exception.
 * All accepted sockets of one server read into one reused buffer, so a chunk is valid only until `onData` returns.
 * Leaves out TLS and framing: bytes in, bytes out.
 */
import { createServer, Socket, type AddressInfo, type Server } from 'node:net';
import { hostname } from 'node:os';

/** Bytes of the read buffer shared by the accepted sockets of one server. */
export const READ_BUFFER_BYTES = 256 * 1024;

/** Unsent bytes of one socket from which on `write` answers false and `onDrain` will follow. */
export const WRITE_HIGH_WATER_BYTES = 1024 * 1024;

/** Connections the operating system may hold for us before we accept them. */
export const ACCEPT_BACKLOG = 511;

/** What the owner of a socket hears. Exactly one `onClose` ends the sequence. */
export interface SocketEvents {
  /** Bytes came in. The chunk is reused: copy what must outlive this call. */
  onData(chunk: Buffer): void;
  /** Where the next bytes should be put, where the system allows that; null for the shared read buffer. */
  nextBuffer?(): Buffer | null;
  /** The bytes that made `write` answer false are with the operating system. */
  onDrain(): void;
  /** The socket is gone; `error` is null when either side closed it in order. */
  onClose(error: Error | null): void;
}

/** One accepted connection. */
export interface NetworkSocket {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly localPort: number;
  /** Bytes given to `write` that the operating system has not taken yet. */
  readonly unsentBytes: number;
  /** 0 when the system has taken everything; changes whenever it takes something, also of a write that is under way. */
  readonly unsentMark: number;
  /**
   * Sends the chunks in order and calls `onSent` when the system has them all, which after an error is never.
   * False: wait for `onDrain`.
   */
  write(chunks: readonly Buffer[], onSent?: () => void): boolean;
  /** Stops reading; the peer is slowed down by TCP itself. */
  pause(): void;
  resume(): void;
  /** Sends what is unsent, then closes. */
  end(): void;
  /** Closes now and drops what is unsent. */
  destroy(): void;
}

/** A bound port. */
export interface NetworkServer {
  readonly host: string;
  /** The real port, also when 0 was asked for. */
  readonly port: number;
  /** Stops accepting at once. Accepted connections live on. */
  close(): void;
}

/** The port the broker listens through. */
export interface Network {
  /** Binds host and port. Rejects with the system's error (`code` EADDRINUSE, EACCES, EADDRNOTAVAIL, ENOTFOUND...). */
  listen(
    address: { host: string; port: number },
    accept: (socket: NetworkSocket) => SocketEvents,
  ): Promise<NetworkServer>;
  /** The name under which other machines may know this one: what clients are told when we listen on all addresses. */
  hostName(): string;
}

/** The real network. */
export const systemNetwork: Network = {
  hostName: hostname,
  async listen(address, accept) {
    const server = createServer({ pauseOnConnect: true, noDelay: true, keepAlive: true });
    const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
    server.on('connection', (accepted) => openSocket(accepted, readBuffer, accept));
    await bind(server, address);
    const bound = server.address() as AddressInfo;
    return { host: bound.address, port: bound.port, close: () => void server.close() };
  },
};

function bind(server: Server, address: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address.host, port: address.port, backlog: ACCEPT_BACKLOG }, () => {
      server.off('error', reject);
      // Accept errors (EMFILE) must not end the process; the listening socket goes on accepting.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

function openSocket(accepted: Socket, readBuffer: Buffer, accept: (socket: NetworkSocket) => SocketEvents): void {
  const remoteHost = accepted.remoteAddress;
  if (remoteHost === undefined) {
    // The peer was gone before we came to it.
    accepted.on('error', () => undefined);
    accepted.destroy();
    return;
  }
  const ends = { remoteHost, remotePort: accepted.remotePort ?? 0, localPort: accepted.localPort ?? 0 };
  const handle = takeHandle(accepted);
  if (handle === null) {
    // Before it is accepted: whoever accepts it may pause it again.
    accepted.resume();
    const socket = new SystemSocket(accepted, ends);
    const events = accept(socket);
    accepted.on('data', (chunk: Buffer) => events.onData(chunk));
    listenToEnd(accepted, events);
    return;
  }
  let events: SocketEvents | null = null;
  const reader = new Socket({
    handle,
    writableHighWaterMark: WRITE_HIGH_WATER_BYTES,
    onread: {
      // Asked before each read. Node keeps the old buffer when there is no answer.
      buffer: () => events?.nextBuffer?.() ?? readBuffer,
      callback: (bytes: number, buffer: Uint8Array) => {
        // The bytes of the shared buffer are overwritten by the next read of any connection of this server.
        events?.onData((buffer as Buffer).subarray(0, bytes));
        return true;
      },
    },
  } as ConstructorParameters<typeof Socket>[0]);
  reader.setNoDelay(true);
  reader.setKeepAlive(true);
  // Before it is accepted: whoever accepts it may pause it again.
  reader.resume();
  events = accept(new SystemSocket(reader, ends));
  listenToEnd(reader, events);
}

/**
 * Takes the system handle out of an accepted socket, so that a second Socket with a reused read buffer can own it.
 * `onread` is offered for outgoing sockets only, and saves an allocation and a copy of every 64 KiB read. Answers null
 * when this Node does not have the handle where Node 20 to 24 have it, and on Windows, which fills buffers while we do
 * something else: then the slower `data` events are used.
 */
function takeHandle(accepted: Socket): object | null {
  if (process.platform === 'win32') return null;
  const inside = accepted as unknown as {
    _handle?: { reading?: boolean; useUserBuffer?: unknown } | null;
    _server?: unknown;
  };
  const handle = inside._handle;
  if (typeof handle !== 'object' || handle === null || typeof handle.useUserBuffer !== 'function') return null;
  inside._handle = null;
  inside._server = null;
  return handle;
}

function listenToEnd(socket: Socket, events: SocketEvents): void {
  let failure: Error | null = null;
  socket.on('drain', () => events.onDrain());
  socket.on('error', (error: Error) => {
    failure = error;
  });
  socket.on('close', () => events.onClose(failure));
}

class SystemSocket implements NetworkSocket {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly localPort: number;

  constructor(
    private readonly socket: Socket,
    ends: { remoteHost: string; remotePort: number; localPort: number },
  ) {
    this.remoteHost = ends.remoteHost;
    this.remotePort = ends.remotePort;
    this.localPort = ends.localPort;
  }

  get unsentBytes(): number {
    return this.socket.writableLength;
  }

  get unsentMark(): number {
    const { _handle: handle } = this.socket as unknown as { _handle?: { writeQueueSize?: number } | null };
    return this.socket.writableLength + (handle?.writeQueueSize ?? 0);
  }

  write(chunks: readonly Buffer[], onSent?: () => void): boolean {
    const socket = this.socket;
    if (socket.destroyed || chunks.length === 0) {
      onSent?.();
      return true;
    }
    const last = chunks.length - 1;
    if (last > 0) socket.cork();
    for (let index = 0; index < last; index++) socket.write(chunks[index]!);
    // After an error the system may still look at the bytes: then they are never said to be sent.
    const written = onSent && ((error?: Error | null) => (error ? undefined : onSent()));
    const hasRoom = written ? socket.write(chunks[last]!, written) : socket.write(chunks[last]!);
    if (last > 0) socket.uncork();
    return hasRoom;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    if (!this.socket.destroyed) this.socket.resume();
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
