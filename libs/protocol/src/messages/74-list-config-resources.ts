/**
 * ListConfigResources: the resources that have settings of their own.
 *
 *   v0  client metrics only (KIP-714)    v1  by resource type (KIP-1142)
 */
import { api, array, int8, int16, int32, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The ListConfigResources API. */
export const ListConfigResources = api({
  key: 74,
  name: 'ListConfigResources',
  versions: [0, 1],
  flexible: 0,

  request: {
    /** Empty asks for all types. */
    resourceTypes: array(int8).since(1),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    configResources: array({
      resourceName: string,
      resourceType: int8.since(1).default(16).ignorable(),
    }),
  },
});

/** A decoded ListConfigResources request. */
export type ListConfigResourcesRequest = RequestOf<typeof ListConfigResources>;
/** A decoded ListConfigResources response. */
export type ListConfigResourcesResponse = ResponseOf<typeof ListConfigResources>;
