/**
 * ControllerRegistration: a controller announces itself to the leader of the controllers (KIP-919).
 */
import { api, array, bool, int16, uint16, int32, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The ControllerRegistration API. */
export const ControllerRegistration = api({
  key: 70,
  name: 'ControllerRegistration',
  versions: [0, 0],
  flexible: 0,

  request: {
    controllerId: int32,
    incarnationId: uuid,
    zkMigrationReady: bool,
    listeners: array({ name: string, host: string, port: uint16, securityProtocol: int16 }),
    features: array({ name: string, minSupportedVersion: int16, maxSupportedVersion: int16 }),
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    errorMessage: string.orNull(),
  },
});

/** A decoded ControllerRegistration request. */
export type ControllerRegistrationRequest = RequestOf<typeof ControllerRegistration>;
/** A decoded ControllerRegistration response. */
export type ControllerRegistrationResponse = ResponseOf<typeof ControllerRegistration>;
