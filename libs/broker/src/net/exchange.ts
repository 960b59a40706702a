/**
 * One request and its answer on a connection, in the order the requests came.
 *
 * A request is answered once, whenever it likes; the bytes wait in its exchange until everything before it is answered.
 * An exchange without an answer (acks=0) leaves no hole. Knows nothing of sockets.
 */

/** How the dispatcher answers a request. Exactly one of the three is called, once. */
export interface Reply {
  /** The whole response frame. `onSent` is called when nobody needs its bytes any more; after a broken write, never. */
  send(chunks: readonly Buffer[], onSent?: () => void): void;
  /** The request has no response (Produce with acks=0). */
  none(): void;
  /** The connection is beyond repair: it is closed, and the reason is logged. */
  close(reason: string): void;
}

/** A link of the chain of open exchanges. */
export class Exchange implements Reply {
  next: Exchange | null = null;
  chunks: readonly Buffer[] = NO_CHUNKS;
  bytes = 0;
  onSent: (() => void) | null = null;
  isSettled = false;

  constructor(private readonly owner: { settled(exchange: Exchange): void; fail(reason: string): void }) {}

  send(chunks: readonly Buffer[], onSent?: () => void): void {
    if (this.isSettled) throw new Error('A request was answered twice: its handler is broken.');
    let bytes = 0;
    for (const chunk of chunks) bytes += chunk.length;
    this.chunks = chunks;
    this.bytes = bytes;
    this.onSent = onSent ?? null;
    this.settle();
  }

  none(): void {
    this.settle();
  }

  close(reason: string): void {
    this.isSettled = true;
    this.owner.fail(reason);
  }

  private settle(): void {
    this.isSettled = true;
    this.owner.settled(this);
  }
}

const NO_CHUNKS: readonly Buffer[] = [];

/** Chunks below this size that lie side by side are joined before they are written: one copy is cheaper than a vector entry. */
const JOIN_BELOW_BYTES = 4096;

/** Joins runs of small chunks, so that many small responses become one. The large ones pass by reference. */
export function joinSmallChunks(chunks: readonly Buffer[]): readonly Buffer[] {
  if (chunks.length < 2) return chunks;
  const joined: Buffer[] = [];
  let run: Buffer[] = [];
  for (const chunk of chunks) {
    if (chunk.length < JOIN_BELOW_BYTES) {
      run.push(chunk);
      continue;
    }
    if (run.length > 0) joined.push(run.length === 1 ? run[0]! : Buffer.concat(run));
    run = [];
    joined.push(chunk);
  }
  if (run.length > 0) joined.push(run.length === 1 ? run[0]! : Buffer.concat(run));
  return joined;
}
