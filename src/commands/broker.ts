/**
 * `kt broker`: one broker in the foreground.
 *
 * Prints `broker <id> ready on <host>:<port>` to stdout when clients can connect; logs go to stderr. The first SIGINT,
 * SIGTERM or SIGHUP stops it in order (exit code 0), a second one at once. Nobody needs to read what it prints. Flags win over --override, that over the file.
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
  readonly adopt?: boolean;
  readonly verbose?: boolean;
}

const DEFAULT_PORT = 9092;

/**
 * A terminal sends Ctrl-C to npm and to us, and npm passes it on: under npm one key press comes twice, and a repetition of
 * SIGINT within this time is the same one. Without npm every signal counts.
 */
const SAME_KEY_PRESS_MS = 200;

const SIGNAL_NUMBER = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** Runs until a signal ends it. */
export async function runBroker(io: CommandIo, file: string | null, options: BrokerCommandOptions): Promise<void> {
  // A pipe that nobody reads any more is no reason to stop serving.
  io.stdout.on('error', () => undefined);
  io.stderr.on('error', () => undefined);
  const resolved = await brokerOptions(file, options);
  const stop = whenStopped({
    isUnderNpm: process.env['npm_execpath'] !== undefined,
    exit: (code) => process.exit(code),
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop.onSignal(signal, performance.now()));
  }
  const broker = await createBroker(resolved);
  io.stdout.write(`broker ${broker.id} ready on ${address(broker)}\n`);
  await stop.first;
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
    ...(options.adopt === true ? { adopt: true } : {}),
    config,
    logger: stderrLogger({ debug: options.verbose === true }),
  };
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'this user may not read it',
};

async function readProperties(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const why = UNREADABLE[(error as { code?: string }).code ?? ''] ?? (error as Error).message;
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

/** A signal that ends the broker. */
type EndSignal = keyof typeof SIGNAL_NUMBER;

/** What {@link whenStopped} looks at and does besides. */
export interface StopOptions {
  readonly isUnderNpm: boolean;
  readonly exit: (code: number) => void;
}

/** `first` resolves at the first signal; each later one ends the process with the exit code of that signal. */
export function whenStopped({ isUnderNpm, exit }: StopOptions): {
  readonly first: Promise<void>;
  onSignal(signal: EndSignal, nowMs: number): void;
} {
  let firstMs: number | null = null;
  let resolveFirst = (): void => undefined;
  const first = new Promise<void>((resolve) => (resolveFirst = resolve));
  return {
    first,
    onSignal(signal, nowMs) {
      if (firstMs === null) {
        firstMs = nowMs;
        resolveFirst();
        return;
      }
      const isSameKeyPress = isUnderNpm && signal === 'SIGINT' && nowMs - firstMs <= SAME_KEY_PRESS_MS;
      if (!isSameKeyPress) exit(128 + SIGNAL_NUMBER[signal]);
    },
  };
}
