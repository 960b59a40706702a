/**
 * DeleteGroups: v0–v2.
 *
 * Removes groups without members, with their offsets. A group in use answers NON_EMPTY_GROUP.
 */
import { DeleteGroups } from '@kafka-template/protocol';
import { handler } from '../handler.js';

/** See the head of this file. */
export const deleteGroups = handler(DeleteGroups, { versions: [0, 2] }, (request, { broker }) =>
  broker.groups.deleteGroups(request),
);
