/**
 * The options of a consumer, their defaults and their contradictions.
 *
 * Guarantees Kafka's own names (camelCase, unit last) and Kafka's own defaults; everything unknown or contradictory is a
 * KafkaError `CONFIG` that names the option and says what to write instead.
 */
import { configError } from '../errors.js';
import {
  booleanOption,
  choiceOption,
  choicesOption,
  CLIENT_OPTION_TABLE,
  type ClientOptions,
  integerOption,
  optionalStringOption,
  type OptionTable,
  type ResolvedClientOptions,
  resolveClientOptions,
} from '../options.js';

/** Where to begin in a partition without a committed offset, or with one that no longer exists. */
export type AutoOffsetReset = 'earliest' | 'latest' | 'none';

/** Whether records of open and aborted transactions are read. */
export type IsolationLevel = 'read_uncommitted' | 'read_committed';

/** Names of the strategies a group can use. */
export type AssignmentStrategy = 'range' | 'roundrobin' | 'sticky' | 'cooperative-sticky';

/**
 * How a group shares out its partitions: `classic` (the members do it, in rounds) or `consumer` (the coordinator does,
 * member by member; KIP-848, Kafka 4.0 and later).
 */
export type GroupProtocol = 'classic' | 'consumer';

/** Options of {@link createConsumer}, beside those of every client. */
export interface ConsumerOptions extends ClientOptions {
  /** The group. Needed for `subscribe` and for committing; without it only `assign` works, and nothing is committed. */
  groupId?: string;
  /**
   * Where to begin without a committed offset: `earliest`, `latest`, or `none` for an error from `poll`. Default
   * `latest`. Never overrides an offset that is committed and exists.
   * A topic that is deleted and created again while it is read begins at its beginning, with `latest` too (`none`: error).
   */
  autoOffsetReset?: AutoOffsetReset;
  /** Commit the position regularly from `poll`, at revocation and at close. Default true (false without a group). */
  enableAutoCommit?: boolean;
  /** How often to commit automatically. Default 5000. */
  autoCommitIntervalMs?: number;
  /** A member the coordinator has not heard of for this long loses its partitions. Default 45000. */
  sessionTimeoutMs?: number;
  /** How often to tell the coordinator that this member lives; at most a third of the session. Default 3000. */
  heartbeatIntervalMs?: number;
  /** Longest time between two calls of `poll` before this member gives up its partitions. Default 300000. */
  maxPollIntervalMs?: number;
  /** Most records one `poll` returns. Default 500. */
  maxPollRecords?: number;
  /** The broker waits until it has this much, or `fetchMaxWaitMs` have passed. Default 1. */
  fetchMinBytes?: number;
  /** Most bytes of one response, also the bound of what is fetched ahead. Default 52428800. */
  fetchMaxBytes?: number;
  /** How long the broker may wait for `fetchMinBytes`. Default 500. */
  fetchMaxWaitMs?: number;
  /** Most bytes per partition of one response; a larger batch still comes, alone. Default 1048576. */
  maxPartitionFetchBytes?: number;
  /**
   * Strategies this member supports, the preferred one first; the group uses one that all members support. Only with
   * `cooperative-sticky` alone does a member keep its partitions through a rebalance. Default `['range']`.
   */
  partitionAssignmentStrategy?: AssignmentStrategy | readonly AssignmentStrategy[];
  /**
   * `consumer` needs Kafka 4.0 or a broker that serves ConsumerGroupHeartbeat. The broker then decides about
   * `sessionTimeoutMs`, `heartbeatIntervalMs` and the assignment, and these options must not be set. Default `classic`.
   */
  groupProtocol?: GroupProtocol;
  /** With `groupProtocol: 'consumer'`: the broker's assignor, `uniform` or `range`. Default: the broker's first one. */
  groupRemoteAssignor?: string;
  /** A name that outlives restarts: the member that comes back with it within the session keeps its partitions (KIP-345). */
  groupInstanceId?: string;
  /** `read_committed` leaves out records of open and aborted transactions. Default `read_uncommitted`. */
  isolationLevel?: IsolationLevel;
  /**
   * The rack (zone) this consumer is in, as in the brokers' `broker.rack`. Brokers with a `replica.selector.class` then name
   * a replica nearby to read from (KIP-392). Default none: everything is read from leaders.
   */
  clientRack?: string;
  /** Verify the CRC of every batch. Default true. */
  checkCrcs?: boolean;
  /** Let the broker create a subscribed topic that does not exist, if it is set up so. Default true. */
  allowAutoCreateTopics?: boolean;
  /** Limit of calls without one of their own: `commitSync`, `position`, `committed`, `endOffsets` and the like. Default 60000. */
  defaultApiTimeoutMs?: number;
}

/** {@link ConsumerOptions} with every default filled in. */
export interface ResolvedConsumerOptions extends ResolvedClientOptions {
  readonly groupId: string | undefined;
  readonly autoOffsetReset: AutoOffsetReset;
  readonly enableAutoCommit: boolean;
  readonly autoCommitIntervalMs: number;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly maxPollIntervalMs: number;
  readonly maxPollRecords: number;
  readonly fetchMinBytes: number;
  readonly fetchMaxBytes: number;
  readonly fetchMaxWaitMs: number;
  readonly maxPartitionFetchBytes: number;
  readonly partitionAssignmentStrategy: readonly AssignmentStrategy[];
  readonly groupProtocol: GroupProtocol;
  readonly groupRemoteAssignor: string | undefined;
  readonly groupInstanceId: string | undefined;
  readonly isolationLevel: IsolationLevel;
  readonly clientRack: string | undefined;
  readonly checkCrcs: boolean;
  readonly allowAutoCreateTopics: boolean;
  readonly defaultApiTimeoutMs: number;
}

const CONSUMER_OPTION_TABLE: OptionTable<ResolvedConsumerOptions> = {
  ...CLIENT_OPTION_TABLE,
  groupId: optionalStringOption(),
  autoOffsetReset: choiceOption({ default: 'latest', values: ['latest', 'earliest', 'none'] }),
  enableAutoCommit: booleanOption({ default: true }),
  autoCommitIntervalMs: integerOption({ default: 5_000, min: 0 }),
  sessionTimeoutMs: integerOption({ default: 45_000, min: 1 }),
  heartbeatIntervalMs: integerOption({ default: 3_000, min: 1 }),
  maxPollIntervalMs: integerOption({ default: 300_000, min: 1 }),
  maxPollRecords: integerOption({ default: 500, min: 1 }),
  fetchMinBytes: integerOption({ default: 1, min: 0 }),
  fetchMaxBytes: integerOption({ default: 52_428_800, min: 1 }),
  fetchMaxWaitMs: integerOption({ default: 500, min: 0 }),
  maxPartitionFetchBytes: integerOption({ default: 1_048_576, min: 1 }),
  partitionAssignmentStrategy: choicesOption({
    default: ['range'],
    values: ['range', 'roundrobin', 'sticky', 'cooperative-sticky'],
  }),
  groupProtocol: choiceOption<GroupProtocol>({ default: 'classic', values: ['classic', 'consumer'] }),
  groupRemoteAssignor: optionalStringOption(),
  groupInstanceId: optionalStringOption(),
  isolationLevel: choiceOption({ default: 'read_uncommitted', values: ['read_uncommitted', 'read_committed'] }),
  clientRack: optionalStringOption(),
  checkCrcs: booleanOption({ default: true }),
  allowAutoCreateTopics: booleanOption({ default: true }),
  defaultApiTimeoutMs: integerOption({ default: 60_000, min: 1 }),
};

/**
 * Checks the options of a consumer and fills in the defaults.
 *
 * @throws KafkaError CONFIG
 */
export function resolveConsumerOptions(options: ConsumerOptions): ResolvedConsumerOptions {
  const resolved = resolveClientOptions('consumer', CONSUMER_OPTION_TABLE, options);
  if (resolved.heartbeatIntervalMs >= resolved.sessionTimeoutMs) {
    throw configError(
      `Option "heartbeatIntervalMs" (${resolved.heartbeatIntervalMs}) must be lower than "sessionTimeoutMs" ` +
        `(${resolved.sessionTimeoutMs}); a third of it or less leaves room for a lost heartbeat.`,
    );
  }
  checkGroupProtocol(options, resolved);
  if (resolved.groupId !== undefined) return resolved;
  if (options.enableAutoCommit === true) {
    throw configError('Option "enableAutoCommit" needs a "groupId": without a group there is nowhere to commit to.');
  }
  if (resolved.groupInstanceId !== undefined) {
    throw configError('Option "groupInstanceId" needs a "groupId": it names a member of a group.');
  }
  return { ...resolved, enableAutoCommit: false };
}

/** Options that the broker decides about under the consumer protocol. */
const CLASSIC_OPTIONS = ['sessionTimeoutMs', 'heartbeatIntervalMs', 'partitionAssignmentStrategy'] as const;

function checkGroupProtocol(options: ConsumerOptions, resolved: ResolvedConsumerOptions): void {
  if (resolved.groupProtocol === 'classic') {
    if (resolved.groupRemoteAssignor === undefined) return;
    throw configError('Option "groupRemoteAssignor" needs "groupProtocol" to be "consumer".');
  }
  const wrong = CLASSIC_OPTIONS.find((name) => options[name] !== undefined);
  if (wrong === undefined) return;
  throw configError(
    `Option "${wrong}" cannot be set with "groupProtocol" "consumer": the broker decides. Leave it out` +
      (wrong === 'partitionAssignmentStrategy' ? ', or name one of its assignors as "groupRemoteAssignor".' : '.'),
  );
}
