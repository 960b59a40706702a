/**
 * Heartbeat: v0–v4.
 *
 * A member is alive; REBALANCE_IN_PROGRESS tells it to join again. The coordinator decides.
 */
import { Heartbeat, type ResponseInput } from '@kafka-template/protocol';
import { fromCallback, groupContext } from '../groups.js';
import { handler } from '../handler.js';

/** See the head of this file. */
export const heartbeat = handler(Heartbeat, { versions: [0, 4] }, (request, context) =>
  fromCallback<ResponseInput<typeof Heartbeat>>((done) =>
    context.broker.groups.heartbeat(request, groupContext(context), done),
  ),
);
