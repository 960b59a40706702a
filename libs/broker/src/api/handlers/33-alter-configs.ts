/**
 * AlterConfigs: v0–v2.
 *
 * Replaces all configs of a resource: what is not named goes back to its default. Kept for older tools; newer ones use
 * IncrementalAlterConfigs. A resource that is named twice is refused.
 */
import { AlterConfigs } from '@kafka-template/protocol';
import { alterResources } from '../alter-resources.js';
import { handler } from '../handler.js';

/** See the head of this file. */
export const alterConfigs = handler(AlterConfigs, { versions: [0, 2] }, async (request, { broker }) => ({
  responses: await alterResources(request.resources, (resource) =>
    broker.controller.replaceConfigs(resource, resource.configs, request.validateOnly),
  ),
}));
