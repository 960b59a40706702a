/**
 * New targets for a group: when its topics or members have changed, for everybody at once.
 *
 * Guarantees: what has not changed is not stored again; the assignor is the one most members ask for, the first of the
 * configuration when nobody asks. Source: KIP-848, "Target Assignment".
 */
import { ASSIGNORS } from './assignor.js';
import { sameTarget } from './assignment.js';
import { targetFor, type ConsumerGroup, type ConsumerGroupRules } from './consumer-group.js';
import type { ConsumerGroupDraft } from './draft.js';
import type { Subscriber } from './subscriber.js';
import { matchingTopics, metadataHash, subscribedNames, subscribedTopics } from './subscriptions.js';

/** The assignor of the group. */
export function assignorName(group: ConsumerGroup, rules: ConsumerGroupRules): string {
  const votes = new Map<string, number>();
  let chosen: string | null = null;
  for (const { serverAssignor } of group.members.values()) {
    if (serverAssignor === null || !rules.assignors.includes(serverAssignor)) continue;
    votes.set(serverAssignor, (votes.get(serverAssignor) ?? 0) + 1);
  }
  for (const [name, count] of votes) if (chosen === null || count > (votes.get(chosen) ?? 0)) chosen = name;
  return chosen ?? rules.assignors[0] ?? 'uniform';
}

/** Looks at the patterns of the members again, and drops those nobody has any more. */
export function refreshPatterns(draft: ConsumerGroupDraft): void {
  const { topics, now } = draft.world;
  const wanted = new Set<string>();
  for (const { subscribedTopicRegex } of draft.group.members.values()) wanted.add(subscribedTopicRegex);
  wanted.delete('');
  for (const pattern of draft.group.patterns.keys()) {
    if (!wanted.has(pattern)) draft.emit({ type: 'pattern', pattern, value: null });
  }
  for (const pattern of wanted) {
    const before = draft.group.patterns.get(pattern);
    const names = matchingTopics(pattern, topics);
    if (before?.join() === names.join() && before.length === names.length) continue;
    draft.emit({ type: 'pattern', pattern, value: { topics: names, timestampMs: now.epochMs } });
  }
}

/** Raises the epoch when `changed`, or when the topics are not what they were. */
export function refreshEpoch(draft: ConsumerGroupDraft, changed: boolean): void {
  refreshPatterns(draft);
  const { group, world } = draft;
  const hash = metadataHash(subscribedTopics(group, world.topics));
  if (!changed && hash === group.metadataHash) return;
  draft.emit({ type: 'group', value: { epoch: group.epoch + 1, metadataHash: hash } });
}

/** False while the present targets are to be kept so that many who come together cost one computation. */
export function isAssignmentDue({ group, world }: ConsumerGroupDraft): boolean {
  const ageMs = world.now.epochMs - group.assignedMs;
  // A negative age is a clock that was set back.
  return ageMs < 0 || ageMs >= world.rules.assignmentIntervalMs;
}

/** Computes the targets for the epoch of the group. */
export function assignTargets(draft: ConsumerGroupDraft): void {
  const { group, world } = draft;
  const assign = ASSIGNORS[assignorName(group, world.rules)];
  const counts = new Map(subscribedTopics(group, world.topics).map(({ id, partitions }) => [id, partitions.length]));
  const members = [...group.members.values()].map((member): Subscriber => {
    const names = subscribedNames(group, member);
    const topicIds = [...names].flatMap((name) => world.topics.topic(name)?.id ?? []);
    const target = targetFor(group, member.id);
    return { memberId: member.id, instanceId: member.instanceId, topicIds: new Set(topicIds), target };
  });
  for (const [memberId, target] of assign?.(members, counts) ?? []) {
    const before = group.targets.get(memberId);
    if (!before || !sameTarget(before, target)) draft.emit({ type: 'target', memberId, value: target });
  }
  const value = { assignmentEpoch: group.epoch, timestampMs: world.now.epochMs };
  draft.emit({ type: 'targetEpoch', value });
}
