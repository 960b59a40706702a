/**
 * AlterConfigs: replace all dynamic settings of a resource (KIP-133). IncrementalAlterConfigs is the safer successor.
 *
 *   v2  flexible
 */
import { api, array, bool, int8, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The AlterConfigs API. Settings that are left out go back to their defaults. */
export const AlterConfigs = api({
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexible: 2,

  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configs: array({ name: string, value: string.orNull() }),
    }),
    validateOnly: bool,
  },

  response: {
    throttleTimeMs: int32.default(0),
    responses: array({
      errorCode: int16,
      errorMessage: string.orNull(),
      resourceType: int8,
      resourceName: string,
    }),
  },
});

/** A decoded AlterConfigs request. */
export type AlterConfigsRequest = RequestOf<typeof AlterConfigs>;
/** A decoded AlterConfigs response. */
export type AlterConfigsResponse = ResponseOf<typeof AlterConfigs>;
