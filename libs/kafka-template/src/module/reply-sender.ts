/**
 * The template as the sender of replies: a topic may be a name or a contract.
 */
import type { ReplySender } from '../discovery/replies.js';
import { TopicContract } from '../serde/topic-contract.js';
import type { KafkaTemplate } from '../template/kafka-template.js';

/** Sends replies with a template. */
export function replySenderOf(template: KafkaTemplate): ReplySender {
  return {
    send: ({ topic, ...record }) =>
      topic instanceof TopicContract ? template.send({ ...record, topic }) : template.send({ ...record, topic }),
  };
}
