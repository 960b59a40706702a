/**
 * DeleteShareGroupOffsets: v0.
 *
 * Forgets what a share group without members has done in topics.
 */
import { DeleteShareGroupOffsets } from '@kafka-template/protocol';
import { handler } from '../handler.js';

/** See the head of this file. */
export const deleteShareGroupOffsets = handler(DeleteShareGroupOffsets, { versions: [0, 0] }, (request, { broker }) =>
  broker.groups.shareGroups.deleteOffsets(request),
);
