/**
 * The network port: byte streams to brokers, and its implementation by TCP, with TLS or without.
 *
 * Guarantees: writes of one turn of the event loop leave in one system call; reading uses one reused buffer per
 * socket (`onread`, which TLS has too), so a chunk is valid only during the call that delivers it. `onClosed` is called
 * exactly once. With TLS nothing is sent and `onConnected` is not called before the broker's certificate is accepted.
 * Leaves out framing and time limits.
 */
import { type OnReadOpts, type Socket, connect as connectTcp, isIP } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { TlsSettings } from './tls.js';

/** Where to connect to. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, IPv6 in brackets. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What happens on a stream. All calls come in later turns of the event loop, never during `connect`. */
export interface StreamEvents {
  /** The stream is open. */
  onConnected(): void;
  /** Bytes arrived. The buffer is reused: whoever wants to keep any of it copies it before returning. */
  onData(chunk: Buffer): void;
  /** The stream is gone and nothing more will come: an error, or null for an end in order. */
  onClosed(error: Error | null): void;
}

/** An open (or opening) stream of bytes. */
export interface Stream {
  /**
   * Sends the chunks in order. `onFlushed` is called when the operating system has taken them, never when it could not.
   * Their owner may write over them once the request they belong to was answered.
   */
  write(chunks: readonly Buffer[], onFlushed?: () => void): void;
  /** Bytes that were written here and not yet taken by the operating system. */
  readonly pendingBytes: number;
  /** Drops the stream at once. `onClosed` follows. */
  destroy(): void;
}

/** Opens streams. With `tls` the stream is encrypted; an implementation that cannot do that has to throw. */
export interface Network {
  connect(endpoint: Endpoint, events: StreamEvents, tls?: TlsSettings): Stream;
}

/** Size of a socket's read buffer at first. */
const READ_BUFFER_BYTES = 64 * 1024;

/** Its size once a read has filled it. Measured: bulk reads cost a third of the CPU of fresh 64 KiB buffers. */
const READ_BUFFER_BYTES_MAX = 256 * 1024;

/** One buffer for all reads of a socket. */
function reusedBuffer(events: StreamEvents): OnReadOpts {
  let readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  return {
    buffer: () => readBuffer,
    callback: (byteCount) => {
      const chunk = readBuffer.subarray(0, byteCount);
      if (byteCount === READ_BUFFER_BYTES) readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES_MAX);
      events.onData(chunk);
      return true;
    },
  };
}

function openSocket({ host, port }: Endpoint, events: StreamEvents, tls: TlsSettings | undefined): Socket {
  const onread = reusedBuffer(events);
  if (tls === undefined) return connectTcp({ host, port, onread });
  // Node's types do not have `onread` here, its documentation of tls.connect does.
  const options: ConnectionOptions & { onread: OnReadOpts } = {
    host,
    port,
    onread,
    secureContext: tls.secureContext,
    rejectUnauthorized: tls.rejectUnauthorized,
  };
  // An address is no server name (RFC 6066); Node compares it with the certificate all the same.
  const servername = tls.servername ?? (isIP(host) === 0 ? host : undefined);
  if (servername !== undefined) options.servername = servername;
  if (tls.checkServerIdentity !== undefined) options.checkServerIdentity = tls.checkServerIdentity;
  return connectTls(options);
}

class SocketStream implements Stream {
  private readonly socket: Socket;
  private corked = false;

  constructor(endpoint: Endpoint, events: StreamEvents, tls: TlsSettings | undefined) {
    let failure: Error | null = null;
    this.socket = openSocket(endpoint, events, tls);
    this.socket.setNoDelay(true);
    this.socket.setKeepAlive(true);
    this.socket.on(tls === undefined ? 'connect' : 'secureConnect', () => events.onConnected());
    this.socket.on('error', (error) => (failure ??= error));
    this.socket.on('close', () => events.onClosed(failure));
  }

  get pendingBytes(): number {
    return this.socket.writableLength;
  }

  write(chunks: readonly Buffer[], onFlushed?: () => void): void {
    if (!this.corked) {
      this.corked = true;
      this.socket.cork();
      // Everything written until the current callback and its microtasks are done joins this system call.
      process.nextTick(() => {
        this.corked = false;
        this.socket.uncork();
      });
    }
    const last = chunks.length - 1;
    for (let index = 0; index < last; index++) this.socket.write(chunks[index] as Buffer);
    if (last < 0) return;
    if (onFlushed === undefined) this.socket.write(chunks[last] as Buffer);
    else this.socket.write(chunks[last] as Buffer, (error) => (error ? undefined : onFlushed()));
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** The sockets of the operating system. */
export const tcpNetwork: Network = {
  connect: (endpoint, events, tls) => new SocketStream(endpoint, events, tls),
};
