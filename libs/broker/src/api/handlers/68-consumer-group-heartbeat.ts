/**
 * ConsumerGroupHeartbeat: v0–v1.
 *
 * Joining, staying in and leaving a group of the new protocol (KIP-848). The coordinator decides.
 */
import { ConsumerGroupHeartbeat, type ResponseInput } from '@kafka-template/protocol';
import { fromCallback, groupContext } from '../groups.js';
import { handler } from '../handler.js';

/** See the head of this file. */
export const consumerGroupHeartbeat = handler(ConsumerGroupHeartbeat, { versions: [0, 1] }, (request, context) =>
  fromCallback<ResponseInput<typeof ConsumerGroupHeartbeat>>((done) =>
    context.broker.groups.consumerHeartbeat(request, groupContext(context), done),
  ),
);
