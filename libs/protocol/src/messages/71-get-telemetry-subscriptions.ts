/**
 * GetTelemetrySubscriptions: which metrics the broker wants from a client (KIP-714).
 */
import { api, array, bool, int8, int16, int32, string, uuid, type RequestOf, type ResponseOf } from '../schema.js';

/** The GetTelemetrySubscriptions API. */
export const GetTelemetrySubscriptions = api({
  key: 71,
  name: 'GetTelemetrySubscriptions',
  versions: [0, 0],
  flexible: 0,

  request: {
    /** The zero uuid asks for a new one. */
    clientInstanceId: uuid,
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
    clientInstanceId: uuid,
    subscriptionId: int32,
    /** In the broker's order of preference. */
    acceptedCompressionTypes: array(int8),
    pushIntervalMs: int32,
    telemetryMaxBytes: int32,
    deltaTemporality: bool,
    /** Prefixes; empty: none, one empty string: all. */
    requestedMetrics: array(string),
  },
});

/** A decoded GetTelemetrySubscriptions request. */
export type GetTelemetrySubscriptionsRequest = RequestOf<typeof GetTelemetrySubscriptions>;
/** A decoded GetTelemetrySubscriptions response. */
export type GetTelemetrySubscriptionsResponse = ResponseOf<typeof GetTelemetrySubscriptions>;
