/**
 * AlterShareGroupOffsets: v0.
 *
 * Moves where a share group without members stands.
 */
import { AlterShareGroupOffsets } from '@kafka-template/protocol';
import { handler } from '../handler.js';

/** See the head of this file. */
export const alterShareGroupOffsets = handler(AlterShareGroupOffsets, { versions: [0, 0] }, (request, { broker }) =>
  broker.groups.shareGroups.alterOffsets(request),
);
