/**
 * A socket for specs: keeps what was written, and lets a test decide when the peer takes it.
 *
 * Used by specs only. Guarantees the port's rules: `write` answers false while `isFull`, one `onDrain` follows.
 */
import type { NetworkSocket } from '../../io/network.js';

/** See the head of this file. */
export class FakeSocket implements NetworkSocket {
  readonly remoteHost = '192.0.2.1';
  readonly remotePort = 5000;
  readonly localPort = 9092;
  unsentBytes = 0;
  /** From here on `write` answers false. */
  isFull = false;
  isPaused = false;
  hasEnded = false;
  isDestroyed = false;
  /** One entry for each call of `write`. */
  readonly writes: Buffer[] = [];
  private readonly onSent: (() => void)[] = [];

  get unsentMark(): number {
    return this.unsentBytes;
  }

  write(chunks: readonly Buffer[], onSent?: () => void): boolean {
    this.writes.push(Buffer.concat(chunks));
    if (onSent !== undefined) {
      if (this.isFull) this.onSent.push(onSent);
      else onSent();
    }
    return !this.isFull;
  }

  /** The peer has read everything. */
  drain(): void {
    this.isFull = false;
    this.unsentBytes = 0;
    for (const call of this.onSent.splice(0)) call();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.hasEnded = true;
  }

  destroy(): void {
    this.isDestroyed = true;
  }
}
