/**
 * A topic to be created when the application starts. Spring's NewTopic and TopicBuilder.
 */
import type { DriverNewTopic } from '../drivers/driver.js';

/** A topic the application needs. */
export type NewTopic = DriverNewTopic;

/** Everything about a topic but its name. */
export type NewTopicOptions = Omit<NewTopic, 'name'>;

/**
 * A topic for `topics` in the options of KafkaModule: created when it is missing, grown when it has fewer partitions,
 * otherwise left alone. Partitions, replicas and configs that are not given are the broker's defaults.
 */
export function newTopic(name: string, options: NewTopicOptions = {}): NewTopic {
  return { name, ...options };
}
