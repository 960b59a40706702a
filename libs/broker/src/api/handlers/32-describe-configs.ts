/**
 * DescribeConfigs: v1–v4.
 *
 * Every config of topics, of this broker, of all brokers, and of groups: value, where it comes from, what else it could
 * come from (v1), type and meaning (v3). The controller's door knows them all, from memory.
 */
import { DescribeConfigs } from '@kafka-template/protocol';
import { handler } from '../handler.js';

/** See the head of this file. */
export const describeConfigs = handler(DescribeConfigs, { versions: [1, 4] }, (request, { broker }) => ({
  results: request.resources.map(({ resourceType, resourceName, configurationKeys }) => {
    const { errorCode, errorMessage, configs } = broker.controller.describeConfigs(
      { resourceType, resourceName },
      {
        keys: configurationKeys,
        includeSynonyms: request.includeSynonyms,
        includeDocumentation: request.includeDocumentation,
      },
    );
    return { errorCode, errorMessage: errorMessage ?? '', resourceType, resourceName, configs };
  }),
}));
