/**
 * IncrementalAlterConfigs: v0–v1.
 *
 * Sets, deletes, appends to or subtracts from single configs of topics, brokers and groups (KIP-339). For each resource
 * all changes happen or none. A resource that is named twice is refused.
 */
import { IncrementalAlterConfigs } from '@kafka-template/protocol';
import { alterResources } from '../alter-resources.js';
import { handler } from '../handler.js';

/** See the head of this file. */
export const incrementalAlterConfigs = handler(
  IncrementalAlterConfigs,
  { versions: [0, 1] },
  async (request, { broker }) => ({
    responses: await alterResources(request.resources, (resource) =>
      broker.controller.changeConfigs(resource, resource.configs, request.validateOnly),
    ),
  }),
);
