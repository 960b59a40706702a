/**
 * SyncGroup: v0–v5.
 *
 * The leader hands in the assignments, everyone gets its own. The coordinator answers when it has stored them.
 */
import { SyncGroup, type ResponseInput } from '@kafka-template/protocol';
import { fromCallback, groupContext } from '../groups.js';
import { handler } from '../handler.js';

/** See the head of this file. */
export const syncGroup = handler(SyncGroup, { versions: [0, 5] }, (request, context) =>
  fromCallback<ResponseInput<typeof SyncGroup>>((done) =>
    context.broker.groups.sync(request, groupContext(context), done),
  ),
);
