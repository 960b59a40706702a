/**
 * UpdateFeatures: finalize feature levels of the cluster (KIP-584).
 *
 *   v1  upgrade type, validate only    v2  no results by feature
 */
import { api, array, bool, int8, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The UpdateFeatures API. */
export const UpdateFeatures = api({
  key: 57,
  name: 'UpdateFeatures',
  versions: [0, 2],
  flexible: 0,

  request: {
    timeoutMs: int32.default(60000),
    featureUpdates: array({
      feature: string,
      /** Below 1 the feature is removed. */
      maxVersionLevel: int16,
      allowDowngrade: bool.until(0),
      /** 1 upgrade, 2 safe downgrade, 3 unsafe downgrade. */
      upgradeType: int8.since(1).default(1),
    }),
    validateOnly: bool.since(1).default(false),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull(),
    results: array({ feature: string, errorCode: int16, errorMessage: string.orNull() }).until(1).ignorable(),
  },
});

/** A decoded UpdateFeatures request. */
export type UpdateFeaturesRequest = RequestOf<typeof UpdateFeatures>;
/** A decoded UpdateFeatures response. */
export type UpdateFeaturesResponse = ResponseOf<typeof UpdateFeatures>;
