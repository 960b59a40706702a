/**
 * ApiVersions: which APIs and versions the broker speaks; the first request on a connection.
 *
 *   v1  throttle time    v3  flexible, client software, features (KIP-511, KIP-584)    v4  features from 0 (KAFKA-17011)
 *
 * The response header is v0 in every version, and an unknown request version is answered with a v0 body.
 */
import { api, array, bool, int16, int32, longId, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The ApiVersions API. */
export const ApiVersions = api({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 4],
  flexible: 3,

  request: {
    clientSoftwareName: string.since(3).ignorable(),
    clientSoftwareVersion: string.since(3).ignorable(),
  },

  response: {
    errorCode: int16,
    apiKeys: array({ apiKey: int16, minVersion: int16, maxVersion: int16 }),
    throttleTimeMs: int32.since(1).ignorable(),
    supportedFeatures: array({ name: string, minVersion: int16, maxVersion: int16 }).since(3).tagged(0).ignorable(),
    /** -1 when the cluster has no finalized features. */
    finalizedFeaturesEpoch: longId.since(3).tagged(1).default(-1).ignorable(),
    finalizedFeatures: array({ name: string, maxVersionLevel: int16, minVersionLevel: int16 })
      .since(3)
      .tagged(2)
      .ignorable(),
    zkMigrationReady: bool.since(3).tagged(3).default(false).ignorable(),
  },
});

/** A decoded ApiVersions request. */
export type ApiVersionsRequest = RequestOf<typeof ApiVersions>;
/** A decoded ApiVersions response. */
export type ApiVersionsResponse = ResponseOf<typeof ApiVersions>;
