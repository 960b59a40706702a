/**
 * What happens in a group of the new protocol by itself: members that are silent, or do not give up what they were told
 * to, are dropped.
 */
import type { ConsumerGroupDraft } from './draft.js';
import { fenceMembers } from './leave.js';

/** Does everything whose time has come; returns the ids of those that were dropped. */
export function decideConsumerTick(draft: ConsumerGroupDraft): string[] {
  const nowMs = draft.world.now.monotonicMs;
  const late: string[] = [];
  for (const { id, sessionDeadlineMs, revocationDeadlineMs } of draft.group.members.values()) {
    if (Math.min(sessionDeadlineMs, revocationDeadlineMs) <= nowMs) late.push(id);
  }
  fenceMembers(draft, late);
  return late;
}
