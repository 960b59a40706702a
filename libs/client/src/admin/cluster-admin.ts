/**
 * The cluster itself: features, the metadata quorum, what has a configuration, delegation tokens.
 */
import {
  ApiVersions,
  CreateDelegationToken,
  DescribeDelegationToken,
  DescribeQuorum,
  type DescribeQuorumResponse,
  ErrorCode,
  ExpireDelegationToken,
  ListConfigResources,
  RenewDelegationToken,
  UpdateFeatures,
} from '@kafka-template/protocol';
import { brokerError } from '../errors.js';
import type { AdminCallOptions, AdminContext, ItemOutcome } from './admin-context.js';
import { adminRequest, brokerTimeoutMs, check, errorOf } from './admin-request.js';
import { CONFIG_TYPE_NUMBERS, type ConfigResource, type ConfigResourceType } from './config-admin.js';

/** A feature: what the cluster has switched on, and what the broker asked could do. */
export interface Feature {
  readonly name: string;
  /** 0 while it is off. */
  readonly level: number;
  readonly minSupported: number;
  readonly maxSupported: number;
}

/** A feature to be switched. */
export interface FeatureUpdate {
  readonly name: string;
  /** 0 switches it off. */
  readonly level: number;
  /** Default `upgrade`; the others go down, `unsafe-downgrade` also where metadata is lost. */
  readonly type?: 'upgrade' | 'safe-downgrade' | 'unsafe-downgrade';
}

/** What became of it. */
export interface FeatureOutcome extends ItemOutcome {
  readonly name: string;
}

/** A node of the metadata quorum. */
export interface QuorumReplica {
  readonly nodeId: number;
  readonly logEndOffset: number;
  /** Milliseconds since the epoch, -1 when unknown. */
  readonly lastFetchTimestamp: number;
  readonly lastCaughtUpTimestamp: number;
}

/** The metadata quorum (KRaft). */
export interface QuorumDescription {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly highWatermark: number;
  readonly voters: readonly QuorumReplica[];
  readonly observers: readonly QuorumReplica[];
}

/** A delegation token. */
export interface DelegationToken {
  readonly tokenId: string;
  /** The secret. */
  readonly hmac: Buffer;
  /** `User:alice`. */
  readonly owner: string;
  /** Milliseconds since the epoch. */
  readonly issueTimestamp: number;
  readonly expiryTimestamp: number;
  readonly maxTimestamp: number;
  readonly renewers: readonly string[];
}

const UPGRADE_TYPES = { upgrade: 1, 'safe-downgrade': 2, 'unsafe-downgrade': 3 } as const;
const METADATA_TOPIC = '__cluster_metadata';
const FEATURES_VERSION = 3;

/** The cluster. */
export class ClusterAdmin {
  constructor(private readonly context: AdminContext) {}

  /** The features of the cluster (Kafka 2.7 and later), sorted by name. */
  describeFeatures(options: AdminCallOptions = {}): Promise<Feature[]> {
    const what = 'Describing features';
    return adminRequest(this.context, {
      what,
      target: 'any',
      api: ApiVersions,
      options,
      minVersion: FEATURES_VERSION,
      body: { clientSoftwareName: 'kafka-template', clientSoftwareVersion: 'admin' },
      read: ({ errorCode, supportedFeatures, finalizedFeatures }) => {
        check(errorCode, what);
        return supportedFeatures
          .map(({ name, minVersion, maxVersion }) => ({
            name,
            level: finalizedFeatures.find((each) => each.name === name)?.maxVersionLevel ?? 0,
            minSupported: minVersion,
            maxSupported: maxVersion,
          }))
          .sort((one, other) => (one.name < other.name ? -1 : 1));
      },
    });
  }

  /** Switches features; all or none. */
  updateFeatures(
    updates: readonly FeatureUpdate[],
    options: AdminCallOptions & { readonly validateOnly?: boolean } = {},
  ): Promise<FeatureOutcome[]> {
    const what = 'Updating features';
    const timeoutMs = brokerTimeoutMs(this.context, options);
    const validateOnly = options.validateOnly ?? false;
    return adminRequest(this.context, {
      what,
      target: 'controller',
      api: UpdateFeatures,
      options,
      minVersion: 1,
      body: {
        timeoutMs,
        validateOnly,
        featureUpdates: updates.map(({ name, level, type = 'upgrade' }) => ({
          feature: name,
          maxVersionLevel: level,
          upgradeType: UPGRADE_TYPES[type],
        })),
      },
      read: ({ errorCode, errorMessage, results }) =>
        updates.map(({ name }) => {
          const own = results.find(({ feature }) => feature === name);
          const code = errorCode === ErrorCode.NONE ? (own?.errorCode ?? ErrorCode.NONE) : errorCode;
          return { name, error: errorOf(code, `${what}: ${name}`, own?.errorMessage ?? errorMessage) };
        }),
    });
  }

  /** The metadata quorum of a KRaft cluster. @throws KafkaError */
  describeMetadataQuorum(options: AdminCallOptions = {}): Promise<QuorumDescription> {
    const what = 'Describing the metadata quorum';
    return adminRequest(this.context, {
      what,
      target: 'any',
      api: DescribeQuorum,
      options,
      body: { topics: [{ topicName: METADATA_TOPIC, partitions: [{ partitionIndex: 0 }] }] },
      read: ({ errorCode, errorMessage, topics }) => {
        check(errorCode, what, errorMessage);
        const quorum = topics[0]?.partitions[0];
        if (quorum === undefined) throw brokerError(ErrorCode.UNKNOWN_SERVER_ERROR, what, 'the answer leaves it out.');
        check(quorum.errorCode, what, quorum.errorMessage);
        const { leaderId, leaderEpoch, highWatermark, currentVoters, observers } = quorum;
        return {
          leaderId,
          leaderEpoch,
          highWatermark,
          voters: currentVoters.map(toReplica),
          observers: observers.map(toReplica),
        };
      },
    });
  }

  /** Everything that has a configuration of its own, of these types (default: of all; Kafka 4.1 and later). */
  listConfigResources(
    types: readonly ConfigResourceType[] = [],
    options: AdminCallOptions = {},
  ): Promise<ConfigResource[]> {
    const what = 'Listing config resources';
    return adminRequest(this.context, {
      what,
      target: 'any',
      api: ListConfigResources,
      options,
      minVersion: 1,
      body: { resourceTypes: types.map((type) => CONFIG_TYPE_NUMBERS[type]) },
      read: ({ errorCode, configResources }) => {
        check(errorCode, what);
        return configResources.flatMap(({ resourceName: name, resourceType }) =>
          Object.entries(CONFIG_TYPE_NUMBERS)
            .filter(([, number]) => number === resourceType)
            .map(([type]) => ({ type: type as ConfigResourceType, name })),
        );
      },
    });
  }

  /** A new delegation token for the user of this client. @throws KafkaError DELEGATION_TOKEN_REQUEST_NOT_ALLOWED … */
  createDelegationToken(
    options: AdminCallOptions & { readonly renewers?: readonly string[]; readonly maxLifetimeMs?: number } = {},
  ): Promise<DelegationToken> {
    const what = 'Creating a delegation token';
    const renewers = options.renewers ?? [];
    return adminRequest(this.context, {
      what,
      target: 'controller',
      api: CreateDelegationToken,
      options,
      body: (version) => ({
        ...(version >= 3 ? { ownerPrincipalType: null, ownerPrincipalName: null } : {}),
        renewers: renewers.map(toPrincipal),
        maxLifetimeMs: options.maxLifetimeMs ?? -1,
      }),
      read: ({ errorCode, tokenId, hmac, principalType, principalName, ...times }) => {
        check(errorCode, what);
        return {
          tokenId,
          hmac,
          owner: `${principalType}:${principalName}`,
          issueTimestamp: times.issueTimestampMs,
          expiryTimestamp: times.expiryTimestampMs,
          maxTimestamp: times.maxTimestampMs,
          renewers,
        };
      },
    });
  }

  /** Renews a token; resolves with its new end. @throws KafkaError */
  renewDelegationToken(
    hmac: Buffer,
    options: AdminCallOptions & { readonly renewPeriodMs?: number } = {},
  ): Promise<number> {
    const what = 'Renewing a delegation token';
    return adminRequest(this.context, {
      what,
      target: 'controller',
      api: RenewDelegationToken,
      options,
      body: { hmac, renewPeriodMs: options.renewPeriodMs ?? -1 },
      read: ({ errorCode, expiryTimestampMs }) => {
        check(errorCode, what);
        return expiryTimestampMs;
      },
    });
  }

  /** Ends a token, at once or after a time; resolves with its end. @throws KafkaError */
  expireDelegationToken(hmac: Buffer, options: AdminCallOptions & { readonly afterMs?: number } = {}): Promise<number> {
    const what = 'Ending a delegation token';
    return adminRequest(this.context, {
      what,
      target: 'controller',
      api: ExpireDelegationToken,
      options,
      body: { hmac, expiryTimePeriodMs: options.afterMs ?? -1 },
      read: ({ errorCode, expiryTimestampMs }) => {
        check(errorCode, what);
        return expiryTimestampMs;
      },
    });
  }

  /** The tokens of these owners (`User:alice`), or all that may be seen. @throws KafkaError */
  describeDelegationTokens(
    owners: readonly string[] | null = null,
    options: AdminCallOptions = {},
  ): Promise<DelegationToken[]> {
    const what = 'Describing delegation tokens';
    return adminRequest(this.context, {
      what,
      target: 'any',
      api: DescribeDelegationToken,
      options,
      body: { owners: owners && owners.map(toPrincipal) },
      read: ({ errorCode, tokens }) => {
        check(errorCode, what);
        return tokens.map(({ principalType, principalName, renewers, ...each }) => ({
          tokenId: each.tokenId,
          hmac: each.hmac,
          owner: `${principalType}:${principalName}`,
          issueTimestamp: each.issueTimestamp,
          expiryTimestamp: each.expiryTimestamp,
          maxTimestamp: each.maxTimestamp,
          renewers: renewers.map((renewer) => `${renewer.principalType}:${renewer.principalName}`),
        }));
      },
    });
  }
}

type ResponseReplica = DescribeQuorumResponse['topics'][number]['partitions'][number]['currentVoters'][number];

function toReplica(replica: ResponseReplica): QuorumReplica {
  const { replicaId: nodeId, logEndOffset, lastFetchTimestamp, lastCaughtUpTimestamp } = replica;
  return { nodeId, logEndOffset, lastFetchTimestamp, lastCaughtUpTimestamp };
}

function toPrincipal(text: string): { principalType: string; principalName: string } {
  const colon = text.indexOf(':');
  return { principalType: text.slice(0, colon), principalName: text.slice(colon + 1) };
}
