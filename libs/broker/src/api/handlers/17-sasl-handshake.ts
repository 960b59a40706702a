/**
 * SaslHandshake: v0–v1.
 *
 * The listener is PLAINTEXT, so there is nothing to agree on: Kafka answers ILLEGAL_SASL_STATE there, and so do we.
 */
import { ErrorCode, SaslHandshake } from '@kafka-template/protocol';
import { handler } from '../handler.js';

/** See the head of this file. */
export const saslHandshake = handler(SaslHandshake, { versions: [0, 1] }, () => ({
  errorCode: ErrorCode.ILLEGAL_SASL_STATE,
  mechanisms: [],
}));
