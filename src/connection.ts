/**
 * What every command that talks to a broker shares: where the broker is, how long to wait, and whether it is there at all.
 */
import { connect } from 'node:net';
import type { Admin, ClientOptions } from '@kafka-template/client';
import { CommandError, ExitCode } from './exit-code.js';
import type { OutputFormat } from './output.js';

/** The flags of such a command. */
export interface ConnectionFlags {
  readonly bootstrapServers: string;
  /** Milliseconds. */
  readonly timeout: number;
}

/** {@link ConnectionFlags} of a command that prints rows. */
export interface RowFlags extends ConnectionFlags {
  readonly output: OutputFormat;
}

/** Where a broker is looked for when nobody says. */
export const DEFAULT_BOOTSTRAP_SERVERS = '127.0.0.1:9092';

/** How long a command tries, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 10_000;

const CLIENT_ID = 'kt';
const PORT_MAX = 65_535;

/** Where one broker is. */
interface Server {
  readonly host: string;
  readonly port: number;
}

/** Client options for the flags, after making sure that somebody listens there. */
export async function clientOptions(flags: ConnectionFlags): Promise<ClientOptions> {
  await probe(flags);
  return { bootstrapServers: flags.bootstrapServers, clientId: CLIENT_ID };
}

/** Runs `work` with an admin client and closes it. */
export async function withAdmin<T>(flags: ConnectionFlags, work: (admin: Admin) => Promise<T>): Promise<T> {
  const options = await clientOptions(flags);
  const { createAdmin } = await import('@kafka-template/client');
  const admin = createAdmin({ ...options, defaultApiTimeoutMs: flags.timeout });
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}

/** A client would go on trying until its time is over; a person wants to know at once. */
async function probe({ bootstrapServers, timeout }: ConnectionFlags): Promise<void> {
  const servers = bootstrapServers.split(',').map(serverOf);
  const failures: string[] = [];
  const attempts = servers.map((server) =>
    reach(server, timeout).catch((error: Error) => failures.push(error.message)),
  );
  const reached = await Promise.all(attempts.map((attempt) => attempt.then((result) => result === undefined)));
  if (reached.includes(true)) return;
  throw new CommandError(
    `No broker answers at ${bootstrapServers} (${failures.join('; ')}). ` +
      'Start one with `kt broker`, or say where it is with --bootstrap-servers host:port.',
    ExitCode.UNREACHABLE,
  );
}

/** Kafka has no default port, and neither has the client. */
function serverOf(text: string): Server {
  const server = text.trim();
  const match = /^\[?([^\]]+?)\]?:(\d+)$/.exec(server);
  const port = Number(match?.[2]);
  if (match?.[1] !== undefined && port >= 1 && port <= PORT_MAX) return { host: match[1], port };
  const problem = /:\d+$/.test(server) || server === '' ? 'is none' : 'has no port';
  throw new CommandError(
    `--bootstrap-servers takes host:port, and '${server}' ${problem}. For example: localhost:9092`,
    ExitCode.USAGE,
  );
}

function reach({ host, port }: Server, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const fail = (reason: string): void => {
      socket.destroy();
      reject(new Error(reason));
    };
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', (error: Error & { code?: string }) => fail(error.code ?? error.message));
    socket.once('timeout', () => fail(`no answer in ${timeoutMs} ms`));
  });
}
