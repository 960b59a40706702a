/**
 * All APIs this library knows, by key.
 *
 * Guarantees that the list is complete and in ascending order (a test compares it with the folder messages/).
 * Leaves out which of them a broker offers: that is the broker's list of handlers.
 */
import { Produce } from './messages/00-produce.js';
import { Fetch } from './messages/01-fetch.js';
import { ListOffsets } from './messages/02-list-offsets.js';
import { Metadata } from './messages/03-metadata.js';
import { OffsetCommit } from './messages/08-offset-commit.js';
import { OffsetFetch } from './messages/09-offset-fetch.js';
import { FindCoordinator } from './messages/10-find-coordinator.js';
import { JoinGroup } from './messages/11-join-group.js';
import { Heartbeat } from './messages/12-heartbeat.js';
import { LeaveGroup } from './messages/13-leave-group.js';
import { SyncGroup } from './messages/14-sync-group.js';
import { DescribeGroups } from './messages/15-describe-groups.js';
import { ListGroups } from './messages/16-list-groups.js';
import { SaslHandshake } from './messages/17-sasl-handshake.js';
import { ApiVersions } from './messages/18-api-versions.js';
import { CreateTopics } from './messages/19-create-topics.js';
import { DeleteTopics } from './messages/20-delete-topics.js';
import { InitProducerId } from './messages/22-init-producer-id.js';
import { DescribeConfigs } from './messages/32-describe-configs.js';
import { CreatePartitions } from './messages/37-create-partitions.js';
import { DeleteGroups } from './messages/42-delete-groups.js';
import { DescribeCluster } from './messages/60-describe-cluster.js';
import { type Api } from './schema.js';

/** Every declared API, by ascending key. */
export const APIS: readonly Api[] = [
  Produce,
  Fetch,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  FindCoordinator,
  JoinGroup,
  Heartbeat,
  LeaveGroup,
  SyncGroup,
  DescribeGroups,
  ListGroups,
  SaslHandshake,
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  InitProducerId,
  DescribeConfigs,
  CreatePartitions,
  DeleteGroups,
  DescribeCluster,
];

const BY_KEY: readonly (Api | undefined)[] = indexByKey();

function indexByKey(): (Api | undefined)[] {
  const byKey: (Api | undefined)[] = [];
  for (const api of APIS) byKey[api.key] = api;
  return byKey;
}

/** The API of a key as it stands in a request header; undefined for a key this library does not know. */
export function apiByKey(key: number): Api | undefined {
  return BY_KEY[key];
}
