/**
 * The name of the data directory as clients see it.
 */
import type { BrokerServices } from './context.js';

/** What the directory is called when there is none. */
const IN_MEMORY = '(memory)';

/** `log.dirs` of a broker; a broker that keeps everything in memory says so. */
export function logDirOf({ dataDir }: Pick<BrokerServices, 'dataDir'>): string {
  return dataDir ?? IN_MEMORY;
}
