/**
 * CreateTopics: v2–v7.
 *
 * Passes each topic to the controller and answers when this broker serves it. From v5 on the answer carries what came
 * out: partitions, replicas and effective configs. A name that is given twice is refused once.
 */
import { CreateTopics, ErrorCode, type CreateTopicsRequest, type ResponseInput } from '@kafka-template/protocol';
import { describeTopicConfigs } from '../../cluster/config-description.js';
import type { BrokerServices } from '../context.js';
import { handler } from '../handler.js';
import { repeatedNames } from '../repeated-names.js';

type Row = ResponseInput<typeof CreateTopics>['topics'][number];
type TopicRequest = CreateTopicsRequest['topics'][number];

/** See the head of this file. */
export const createTopics = handler(CreateTopics, { versions: [2, 7] }, async (request, { broker }) => {
  const repeated = repeatedNames(request.topics);
  const rows = request.topics
    .filter(({ name }) => !repeated.has(name))
    .map((topic) => create(broker, topic, request.validateOnly));
  const refused = [...repeated].map((name) => failed(name, ErrorCode.INVALID_REQUEST, 'Duplicate topic name.'));
  return { topics: [...(await Promise.all(rows)), ...refused] };
});

async function create(broker: BrokerServices, request: TopicRequest, validateOnly: boolean): Promise<Row> {
  const { errorCode, errorMessage, topic } = await broker.controller.createTopic({ ...request, validateOnly });
  if (errorCode !== ErrorCode.NONE || topic === undefined) return failed(request.name, errorCode, errorMessage);
  const options = { keys: null, includeSynonyms: false, includeDocumentation: false };
  const configs = describeTopicConfigs(topic.overrides, broker.controller.config, options);
  return {
    name: topic.name,
    topicId: topic.id,
    errorCode,
    errorMessage: null,
    numPartitions: topic.partitions.length,
    replicationFactor: topic.partitions[0]?.replicas.length ?? -1,
    configs,
  };
}

function failed(name: string, errorCode: number, errorMessage: string | null): Row {
  return { name, errorCode, errorMessage, configs: [] };
}
