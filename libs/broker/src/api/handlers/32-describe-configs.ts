/**
 * DescribeConfigs: v1–v4.
 *
 * Every config of topics, of this broker, of all brokers, and of groups: value, where it comes from, what else it could
 * come from (v1), type and meaning (v3). Questions about another broker are refused: clients ask that broker itself.
 */
import { DescribeConfigs, ErrorCode, type DescribeConfigsRequest, type ResponseInput } from '@kafka-template/protocol';
import {
  describeBrokerConfigs,
  describeBrokerDefaults,
  describeGroupConfigs,
  describeTopicConfigs,
  type ConfigEntry,
  type DescribeOptions,
} from '../../cluster/config-description.js';
import { ConfigResourceType } from '../../cluster/topic-request.js';
import type { BrokerServices } from '../context.js';
import { handler } from '../handler.js';
import { checkTopicName } from '../../cluster/topic-name.js';

type Row = ResponseInput<typeof DescribeConfigs>['results'][number];
type Resource = DescribeConfigsRequest['resources'][number];

/** What became of one resource. */
type Described = { readonly configs: readonly ConfigEntry[] } | { readonly errorCode: number; readonly text: string };

/** See the head of this file. */
export const describeConfigs = handler(DescribeConfigs, { versions: [1, 4] }, (request, { broker }) => ({
  results: request.resources.map((resource): Row => {
    const { resourceType, resourceName } = resource;
    const described = describe(broker, resource, {
      keys: resource.configurationKeys,
      includeSynonyms: request.includeSynonyms,
      includeDocumentation: request.includeDocumentation,
    });
    return 'configs' in described
      ? { errorCode: ErrorCode.NONE, errorMessage: '', resourceType, resourceName, configs: described.configs }
      : { errorCode: described.errorCode, errorMessage: described.text, resourceType, resourceName, configs: [] };
  }),
}));

function describe(broker: BrokerServices, resource: Resource, options: DescribeOptions): Described {
  switch (resource.resourceType) {
    case ConfigResourceType.TOPIC:
      return describeTopic(broker, resource.resourceName, options);
    case ConfigResourceType.BROKER:
      return describeBroker(broker, resource.resourceName, options);
    case ConfigResourceType.GROUP:
      return resource.resourceName === ''
        ? { errorCode: ErrorCode.INVALID_REQUEST, text: 'Group name must not be empty' }
        : { configs: describeGroupConfigs(broker.groupConfigs(resource.resourceName), broker.config(), options) };
    default:
      return {
        errorCode: ErrorCode.INVALID_REQUEST,
        text: `Unsupported resource type: ${resource.resourceType}. This broker knows topics (2), brokers (4) and groups (32).`,
      };
  }
}

function describeTopic(broker: BrokerServices, name: string, options: DescribeOptions): Described {
  if (checkTopicName(name) !== null)
    return { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, text: `Topic name '${name}' is illegal` };
  const topic = broker.controller.image.topic(name);
  if (topic === undefined) {
    return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, text: `The topic '${name}' does not exist.` };
  }
  return { configs: describeTopicConfigs(topic.overrides, broker.config(), options) };
}

function describeBroker(broker: BrokerServices, name: string, options: DescribeOptions): Described {
  if (name === '') return { configs: describeBrokerDefaults(broker.config(), options) };
  if (!/^-?\d+$/.test(name)) {
    return { errorCode: ErrorCode.INVALID_REQUEST, text: `Broker id must be an integer, but it is: ${name}` };
  }
  if (Number(name) !== broker.brokerId) {
    const text = `Unexpected broker id, expected ${broker.brokerId} or empty string, but received ${name}`;
    return { errorCode: ErrorCode.INVALID_REQUEST, text };
  }
  return { configs: describeBrokerConfigs(broker.config(), options) };
}
