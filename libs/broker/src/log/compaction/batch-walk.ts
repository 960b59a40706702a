/**
 * Walks over the batches of a sealed segment and waits for whoever looks at each.
 * Guarantees: never more than a block, or one batch, is in memory; a batch that is cut or makes no sense ends the walk with
 * an error, so that nothing is thrown away because it could not be read.
 */
import { BATCH_HEADER_BYTES, ProtocolError, batchSizeBytes } from '@kafka-template/protocol';
import { SCAN_BYTES } from '../../limits.js';
import type { ReadBytes } from '../segment-scan.js';

/** What to walk over. */
export interface WalkOptions {
  readonly read: ReadBytes;
  readonly position: number;
  readonly endPosition: number;
  /** Called for each batch, in order; the next one waits for it. Returning false ends the walk. */
  readonly visit: (batch: Buffer) => Promise<boolean | void>;
}

/** See the file comment. */
export async function walkBatches({ read, position: from, endPosition, visit }: WalkOptions): Promise<void> {
  let position = from;
  let bytes = SCAN_BYTES;
  while (position < endPosition) {
    const block = await read(position, Math.min(bytes, endPosition - position));
    let at = 0;
    bytes = SCAN_BYTES;
    while (block.length - at >= BATCH_HEADER_BYTES) {
      const sizeBytes = batchSizeBytes(block, at);
      if (sizeBytes < BATCH_HEADER_BYTES || sizeBytes > endPosition - position) throw torn(position);
      if (block.length - at < sizeBytes) {
        bytes = Math.max(SCAN_BYTES, sizeBytes);
        break;
      }
      if ((await visit(block.subarray(at, at + sizeBytes))) === false) return;
      at += sizeBytes;
      position += sizeBytes;
    }
    if (at === 0 && bytes === SCAN_BYTES) throw torn(position);
  }
}

function torn(position: number): ProtocolError {
  return new ProtocolError('CORRUPT_BATCH', `no whole batch begins at position ${position}`);
}
