/**
 * What the demo can be told, all by environment variables: PORT, BROKER_PORT, DATA_DIR, BOOTSTRAP_SERVERS.
 */
import { StartError } from './start-error.js';

/** Settings of the demo. */
export interface Settings {
  /** HTTP port; 0 takes a free one. PORT, default 3000. */
  readonly port: number;
  /** Port of the bundled broker; 0 takes a free one. BROKER_PORT, default 9092. */
  readonly brokerPort: number;
  /** Where the bundled broker keeps its data. DATA_DIR, default `.data`. */
  readonly dataDir: string;
  /** A cluster that is there already; no broker is started. BOOTSTRAP_SERVERS, default none. */
  readonly bootstrapServers: string | undefined;
}

const PORT_MAX = 65_535;

/** Reads the settings. Throws StartError when one makes no sense. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  return {
    port: readPort(environment, 'PORT', 3000),
    brokerPort: readPort(environment, 'BROKER_PORT', 9092),
    dataDir: environment.DATA_DIR || '.data',
    bootstrapServers: environment.BOOTSTRAP_SERVERS || undefined,
  };
}

function readPort(environment: NodeJS.ProcessEnv, name: string, otherwise: number): number {
  const text = environment[name];
  if (text === undefined || text === '') return otherwise;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= PORT_MAX) return port;
  throw new StartError(`${name} must be a port, a number from 0 to ${PORT_MAX}, and is '${text}'.`);
}
