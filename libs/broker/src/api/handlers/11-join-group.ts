/**
 * JoinGroup: v0–v9.
 *
 * Enters a group. The answer comes when the whole group has joined, which is up to the coordinator; the connection goes
 * on with other requests meanwhile, and their answers wait for this one.
 */
import { JoinGroup, type ResponseInput } from '@kafka-template/protocol';
import { fromCallback, groupContext } from '../groups.js';
import { handler } from '../handler.js';

/** See the head of this file. */
export const joinGroup = handler(JoinGroup, { versions: [0, 9] }, (request, context) =>
  fromCallback<ResponseInput<typeof JoinGroup>>((done) =>
    context.broker.groups.join(request, groupContext(context), done),
  ),
);
