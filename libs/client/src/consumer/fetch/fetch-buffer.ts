/**
 * What has been fetched ahead for one partition, and where its next fetch begins.
 *
 * Guarantees that a response for a place the partition is no longer at (seek, reset) is dropped: it has to begin
 * exactly where the last one ended. Bound: two chunks, the one being handed out and the next.
 */
import type { FetchedChunk } from './fetched-chunk.js';

/** Most chunks one partition holds. */
export const CHUNKS_PER_PARTITION_MAX = 2;

/** The fetched, not yet handed out chunks of one partition. */
export class FetchBuffer {
  /** Where the next fetch begins, -1 before the partition has a position. */
  fetchOffset = -1;
  /** Bytes held. */
  bytes = 0;
  private chunks: FetchedChunk[] = [];

  /** The chunk to hand out from. */
  get head(): FetchedChunk | undefined {
    return this.chunks[0];
  }

  /** Whether no more may be fetched for now. */
  get full(): boolean {
    return this.chunks.length >= CHUNKS_PER_PARTITION_MAX;
  }

  /** Takes a chunk that was asked for at `fetchOffset`; false when it is out of date or does not fit. */
  add(fetchOffset: number, chunk: FetchedChunk): boolean {
    if (fetchOffset !== this.fetchOffset || this.full) return false;
    this.chunks.push(chunk);
    this.bytes += chunk.sizeBytes;
    this.fetchOffset = chunk.endOffset;
    return true;
  }

  /** Drops the head, which is done with. */
  shift(): void {
    const chunk = this.chunks.shift();
    if (chunk !== undefined) this.bytes -= chunk.sizeBytes;
  }

  /** Drops everything and goes on at another place. */
  restart(fetchOffset: number): void {
    this.chunks = [];
    this.bytes = 0;
    this.fetchOffset = fetchOffset;
  }
}
