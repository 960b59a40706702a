/**
 * DescribeGroups: v0–v6.
 *
 * State and members of groups this broker coordinates, from memory. Before v6 an unknown group is "Dead" without error.
 */
import { DescribeGroups } from '@kafka-template/protocol';
import { groupContext } from '../groups.js';
import { handler } from '../handler.js';

/** See the head of this file. */
export const describeGroups = handler(DescribeGroups, { versions: [0, 6] }, (request, context) =>
  context.broker.groups.describe(request, groupContext(context)),
);
