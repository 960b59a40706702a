/**
 * AlterClientQuotas: set or remove quotas (KIP-546).
 *
 *   v1  flexible
 */
import { api, array, bool, int16, int32, float64, string, type RequestOf, type ResponseOf } from '../schema.js';

/** The AlterClientQuotas API. A null entity name is the default of its type. */
export const AlterClientQuotas = api({
  key: 49,
  name: 'AlterClientQuotas',
  versions: [0, 1],
  flexible: 1,

  request: {
    entries: array({
      entity: array({ entityType: string, entityName: string.orNull() }),
      ops: array({ key: string, value: float64, remove: bool }),
    }),
    validateOnly: bool,
  },

  response: {
    throttleTimeMs: int32.default(0),
    entries: array({
      errorCode: int16,
      errorMessage: string.orNull(),
      entity: array({ entityType: string, entityName: string.orNull() }),
    }),
  },
});

/** A decoded AlterClientQuotas request. */
export type AlterClientQuotasRequest = RequestOf<typeof AlterClientQuotas>;
/** A decoded AlterClientQuotas response. */
export type AlterClientQuotasResponse = ResponseOf<typeof AlterClientQuotas>;
