/**
 * What the demo can be told: by options on the command line, or by environment variables; options win.
 */
import { parseArgs } from 'node:util';
import { StartError } from './start-error.js';

/** Settings of the demo. */
export interface Settings {
  /** HTTP port; 0 takes a free one. --port, PORT, default 3000. */
  readonly port: number;
  /** Port of the bundled broker; 0 takes a free one. --broker-port, BROKER_PORT, default 9092. */
  readonly brokerPort: number;
  /** Where the bundled broker keeps its data. --data-dir, DATA_DIR, default `.data`. */
  readonly dataDir: string;
  /** A cluster that is there already; no broker is started. --bootstrap-servers, BOOTSTRAP_SERVERS, default none. */
  readonly bootstrapServers: string | undefined;
}

/** What `npm start -- --help` prints. */
export const HELP = `npm start [-- options]

  --port <port>                 HTTP port, 0 takes a free one (PORT, default 3000)
  --broker-port <port>          port of the bundled broker, 0 takes a free one (BROKER_PORT, default 9092)
  --data-dir <dir>              where the bundled broker keeps its data (DATA_DIR, default .data)
  --bootstrap-servers <list>    use this Kafka, host:port, and start no broker (BOOTSTRAP_SERVERS)
  --help                        this text
`;

const PORT_MAX = 65_535;
const text = { type: 'string' } as const;
const OPTIONS = { port: text, 'broker-port': text, 'data-dir': text, 'bootstrap-servers': text } as const;

type OptionName = keyof typeof OPTIONS;

/** A value and where it is from, for messages. */
interface Given {
  readonly source: string;
  readonly value: string;
}

/** Whether the user wants {@link HELP} instead of a demo. */
export function wantsHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h');
}

/** Reads the settings. Throws StartError when one makes no sense. */
export function readSettings(environment: NodeJS.ProcessEnv, args: readonly string[] = []): Settings {
  const options = parseOptions(args);
  const given = (name: OptionName): Given | undefined => {
    const variable = name.toUpperCase().replaceAll('-', '_');
    const option = options[name];
    if (option !== undefined) return { source: `--${name}`, value: option };
    const value = environment[variable];
    return value === undefined || value === '' ? undefined : { source: variable, value };
  };
  return {
    port: portOf(given('port')) ?? 3000,
    brokerPort: portOf(given('broker-port')) ?? 9092,
    dataDir: given('data-dir')?.value || '.data',
    bootstrapServers: serversOf(given('bootstrap-servers')),
  };
}

function parseOptions(args: readonly string[]): Partial<Record<OptionName, string>> {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true }).values;
  } catch (error) {
    const [reason] = (error as Error).message.split('. ');
    const known = Object.keys(OPTIONS).map((name) => `--${name}`);
    throw new StartError(`${reason}. The demo takes ${known.join(', ')}: npm start -- --port 3001`);
  }
}

function portOf(given: Given | undefined): number | undefined {
  if (given === undefined) return undefined;
  const { source, value } = given;
  if (/^\d+$/.test(value) && Number(value) <= PORT_MAX) return Number(value);
  throw new StartError(`${source} must be a port, a number from 0 to ${PORT_MAX}, and is '${value}'.`);
}

function serversOf(given: Given | undefined): string | undefined {
  if (given === undefined) return undefined;
  const { source, value } = given;
  const isServer = (server: string) => {
    const port = Number(/^(?:\[[0-9a-f:.%]+\]|[^\s:/,[\]]+):(\d+)$/i.exec(server)?.[1]);
    return port >= 1 && port <= PORT_MAX;
  };
  const servers = value.split(',').map((server) => server.trim());
  if (servers.every(isServer)) return servers.join(',');
  throw new StartError(
    `${source} must be host:port, or several separated by commas, and is '${value}'. For example: localhost:9092`,
  );
}
