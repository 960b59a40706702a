/**
 * DescribeShareGroupOffsets: v0–v1.
 *
 * Where share groups stand, and how much lies before them. A group nobody has heard of stands nowhere, without an error.
 */
import { DescribeShareGroupOffsets } from '@kafka-template/protocol';
import { handler } from '../handler.js';

/** See the head of this file. */
export const describeShareGroupOffsets = handler(
  DescribeShareGroupOffsets,
  { versions: [0, 1] },
  (request, { broker }) => ({
    groups: request.groups.map((group) => broker.groups.shareGroups.describeOffsets(group)),
  }),
);
