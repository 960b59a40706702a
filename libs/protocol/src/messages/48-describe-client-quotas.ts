/**
 * DescribeClientQuotas: the quotas of users, client ids and addresses (KIP-546).
 *
 *   v1  flexible
 */
import { api, array, bool, int8, int16, int32, float64, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The DescribeClientQuotas API. */
export const DescribeClientQuotas = api({
  key: 48,
  name: 'DescribeClientQuotas',
  versions: [0, 1],
  flexible: 1,

  request: {
    components: array({
      entityType: string,
      /** 0 this name, 1 the default, 2 any name. */
      matchType: int8,
      match: string.orNull(),
    }),
    /** True: entities with further components do not match. */
    strict: bool,
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull(),
    entries: array({
      entity: array({ entityType: string, entityName: string.orNull() }),
      values: array({ key: string, value: float64 }),
    }).orNull(),
  },
});

/** A decoded DescribeClientQuotas request. */
export type DescribeClientQuotasRequest = RequestOf<typeof DescribeClientQuotas>;
/** A decoded DescribeClientQuotas response. */
export type DescribeClientQuotasResponse = ResponseOf<typeof DescribeClientQuotas>;
