/**
 * One request as one admin call: target, time limits, retries and the error of the answer as a whole.
 *
 * Guarantees what admin-context.ts does; makes a call as small as its body and the reading of its answer.
 */
import { type Api, ErrorCode, type ResponseOf } from '@kafka-template/protocol';
import { brokerError, type KafkaError } from '../errors.js';
import type { CoordinatorType } from '../network/coordinator-cache.js';
import type { SendTarget } from '../network/cluster.js';
import type { RequestBody } from '../network/request.js';
import { type AdminCallOptions, type AdminContext, callTimeoutMs, isRetried, retried } from './admin-context.js';

/** One call. */
export interface AdminRequest<A extends Api, Result> {
  /** Completes "… failed": `Listing topics`. */
  readonly what: string;
  readonly target: SendTarget;
  readonly api: A;
  readonly body: RequestBody<A>;
  readonly options: AdminCallOptions;
  readonly minVersion?: number;
  /** Reads the answer; throws what is wrong with it as a whole. */
  read(response: ResponseOf<A>): Result;
}

/** How long the broker may take: less than the client waits, so that the answer still arrives. */
export function brokerTimeoutMs(context: AdminContext, options: AdminCallOptions): number {
  const timeoutMs = Math.min(callTimeoutMs(context, options), context.options.requestTimeoutMs);
  return Math.max(1, Math.floor(timeoutMs * 0.9));
}

/** Makes the call. @throws KafkaError */
export function adminRequest<A extends Api, Result>(
  context: AdminContext,
  request: AdminRequest<A, Result>,
): Promise<Result> {
  const { what, target, api, body, options, minVersion = 0 } = request;
  return retried(context, what, callTimeoutMs(context, options), async (leftMs) => {
    const timeoutMs = Math.min(leftMs, context.options.requestTimeoutMs);
    return request.read(await context.cluster.request(target, api, body, { timeoutMs, minVersion }));
  });
}

/** The same call to every broker of the cluster; the results by broker id. @throws KafkaError when one of them fails */
export async function everyBroker<Result>(
  context: AdminContext,
  what: string,
  options: AdminCallOptions,
  ask: (brokerId: number) => Promise<Result>,
): Promise<Map<number, Result>> {
  const { metadata } = context.cluster;
  await retried(context, what, callTimeoutMs(context, options), () => metadata.refresh());
  const ids = [...metadata.brokers.keys()];
  const results = await Promise.all(ids.map(ask));
  return new Map(ids.map((id, index) => [id, results[index] as Result]));
}

/** A call to a coordinator, which is looked up again when it has moved. @throws KafkaError */
export function atCoordinator<A extends Api, Result>(
  context: AdminContext,
  coordinator: { readonly type: CoordinatorType; readonly key: string },
  request: Omit<AdminRequest<A, Result>, 'target'>,
): Promise<Result> {
  const { cluster } = context;
  const { what, api, body, options, minVersion = 0 } = request;
  return retried(context, what, callTimeoutMs(context, options), async (leftMs) => {
    const timeoutMs = Math.min(leftMs, context.options.requestTimeoutMs);
    try {
      const nodeId = await cluster.coordinator(coordinator.type, coordinator.key, timeoutMs);
      return request.read(await cluster.request(nodeId, api, body, { timeoutMs, minVersion }));
    } catch (error) {
      if (isRetried(error as KafkaError)) cluster.invalidateCoordinator(coordinator.type, coordinator.key);
      throw error;
    }
  });
}

/** Throws the error of a code, unless it is none. */
export function check(errorCode: number, what: string, errorMessage?: string | null): void {
  if (errorCode !== ErrorCode.NONE) throw brokerError(errorCode, what, errorMessage);
}

/** The error of a code, or null. */
export function errorOf(errorCode: number, what: string, errorMessage?: string | null): KafkaError | null {
  return errorCode === ErrorCode.NONE ? null : brokerError(errorCode, what, errorMessage);
}

/** Runs a call per item and makes its rejection the item's outcome. */
export function outcomes<Item, Outcome>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Outcome>,
  failed: (item: Item, error: KafkaError) => Outcome,
): Promise<Outcome[]> {
  return Promise.all(items.map((item) => ask(item).catch((error: KafkaError) => failed(item, error))));
}
