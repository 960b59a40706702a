/**
 * IncrementalAlterConfigs: change single dynamic settings of resources (KIP-339).
 *
 *   v1  flexible
 */
import { api, array, bool, int8, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The IncrementalAlterConfigs API. Requests about a broker go to that broker, others to the controller. */
export const IncrementalAlterConfigs = api({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexible: 1,

  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        /** 0 set, 1 delete, 2 append to a list, 3 subtract from a list. */
        configOperation: int8,
        value: string.orNull(),
      }),
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

/** A decoded IncrementalAlterConfigs request. */
export type IncrementalAlterConfigsRequest = RequestOf<typeof IncrementalAlterConfigs>;
/** A decoded IncrementalAlterConfigs response. */
export type IncrementalAlterConfigsResponse = ResponseOf<typeof IncrementalAlterConfigs>;
