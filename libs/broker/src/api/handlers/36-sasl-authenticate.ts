/**
 * SaslAuthenticate: v0–v2.
 *
 * The listener is PLAINTEXT, so nobody has anything to prove: Kafka answers ILLEGAL_SASL_STATE there, and so do we.
 */
import { ErrorCode, SaslAuthenticate } from '@kafka-template/protocol';
import { handler } from '../handler.js';

const NOTHING = Buffer.alloc(0);

/** See the head of this file. */
export const saslAuthenticate = handler(SaslAuthenticate, { versions: [0, 2] }, () => ({
  errorCode: ErrorCode.ILLEGAL_SASL_STATE,
  errorMessage: 'SaslAuthenticate request received after successful authentication',
  authBytes: NOTHING,
}));
