/**
 * The wire of a client under test: every request is noted, every answer may be changed or lost, and timers are counted.
 *
 * The client talks to the real broker; only what a test asks for is done to the bytes, whole frames at a time.
 */
import { type ClientIo, systemIo, type Timer } from '@kafka-template/client';
import { type Api, apiByKey, decodeRequestHeader, FrameSplitter } from '@kafka-template/protocol';

const FRAME_BYTES_MAX = 64 * 1024 * 1024;

/** A request as it went out. */
export interface Sent {
  readonly api: Api;
  readonly version: number;
  readonly correlationId: number;
  /** Without the length. */
  readonly frame: Buffer;
  readonly bodyOffset: number;
}

/** What becomes of an answer: whole frames instead of it, null for the answer as it is, or the connection ends without it. */
export type Change = readonly Buffer[] | null | 'lost';

/** See the file comment. */
export class Wire {
  readonly sent: Sent[] = [];
  /** Called with every answer (without its length) and the request it belongs to. */
  onAnswer: (answer: Buffer, request: Sent) => Change = () => null;
  /** Delays of the timers that are running, in ms. */
  readonly timers = new Map<Timer, number>();
  /** How often something was put off to the end of the turn. */
  defers = 0;

  /** Ports that lead over this wire. */
  readonly io: ClientIo = {
    ...systemIo,
    clock: {
      ...systemIo.clock,
      setTimer: (delayMs, callback) => {
        const timer = systemIo.clock.setTimer(delayMs, () => {
          this.timers.delete(timer);
          callback();
        });
        this.timers.set(timer, delayMs);
        return timer;
      },
      clearTimer: (timer) => {
        this.timers.delete(timer);
        systemIo.clock.clearTimer(timer);
      },
      defer: (callback) => {
        this.defers += 1;
        systemIo.clock.defer(callback);
      },
    },
    network: { connect: (...parameters) => this.connect(...parameters) },
  };

  /** The requests of one kind, by its name. */
  requests(name: string): Sent[] {
    return this.sent.filter(({ api }) => api.name === name);
  }

  private connect(...[endpoint, events, tls]: Parameters<ClientIo['network']['connect']>) {
    const waiting = new Map<number, Sent>();
    const out = new FrameSplitter(FRAME_BYTES_MAX);
    const back = new FrameSplitter(FRAME_BYTES_MAX);
    let lost = false;
    const stream = systemIo.network.connect(
      endpoint,
      {
        onConnected: () => events.onConnected(),
        onClosed: (error) => events.onClosed(error),
        onData: (chunk) => {
          back.push(chunk, (frame) => {
            if (lost) return;
            const request = waiting.get(frame.readInt32BE(0));
            waiting.delete(frame.readInt32BE(0));
            const change = request === undefined ? null : this.onAnswer(frame, request);
            if (change === 'lost') {
              lost = true;
              stream.destroy();
            } else events.onData(change === null ? withLength(frame) : Buffer.concat(change));
          });
        },
      },
      tls,
    );
    return {
      write: (chunks: readonly Buffer[], onFlushed?: () => void) => {
        for (const chunk of chunks) {
          out.push(chunk, (frame) => {
            const request = this.note(Buffer.from(frame));
            if (request !== null) waiting.set(request.correlationId, request);
          });
        }
        stream.write(chunks, onFlushed);
      },
      get pendingBytes() {
        return stream.pendingBytes;
      },
      destroy: () => stream.destroy(),
    };
  }

  private note(frame: Buffer): Sent | null {
    const api = apiByKey(frame.readInt16BE(0));
    if (api === undefined) return null;
    const { apiVersion, correlationId, bodyOffset } = decodeRequestHeader(frame, api);
    const request = { api, version: apiVersion, correlationId, frame, bodyOffset };
    this.sent.push(request);
    return request;
  }
}

function withLength(frame: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(frame.length);
  return Buffer.concat([length, frame]);
}
