/**
 * Which errors end a container, and under what name; all others are logged, waited out and tried again.
 */
import { errorCodeOf } from '../errors.js';
import type { StopReason } from '../events/container-event.js';

const REASONS: ReadonlyMap<string, StopReason> = new Map([
  ['SASL_AUTHENTICATION_FAILED', 'AUTH'],
  ['UNSUPPORTED_SASL_MECHANISM', 'AUTH'],
  ['ILLEGAL_SASL_STATE', 'AUTH'],
  ['TOPIC_AUTHORIZATION_FAILED', 'AUTH'],
  ['GROUP_AUTHORIZATION_FAILED', 'AUTH'],
  ['CLUSTER_AUTHORIZATION_FAILED', 'AUTH'],
  ['FENCED_INSTANCE_ID', 'FENCED'],
  ['NO_OFFSET_FOR_PARTITION', 'NO_OFFSET'],
  ['CONFIG', 'CONFIG'],
  ['INVALID_GROUP_ID', 'CONFIG'],
  ['INCONSISTENT_GROUP_PROTOCOL', 'CONFIG'],
  ['INVALID_SESSION_TIMEOUT', 'CONFIG'],
  ['UNSUPPORTED_VERSION', 'CONFIG'],
  ['UNSUPPORTED_BY_DRIVER', 'CONFIG'],
  ['CLOSED', 'ERROR'],
]);

/** Whether the container cannot go on after this error. */
export function isFatal(error: unknown): boolean {
  if ((error as { fatal?: unknown } | null)?.fatal === true) return true;
  return REASONS.has(errorCodeOf(error) ?? '');
}

/** The name of the end this error brings. */
export function stopReasonOf(error: unknown): StopReason {
  return REASONS.get(errorCodeOf(error) ?? '') ?? 'ERROR';
}
