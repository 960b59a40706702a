/**
 * The options of a producer: names and defaults are Kafka's.
 *
 * Guarantees that contradictions are an error with code `CONFIG`, with Kafka's own leniency: what the caller did not set
 * gives way to what he did (idempotence to `acks`, the delivery timeout to the request timeout).
 */
import { COMPRESSION_NAMES, type CompressionName } from '@kafka-template/protocol';
import { configError } from '../errors.js';
import {
  CLIENT_OPTION_TABLE,
  type ClientOptions,
  type OptionTable,
  type ResolvedClientOptions,
  booleanOption,
  choiceOption,
  integerOption,
  optionalStringOption,
  resolveClientOptions,
  valueOption,
} from '../options.js';
import type { ProducerInterceptor } from './interceptors.js';
import type { Partitioner } from './partitioner.js';

/** Options of {@link createProducer}. */
export interface ProducerOptions extends ClientOptions {
  /**
   * Who has to store a record before it counts as sent: `'all'` (-1) in-sync replicas, `1` the leader alone, `0` nobody,
   * then errors are never seen. Default `'all'`.
   */
  acks?: 'all' | -1 | 0 | 1;
  /** How long a record may wait for company in its batch. Default 0; even then records of one turn of the event loop are joined. */
  lingerMs?: number;
  /** A batch is sent when it has this many bytes; a larger record makes a batch of its own. Default 16384. */
  batchSize?: number;
  /**
   * Bytes of records in batches: waiting to be sent or acknowledged. As many again may wait, copied, up to `maxBlockMs` for
   * room or for metadata, since `append` cannot block as it does in Java; more than that fail with BUFFER_EXHAUSTED at
   * once. Objects and callbacks come on top. Default 33554432.
   */
  bufferMemory?: number;
  /** How long a record may wait for metadata or memory before it fails. `append` itself never blocks. Default 60000. */
  maxBlockMs?: number;
  /** A record succeeds or fails within this time of having been put into a batch, all retries included. Default 120000. */
  deliveryTimeoutMs?: number;
  /** How often a batch is tried again. Better left alone: `deliveryTimeoutMs` is the useful limit. Default 2147483647. */
  retries?: number;
  /** Requests on their way to one broker at a time. Order is kept with up to 5 if `enableIdempotence`. Default 5. */
  maxInFlightRequestsPerConnection?: number;
  /** No duplicates by retries and no reordering; needs `acks` all, `retries` > 0, at most 5 in flight. Default true. */
  enableIdempotence?: boolean;
  /**
   * Turns transactions on. Two producers with the same id fence each other off, so that of several processes each needs
   * its own, and one that starts again needs the one it had. Default none.
   */
  transactionalId?: string;
  /** The broker aborts a transaction that is open for longer, and fences this producer off. Default 60000. */
  transactionTimeoutMs?: number;
  /** Codec for whole batches: `none`, `gzip`, `snappy`, `lz4` or `zstd`. Default `none`. */
  compressionType?: CompressionName;
  /** Largest request, and largest record, before compression. Default 1048576. */
  maxRequestSize?: number;
  /** Chooses partitions. Default: Kafka's, by the hash of the key, or sticky without one. */
  partitioner?: Partitioner;
  /** See and change records before they are encoded, and see their outcomes; in this order. Default none. */
  interceptors?: readonly ProducerInterceptor[];
}

/** {@link ProducerOptions} with every default filled in. */
export interface ResolvedProducerOptions extends ResolvedClientOptions {
  readonly acks: -1 | 0 | 1;
  readonly lingerMs: number;
  readonly batchSize: number;
  readonly bufferMemory: number;
  readonly maxBlockMs: number;
  readonly deliveryTimeoutMs: number;
  readonly retries: number;
  readonly maxInFlightRequestsPerConnection: number;
  readonly enableIdempotence: boolean;
  /** Undefined without transactions. */
  readonly transactionalId: string | undefined;
  readonly transactionTimeoutMs: number;
  readonly compressionType: CompressionName;
  readonly maxRequestSize: number;
  /** Null for the built-in one. */
  readonly partitioner: Partitioner | null;
  readonly interceptors: readonly ProducerInterceptor[];
}

type ParsedProducerOptions = Omit<ResolvedProducerOptions, 'acks'> & { readonly acks: 'all' | -1 | 0 | 1 };

const PRODUCER_OPTION_TABLE: OptionTable<ParsedProducerOptions> = {
  ...CLIENT_OPTION_TABLE,
  acks: choiceOption({ default: 'all', values: ['all', -1, 0, 1] }),
  lingerMs: integerOption({ default: 0, min: 0 }),
  batchSize: integerOption({ default: 16_384, min: 0 }),
  bufferMemory: integerOption({ default: 33_554_432, min: 1, max: Number.MAX_SAFE_INTEGER }),
  maxBlockMs: integerOption({ default: 60_000, min: 0 }),
  deliveryTimeoutMs: integerOption({ default: 120_000, min: 0 }),
  retries: integerOption({ default: 2_147_483_647, min: 0 }),
  maxInFlightRequestsPerConnection: integerOption({ default: 5, min: 1 }),
  enableIdempotence: booleanOption({ default: true }),
  transactionalId: optionalStringOption(),
  transactionTimeoutMs: integerOption({ default: 60_000, min: 1 }),
  compressionType: choiceOption<CompressionName>({ default: 'none', values: COMPRESSION_NAMES }),
  maxRequestSize: integerOption({ default: 1_048_576, min: 1 }),
  partitioner: valueOption<Partitioner | null>({
    default: null,
    wanted: 'an object with the method partition',
    accepts: (value) =>
      value !== null && typeof value === 'object' && typeof (value as { partition?: unknown }).partition === 'function',
  }),
  interceptors: valueOption<readonly ProducerInterceptor[]>({
    default: [],
    wanted: 'an array of objects with the methods onSend, onAcknowledgement or close',
    accepts: (value) => Array.isArray(value) && value.every((each) => each !== null && typeof each === 'object'),
  }),
};

const IN_FLIGHT_MAX_WITH_IDEMPOTENCE = 5;

/** Checks the options and fills in the defaults. @throws KafkaError CONFIG */
export function resolveProducerOptions(options: ProducerOptions): ResolvedProducerOptions {
  const parsed = resolveClientOptions('producer', PRODUCER_OPTION_TABLE, options);
  const acks = parsed.acks === 'all' ? -1 : parsed.acks;
  const resolved = { ...parsed, acks };
  return {
    ...resolved,
    enableIdempotence: resolveIdempotence(resolved, options.enableIdempotence === true),
    deliveryTimeoutMs: resolveDeliveryTimeout(resolved, options.deliveryTimeoutMs !== undefined),
  };
}

/** On by default, silently off where another option rules it out, an error where it was asked for by name. */
function resolveIdempotence(options: ResolvedProducerOptions, isExplicit: boolean): boolean {
  const isTransactional = options.transactionalId !== undefined;
  if (!options.enableIdempotence) {
    if (!isTransactional) return false;
    throw configError('Option "transactionalId" needs "enableIdempotence" to be true. Change one of them.');
  }
  const obstacle = idempotenceObstacle(options);
  if (obstacle === null) return true;
  if (isTransactional) throw configError(`Option "transactionalId" ${obstacle} Change one of them.`);
  if (isExplicit)
    throw configError(`Option "enableIdempotence" ${obstacle} Change it, or set enableIdempotence to false.`);
  return false;
}

function idempotenceObstacle(options: ResolvedProducerOptions): string | null {
  const inFlight = options.maxInFlightRequestsPerConnection;
  if (options.acks !== -1) return `needs "acks" to be "all", not ${options.acks}.`;
  if (options.retries === 0) return 'needs "retries" to be greater than 0.';
  if (inFlight <= IN_FLIGHT_MAX_WITH_IDEMPOTENCE) return null;
  return `needs "maxInFlightRequestsPerConnection" to be at most ${IN_FLIGHT_MAX_WITH_IDEMPOTENCE}, not ${inFlight}.`;
}

/** Must leave room for one attempt; the default is raised to it, an explicit value that does not is an error. */
function resolveDeliveryTimeout(options: ResolvedProducerOptions, isExplicit: boolean): number {
  const least = Math.min(options.lingerMs + options.requestTimeoutMs, 2147483647);
  if (options.deliveryTimeoutMs >= least) return options.deliveryTimeoutMs;
  if (!isExplicit) return least;
  throw configError(
    `Option "deliveryTimeoutMs" must be at least "lingerMs" + "requestTimeoutMs" (${least}), not ${options.deliveryTimeoutMs}.`,
  );
}
