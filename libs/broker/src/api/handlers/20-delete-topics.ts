/**
 * DeleteTopics: v1–v6.
 *
 * Passes each topic to the controller; answers when its partitions are gone here. Up to v5 by name, from v6 on by name
 * or by id. `delete.topic.enable=false` refuses everything.
 */
import { DeleteTopics, ErrorCode, errorMessage, ZERO_UUID, type ResponseInput } from '@kafka-template/protocol';
import type { ClusterImage } from '../../cluster/image.js';
import type { BrokerServices } from '../context.js';
import { handler } from '../handler.js';

type Row = ResponseInput<typeof DeleteTopics>['responses'][number];

/** A topic as the request names it: by name, by id, or wrongly. */
interface Named {
  readonly name: string | null;
  readonly topicId: string;
}

const TOPICS_SINCE_VERSION = 6;
const DISABLED_SINCE_VERSION = 3;

/** See the head of this file. */
export const deleteTopics = handler(DeleteTopics, { versions: [1, 6] }, async (request, { broker, apiVersion }) => {
  const byName = request.topicNames.map((name): Named => ({ name, topicId: ZERO_UUID }));
  const named: readonly Named[] = apiVersion >= TOPICS_SINCE_VERSION ? request.topics : byName;
  if (!broker.settings.deleteTopicEnable) {
    const isKnown = apiVersion >= DISABLED_SINCE_VERSION;
    const errorCode = isKnown ? ErrorCode.TOPIC_DELETION_DISABLED : ErrorCode.INVALID_REQUEST;
    return { responses: named.map((topic) => failed(topic, errorCode)) };
  }
  const { image } = broker.controller;
  const { rows, wanted } = sort(named, image);
  const deleted = [...wanted].map(async ([name, topicId]) => remove(broker, name, topicId));
  return { responses: [...rows, ...(await Promise.all(deleted))] };
});

/** Splits into rows that are refused here and topics (name, id) that exist; each topic counts once. */
function sort(named: readonly Named[], image: ClusterImage): { rows: Row[]; wanted: Map<string, string> } {
  const rows: Row[] = [];
  const wanted = new Map<string, string>();
  const refuse = (topic: Named, text: string): void => {
    rows.push(failed(topic, ErrorCode.INVALID_REQUEST, text));
  };
  for (const topic of named) {
    const { name, topicId } = topic;
    if (name !== null && topicId !== ZERO_UUID) {
      refuse(topic, 'You may not specify both topic name and topic id.');
      continue;
    }
    if (name === null && topicId === ZERO_UUID) {
      refuse(topic, 'Neither topic name nor id were specified.');
      continue;
    }
    const found = name === null ? image.topicById(topicId) : image.topic(name);
    if (found === undefined) {
      const errorCode = name === null ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      rows.push(failed(topic, errorCode));
    } else if (wanted.has(found.name)) {
      wanted.delete(found.name);
      refuse(topic, 'Duplicate topic name.');
    } else wanted.set(found.name, found.id);
  }
  return { rows, wanted };
}

async function remove(broker: BrokerServices, name: string, topicId: string): Promise<Row> {
  const outcome = await broker.controller.deleteTopic(name);
  return { name, topicId, errorCode: outcome.errorCode, errorMessage: outcome.errorMessage };
}

function failed({ name, topicId }: Named, errorCode: number, text = errorMessage(errorCode)): Row {
  return { name, topicId, errorCode, errorMessage: text };
}
