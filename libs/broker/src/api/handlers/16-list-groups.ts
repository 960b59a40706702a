/**
 * ListGroups: v0–v5.
 *
 * The groups this broker coordinates, filtered by state (v4) and type (v5). A client asks every broker for its own.
 */
import { ListGroups } from '@kafka-template/protocol';
import { handler } from '../handler.js';

/** See the head of this file. */
export const listGroups = handler(ListGroups, { versions: [0, 5] }, (request, { broker }) =>
  broker.groups.list(request),
);
