/**
 * What all logs of a broker share: the ports, and the memory and files that are bounded for all of them together.
 */
import type { Clock } from '../io/clock.js';
import type { Disk } from '../io/disk.js';
import type { Logger } from '../io/logger.js';
import { FilePool } from './file-pool.js';
import { IndexCache } from './index-cache.js';
import { TailMemory } from './tail-memory.js';
import { WritePressure } from './write-pressure.js';

/** See the file comment. */
export interface LogContext {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly memory: TailMemory;
  readonly pressure: WritePressure;
  readonly files: FilePool;
  readonly indexes: IndexCache;
}

/** Other bounds than those of limits.ts; for tests. */
export interface LogContextBounds {
  readonly filesMax?: number;
  readonly indexBytesMax?: number;
}

/** A context with fresh pools on the given ports. */
export function createLogContext(
  ports: Pick<LogContext, 'disk' | 'clock' | 'logger'>,
  bounds: LogContextBounds = {},
): LogContext {
  return {
    ...ports,
    memory: new TailMemory({ mayReuse: !ports.disk.keepsBuffers }),
    pressure: new WritePressure(),
    files: new FilePool(ports.disk, bounds.filesMax),
    indexes: new IndexCache(bounds.indexBytesMax),
  };
}
