/**
 * ApiVersions: v0–v4.
 *
 * Tells which APIs and versions this broker serves. From v3 on the client names itself; a name outside KIP-511's pattern
 * is refused. The finalized features tell clients that there are groups of the new protocol (KIP-848) and transactions of
 * version 2 (KIP-890). The APIs of such groups are left out where `group.coordinator.rebalance.protocols` leaves them
 * out: clients then know before they join.
 */
import { ApiVersions, ConsumerGroupDescribe, ConsumerGroupHeartbeat, ErrorCode } from '@kafka-template/protocol';
import type { RequestContext } from '../context.js';
import { featuresAt } from '../features.js';
import { handler } from '../handler.js';

const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;
const NAMED_SINCE_VERSION = 3;

/** See the head of this file. */
export const apiVersions = handler(ApiVersions, { versions: [0, 4] }, (request, { broker, connection, apiVersion }) => {
  if (apiVersion >= NAMED_SINCE_VERSION) {
    const { clientSoftwareName, clientSoftwareVersion } = request;
    if (!SOFTWARE_NAME.test(clientSoftwareName) || !SOFTWARE_NAME.test(clientSoftwareVersion)) {
      return { errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] };
    }
    connection.softwareName = clientSoftwareName;
    connection.softwareVersion = clientSoftwareVersion;
  }
  return { errorCode: ErrorCode.NONE, apiKeys: advertisedBy(broker), ...featuresAt(apiVersion) };
});

const CONSUMER_GROUP_KEYS: readonly number[] = [ConsumerGroupHeartbeat.key, ConsumerGroupDescribe.key];

function advertisedBy({ advertised, groups }: RequestContext['broker']): RequestContext['broker']['advertised'] {
  if (groups.servesConsumerGroups) return advertised;
  return advertised.filter(({ apiKey }) => !CONSUMER_GROUP_KEYS.includes(apiKey));
}
