/**
 * PushTelemetry: a client sends its metrics (KIP-714).
 */
import { api, bool, int8, int16, int32, uuid, bytes, type RequestOf, type ResponseOf } from '../schema.js';

/** The PushTelemetry API. */
export const PushTelemetry = api({
  key: 72,
  name: 'PushTelemetry',
  versions: [0, 0],
  flexible: 0,

  request: {
    clientInstanceId: uuid,
    subscriptionId: int32,
    /** True with the last push. */
    terminating: bool,
    compressionType: int8,
    /** OTLP MetricsData v1, compressed. */
    metrics: bytes,
  },

  response: {
    throttleTimeMs: int32.default(0),
    errorCode: int16,
  },
});

/** A decoded PushTelemetry request. */
export type PushTelemetryRequest = RequestOf<typeof PushTelemetry>;
/** A decoded PushTelemetry response. */
export type PushTelemetryResponse = ResponseOf<typeof PushTelemetry>;
