/**
 * Every message this project declares, at every version: what the conformance suites walk over.
 *
 * Guarantees to contain both directions of all APIs, keys and values of all records of internal topics, control records,
 * and the embedded consumer protocol. What has no definition of Kafka's stands apart.
 */
import * as protocol from '@kafka-template/protocol';
import { APIS, type CoordinatorRecord, type Message } from '@kafka-template/protocol';

/** A message at one version. */
export interface MessageAtVersion {
  readonly message: Message;
  readonly version: number;
}

/** All kinds of records of internal topics, found among the exports of the library. */
export const RECORDS: readonly CoordinatorRecord[] = Object.entries(protocol as Record<string, unknown>)
  .filter(([name, value]) => name.endsWith('Record') && typeof value === 'object')
  .map(([, value]) => value as CoordinatorRecord);

/** All messages that Kafka has a definition of. */
export const MESSAGES: readonly Message[] = [
  ...APIS.flatMap((api) => [api.request, api.response]),
  ...RECORDS.flatMap((record) => [record.key, record.value]),
  protocol.ConsumerProtocolSubscription,
  protocol.ConsumerProtocolAssignment,
  protocol.ControlRecordTypeSchema,
  protocol.EndTxnMarker,
];

/** Messages that Kafka's Java client writes by hand, without a definition. */
export const UNDEFINED_MESSAGES: readonly Message[] = [
  protocol.StickyAssignorUserData,
  protocol.CooperativeStickyAssignorUserData,
];

/** The versions of a message, lowest first. */
export function versionsOf(message: Message): number[] {
  const [min, max] = message.versions;
  return Array.from({ length: max - min + 1 }, (_, index) => min + index);
}

function atVersions(messages: readonly Message[]): MessageAtVersion[] {
  return messages.flatMap((message) => versionsOf(message).map((version) => ({ message, version })));
}

/** All messages with a definition, at all versions. */
export const MESSAGES_AT_VERSIONS: readonly MessageAtVersion[] = atVersions(MESSAGES);

/** All messages there are, at all versions. */
export const ALL_AT_VERSIONS: readonly MessageAtVersion[] = [
  ...MESSAGES_AT_VERSIONS,
  ...atVersions(UNDEFINED_MESSAGES),
];
