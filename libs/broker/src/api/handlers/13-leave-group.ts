/**
 * LeaveGroup: v0–v5.
 *
 * Members leave their group at once instead of after their session timeout. The coordinator decides.
 */
import { LeaveGroup, type ResponseInput } from '@kafka-template/protocol';
import { fromCallback, groupContext } from '../groups.js';
import { handler } from '../handler.js';

/** See the head of this file. */
export const leaveGroup = handler(LeaveGroup, { versions: [0, 5] }, (request, context) =>
  fromCallback<ResponseInput<typeof LeaveGroup>>((done) =>
    context.broker.groups.leave(request, groupContext(context), done),
  ),
);
