/**
 * The options of a share consumer.
 *
 * Guarantees the names and defaults of Kafka's own share consumer (KIP-932, KIP-1206). What a group does with records (how
 * long a lock lasts, where it begins, how often it is given a record) is set for the group at the broker.
 */
import {
  booleanOption,
  choiceOption,
  CLIENT_OPTION_TABLE,
  type ClientOptions,
  integerOption,
  optionalStringOption,
  type OptionTable,
  resolveClientOptions,
  type ResolvedClientOptions,
  stringOption,
} from '../options.js';

/** Who says that a record was dealt with: the next `poll` or commit for all of them, or the application for each. */
export type ShareAcknowledgementMode = 'implicit' | 'explicit';

/** Whether `poll` may give more than `maxPollRecords`, so that batches stay whole, or never. */
export type ShareAcquireMode = 'batch_optimized' | 'record_limit';

/** Options of {@link createShareConsumer}. */
export interface ShareConsumerOptions extends ClientOptions {
  /** The share group. Required. */
  groupId: string;
  /** `implicit` (default): what `poll` gave is accepted by the next `poll` or commit. `explicit`: `acknowledge` each record. */
  shareAcknowledgementMode?: ShareAcknowledgementMode;
  /** `batch_optimized` (default) or `record_limit` (Kafka 4.2 and later). */
  shareAcquireMode?: ShareAcquireMode;
  /** How many records one `poll` aims at. Default 500. */
  maxPollRecords?: number;
  /** The member leaves its group when `poll` was not called for so long. Default 300000. */
  maxPollIntervalMs?: number;
  /** Bytes a broker waits for before it answers. Default 1. */
  fetchMinBytes?: number;
  /** Bytes of one answer. Default 52428800. */
  fetchMaxBytes?: number;
  /** How long a broker waits for records. Default 500. */
  fetchMaxWaitMs?: number;
  /** Where this client is, for the broker's choices. */
  clientRack?: string;
  /** Whether the check sums of batches are checked. Default true. */
  checkCrcs?: boolean;
  /** Limit of calls without one of their own. Default 60000. */
  defaultApiTimeoutMs?: number;
}

/** {@link ShareConsumerOptions} with every default filled in. */
export interface ResolvedShareConsumerOptions extends ResolvedClientOptions {
  readonly groupId: string;
  readonly shareAcknowledgementMode: ShareAcknowledgementMode;
  readonly shareAcquireMode: ShareAcquireMode;
  readonly maxPollRecords: number;
  readonly maxPollIntervalMs: number;
  readonly fetchMinBytes: number;
  readonly fetchMaxBytes: number;
  readonly fetchMaxWaitMs: number;
  readonly clientRack: string | undefined;
  readonly checkCrcs: boolean;
  readonly defaultApiTimeoutMs: number;
}

const SHARE_CONSUMER_OPTION_TABLE: OptionTable<ResolvedShareConsumerOptions> = {
  ...CLIENT_OPTION_TABLE,
  groupId: stringOption({}),
  shareAcknowledgementMode: choiceOption({ default: 'implicit', values: ['implicit', 'explicit'] }),
  shareAcquireMode: choiceOption({ default: 'batch_optimized', values: ['batch_optimized', 'record_limit'] }),
  maxPollRecords: integerOption({ default: 500, min: 1 }),
  maxPollIntervalMs: integerOption({ default: 300_000, min: 1 }),
  fetchMinBytes: integerOption({ default: 1, min: 0 }),
  fetchMaxBytes: integerOption({ default: 52_428_800, min: 1 }),
  fetchMaxWaitMs: integerOption({ default: 500, min: 0 }),
  clientRack: optionalStringOption(),
  checkCrcs: booleanOption({ default: true }),
  defaultApiTimeoutMs: integerOption({ default: 60_000, min: 1 }),
};

/**
 * Checks the options of a share consumer and fills in the defaults.
 *
 * @throws KafkaError CONFIG
 */
export function resolveShareConsumerOptions(options: ShareConsumerOptions): ResolvedShareConsumerOptions {
  return resolveClientOptions('share consumer', SHARE_CONSUMER_OPTION_TABLE, options);
}
