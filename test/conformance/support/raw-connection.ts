/**
 * A bare TCP connection for protocol tests: whole frames in and out, nothing hidden.
 *
 * Guarantees that a test never hangs on it: every wait ends with a frame, with the end of the connection, or in time.
 */
import { connect, type Socket } from 'node:net';
import {
  decodeResponse,
  encodeRequest,
  FrameSplitter,
  type Api,
  type RequestInput,
  type ResponseOf,
} from '@kafka-template/protocol';

const FRAME_BYTES_MAX = 100 * 1024 * 1024;

/** What a wait for a frame ended with. */
export type RawAnswer = { readonly frame: Buffer } | { readonly end: 'closed' | 'timeout' };

/** See the head of this file. */
export class RawConnection {
  private readonly frames: Buffer[] = [];
  private readonly splitter = new FrameSplitter(FRAME_BYTES_MAX);
  private waiting: (() => void)[] = [];
  private isClosed = false;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.splitter.push(Buffer.from(chunk), (frame) => this.frames.push(frame));
      this.wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
      this.wake();
    });
  }

  /** Connects; rejects when nobody listens. */
  static open(host: string, port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawConnection(socket));
      });
    });
  }

  get closed(): boolean {
    return this.isClosed;
  }

  send(...chunks: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(chunks));
  }

  /** The next frame in the order they came. */
  async next(timeoutMs = 20_000): Promise<RawAnswer> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const frame = this.frames.shift();
      if (frame !== undefined) return { frame };
      if (this.isClosed) return { end: 'closed' };
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) return { end: 'timeout' };
      await this.activity(leftMs);
    }
  }

  /** The next frame; rejects when there is none. */
  async frame(): Promise<Buffer> {
    const answer = await this.next();
    if (!('frame' in answer)) throw new Error(`Expected a response, got: ${answer.end}`);
    return answer.frame;
  }

  /** Sends a request and decodes the next frame as its answer. */
  async call<A extends Api>(
    api: A,
    version: number,
    request: RequestInput<A>,
    clientId = 'test',
  ): Promise<ResponseOf<A>> {
    this.send(...encodeRequest(api, version, 1, clientId, request));
    return decodeResponse(api, version, await this.frame());
  }

  close(): void {
    this.socket.destroy();
  }

  private activity(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private wake(): void {
    for (const call of this.waiting.splice(0)) call();
  }
}
