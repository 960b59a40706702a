/**
 * ShareGroupHeartbeat: v1.
 *
 * Joining, staying in and leaving a share group (KIP-932). The coordinator decides.
 */
import { ShareGroupHeartbeat } from '@kafka-template/protocol';
import { groupContext } from '../groups.js';
import { handler } from '../handler.js';

/** See the head of this file. */
export const shareGroupHeartbeat = handler(ShareGroupHeartbeat, { versions: [1, 1] }, (request, context) => {
  const { clientId, clientHost } = groupContext(context);
  return context.broker.groups.shareGroups.heartbeat(request, { clientId, clientHost });
});
