/**
 * What a topic may be called.
 *
 * Guarantees Kafka's rules and sentences. Source: protocol guide, and Kafka's `Topic.validate`.
 */

/** Longest topic name, so that the directory of a partition has a legal name. */
export const TOPIC_NAME_MAX = 249;

/** Null for a legal name, else Kafka's sentence about it. */
export function checkTopicName(name: string): string | null {
  if (name === '') return 'Topic name is invalid: the empty string is not allowed';
  if (name === '.' || name === '..') return `Topic name is invalid: '${name}' is not allowed`;
  if (name.length > TOPIC_NAME_MAX) {
    return `Topic name is invalid: the length of '${name}' is longer than the max allowed length ${TOPIC_NAME_MAX}`;
  }
  if (/^[a-zA-Z0-9._-]+$/.test(name)) return null;
  return `Topic name is invalid: '${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`;
}

/** Names that differ only in `.` and `_` would share the names of metrics; two names collide when their keys are equal. */
export function collisionKey(name: string): string {
  return name.replaceAll('.', '_');
}
