/**
 * Which sealed segments have their indexes in memory; the least recently used are let go beyond the bound.
 * Guarantees: indexes of active segments are not counted and never let go.
 */
import { INDEX_CACHE_BYTES_MAX } from '../limits.js';
import type { Segment } from './segment.js';

/** See the file comment. */
export class IndexCache {
  private readonly segments = new Map<Segment, number>();
  private bytes = 0;

  constructor(private readonly bytesMax: number = INDEX_CACHE_BYTES_MAX) {}

  /** Bytes of all indexes that are counted. */
  get usedBytes(): number {
    return this.bytes;
  }

  /** Notes that the indexes of a sealed segment are loaded and were just used. */
  used(segment: Segment): void {
    this.forget(segment);
    this.segments.set(segment, segment.indexBytes);
    this.bytes += segment.indexBytes;
    for (const oldest of this.segments.keys()) {
      if (this.bytes <= this.bytesMax || oldest === segment) break;
      this.forget(oldest);
      oldest.unloadIndexes();
    }
  }

  /** Forgets a segment that is deleted. */
  forget(segment: Segment): void {
    this.bytes -= this.segments.get(segment) ?? 0;
    this.segments.delete(segment);
  }
}
