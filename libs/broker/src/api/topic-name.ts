/**
 * What a topic may be called. Source: Kafka, `Topic.validate`.
 */

const TOPIC_NAME_LENGTH_MAX = 249;
const TOPIC_NAME = /^[a-zA-Z0-9._-]+$/;

/** True for 1 to 249 characters out of letters, digits, dot, underscore and minus, except "." and "..". */
export function isTopicName(name: string): boolean {
  return name.length <= TOPIC_NAME_LENGTH_MAX && name !== '.' && name !== '..' && TOPIC_NAME.test(name);
}
