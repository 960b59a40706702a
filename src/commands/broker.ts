/**
 * `kt broker`: one broker in the foreground.
 *
 * Prints `broker <id> ready on <host>:<port>` to stdout when clients can connect; logs go to stderr. The first SIGINT or
 * SIGTERM stops it in order (exit code 0), a second one at once. Flags win over --override, that over the file.
 */
import { readFile } from 'node:fs/promises';
import { createBroker, parseProperties, stderrLogger, type Broker, type BrokerOptions } from '@kafka-template/broker';
import type { CommandIo } from '../command-io.js';
import { CommandError, ExitCode } from '../exit-code.js';

/** The flags of the command. */
export interface BrokerCommandOptions {
  readonly override: readonly string[];
  readonly host?: string;
  readonly port?: number;
  readonly dataDir?: string;
  readonly verbose?: boolean;
}

const DEFAULT_PORT = 9092;

/** npm passes a terminal's Ctrl-C on, so one key press comes twice: a repetition within this time is the same one. */
const SAME_KEY_PRESS_MS = 200;

const SIGNAL_NUMBER = { SIGINT: 2, SIGTERM: 15 } as const;

/** Runs until a signal ends it. */
export async function runBroker(io: CommandIo, file: string | null, options: BrokerCommandOptions): Promise<void> {
  const broker = await createBroker(await brokerOptions(file, options));
  const stop = whenStopped();
  io.stdout.write(`broker ${broker.id} ready on ${address(broker)}\n`);
  await stop;
  await broker.close();
}

/** Puts file, overrides and flags together. */
export async function brokerOptions(file: string | null, options: BrokerCommandOptions): Promise<BrokerOptions> {
  const config: Record<string, string> = file === null ? {} : parseProperties(await readProperties(file));
  for (const override of options.override) {
    const [name, value] = split(override);
    config[name] = value;
  }
  return {
    host: options.host,
    port: options.port ?? (config['listeners'] === undefined ? DEFAULT_PORT : undefined),
    dataDir: options.dataDir,
    config,
    logger: stderrLogger({ debug: options.verbose === true }),
  };
}

async function readProperties(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const why = (error as { code?: string }).code === 'ENOENT' ? 'there is no such file' : (error as Error).message;
    throw new CommandError(`Cannot read ${file}: ${why}. Give the path of a server.properties file.`, ExitCode.USAGE);
  }
}

function split(override: string): [name: string, value: string] {
  const at = override.indexOf('=');
  if (at < 1) {
    const message = `--override takes name=value, not '${override}'. For example: --override num.partitions=3`;
    throw new CommandError(message, ExitCode.USAGE);
  }
  return [override.slice(0, at).trim(), override.slice(at + 1).trim()];
}

function address({ host, port }: Broker): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Resolves at the first signal; a later one ends the process. */
function whenStopped(): Promise<void> {
  return new Promise((resolve) => {
    let firstMs: number | null = null;
    const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
      const nowMs = performance.now();
      if (firstMs === null) {
        firstMs = nowMs;
        resolve();
      } else if (nowMs - firstMs > SAME_KEY_PRESS_MS) process.exit(128 + SIGNAL_NUMBER[signal]);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
