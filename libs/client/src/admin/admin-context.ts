/**
 * What all parts of an admin client share, and how they retry.
 *
 * Guarantees: what the cluster is only busy with (an election, a coordinator that loads) and lost connections are tried
 * again with back-off until the time is over, item by item; every other error of an item is the answer for that item.
 */
import { asKafkaError, ClientErrorCode, KafkaError, timeoutError } from '../errors.js';
import { delay } from '../io/clock.js';
import type { ClientIo } from '../io/io.js';
import { backoffMs } from '../network/backoff.js';
import type { Cluster } from '../network/cluster.js';
import type { ResolvedAdminOptions } from './admin-options.js';

/** Handed to every part of an admin client. */
export interface AdminContext {
  readonly options: ResolvedAdminOptions;
  readonly cluster: Pick<Cluster, 'request' | 'coordinator' | 'invalidateCoordinator' | 'metadata' | 'close'>;
  readonly io: ClientIo;
}

/** Options of every call. */
export interface AdminCallOptions {
  /** Limit of the call, retries included. Default: `defaultApiTimeoutMs`. */
  readonly timeoutMs?: number;
}

/** What became of one item of a call. */
export interface ItemOutcome {
  /** Null when it was done. */
  readonly error: KafkaError | null;
}

/** Errors that pass by themselves and do not say anything about the item. */
const RETRIED_CODES: ReadonlySet<string> = new Set([
  'NOT_CONTROLLER',
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'THROTTLING_QUOTA_EXCEEDED',
  'BROKER_NOT_AVAILABLE',
  'CONCURRENT_TRANSACTIONS',
  ClientErrorCode.NETWORK,
  ClientErrorCode.TIMEOUT,
]);

/** Whether an error calls for another try. */
export function isRetried(error: KafkaError | null): boolean {
  return error !== null && RETRIED_CODES.has(error.code);
}

/** The limit of a call. */
export function callTimeoutMs(context: AdminContext, options: AdminCallOptions): number {
  return options.timeoutMs ?? context.options.defaultApiTimeoutMs;
}

/** Refreshes the metadata after NOT_CONTROLLER and the like, and pauses. False when the time would be over. */
async function pauseBeforeRetry(context: AdminContext, failures: number, deadlineMs: number): Promise<boolean> {
  const { clock, random } = context.io;
  const { retryBackoffMs, retryBackoffMaxMs } = context.options;
  const pauseMs = backoffMs({ initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs }, failures, random);
  if (clock.monotonic() + pauseMs >= deadlineMs) return false;
  context.cluster.metadata.requestUpdate();
  await delay(clock, pauseMs);
  return true;
}

/**
 * Calls `attempt` until it works or fails for good.
 *
 * @param what completes "… failed": `Listing topics`
 * @throws KafkaError what will not pass, or TIMEOUT with the last reason
 */
export async function retried<T>(
  context: AdminContext,
  what: string,
  timeoutMs: number,
  attempt: (leftMs: number) => Promise<T>,
): Promise<T> {
  const { clock } = context.io;
  const deadlineMs = clock.monotonic() + timeoutMs;
  for (let failures = 1; ; failures++) {
    try {
      return await attempt(Math.max(1, Math.ceil(deadlineMs - clock.monotonic())));
    } catch (thrown) {
      const error = asKafkaError(thrown, ClientErrorCode.PROTOCOL, `${what} failed`);
      if (!isRetried(error)) throw error;
      if (await pauseBeforeRetry(context, failures, deadlineMs)) continue;
      throw timeoutError(`${what} did not succeed within ${timeoutMs} ms. Last reason: ${error.message}`, error);
    }
  }
}

/**
 * Asks for the outcome of several items, and again for those that met an error which passes.
 *
 * @param ask answers with one outcome per item, in their order
 * @returns one outcome per item, in their order
 * @throws KafkaError when the call as a whole fails for good
 */
export async function retriedItems<Item, Outcome extends ItemOutcome>(
  context: AdminContext,
  call: {
    readonly what: string;
    readonly timeoutMs: number;
    readonly items: readonly Item[];
    ask(items: readonly Item[], leftMs: number): Promise<readonly Outcome[]>;
  },
): Promise<Outcome[]> {
  const { clock } = context.io;
  const deadlineMs = clock.monotonic() + call.timeoutMs;
  const outcomes = new Array<Outcome | undefined>(call.items.length).fill(undefined);
  let open = call.items.map((_, index) => index);
  for (let failures = 1; open.length > 0; failures++) {
    const asked = open.map((index) => call.items[index] as Item);
    const leftMs = Math.max(1, Math.ceil(deadlineMs - clock.monotonic()));
    const answers = await retried(context, call.what, leftMs, (left) => call.ask(asked, left));
    const again: number[] = [];
    open.forEach((index, position) => {
      const outcome = answers[position];
      outcomes[index] = outcome;
      if (outcome !== undefined && isRetried(outcome.error)) again.push(index);
    });
    if (again.length > 0 && !(await pauseBeforeRetry(context, failures, deadlineMs))) break;
    open = again;
  }
  return outcomes.map((outcome) => {
    if (outcome !== undefined) return outcome;
    throw new KafkaError(
      ClientErrorCode.PROTOCOL,
      `${call.what} failed: the answer leaves out an item that was asked for.`,
    );
  });
}
