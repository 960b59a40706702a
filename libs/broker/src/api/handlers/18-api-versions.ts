/**
 * ApiVersions: v0–v4.
 *
 * Tells which APIs and versions this broker serves. From v3 on the client names itself; a name outside KIP-511's pattern
 * is refused. The finalized features tell clients that transactions are of version 2 (KIP-890).
 */
import { ApiVersions, ErrorCode } from '@kafka-template/protocol';
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
  return { errorCode: ErrorCode.NONE, apiKeys: broker.advertised, ...featuresAt(apiVersion) };
});
