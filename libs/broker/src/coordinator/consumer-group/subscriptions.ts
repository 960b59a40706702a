/**
 * Which topics a group reads: names, patterns, and the hash by which a change of them is noticed.
 *
 * Guarantees: topics that do not exist do not count; the hash is 0 without topics and depends on names, ids and
 * partition counts only.
 */
import { createHash } from 'node:crypto';
import type { TopicImage } from '../../cluster/image.js';
import type { ConsumerGroup, ConsumerMember, Topics } from './consumer-group.js';
import { topicPattern } from './pattern/topic-pattern.js';
import { Refusal } from './replies.js';

/** Names a member reads, those its pattern matched included; whether they exist or not. */
export function subscribedNames(group: ConsumerGroup, member: ConsumerMember): ReadonlySet<string> {
  const { subscribedTopicNames, subscribedTopicRegex } = member;
  return new Set([...subscribedTopicNames, ...(group.patterns.get(subscribedTopicRegex) ?? [])]);
}

/** True when some member reads the topic. */
export function isSubscribed(group: ConsumerGroup, topic: string): boolean {
  for (const member of group.members.values()) {
    if (member.subscribedTopicNames.includes(topic)) return true;
    if (group.patterns.get(member.subscribedTopicRegex)?.includes(topic)) return true;
  }
  return false;
}

/** The topics that exist and that somebody in the group reads, in the order of their names. */
export function subscribedTopics(group: ConsumerGroup, topics: Topics): TopicImage[] {
  const names = new Set<string>();
  for (const member of group.members.values()) for (const name of subscribedNames(group, member)) names.add(name);
  return [...names].sort().flatMap((name) => topics.topic(name) ?? []);
}

/** See the file comment. */
export function metadataHash(subscribed: readonly TopicImage[]): bigint {
  if (subscribed.length === 0) return 0n;
  const hash = createHash('sha256');
  for (const { name, id, partitions } of subscribed) hash.update(`${name} ${id} ${partitions.length}\n`);
  return hash.digest().readBigInt64BE();
}

/**
 * Topics of the cluster that a pattern matches as a whole, in the order of their names. None for a pattern that is not
 * valid here: it was checked when the member sent it, but the records may come from another broker.
 */
export function matchingTopics(pattern: string, topics: Topics): string[] {
  const matches = validPattern(pattern);
  const names: string[] = [];
  for (const { name } of matches ? topics.topics() : []) if (matches?.(name)) names.push(name);
  return names;
}

function validPattern(pattern: string): ((name: string) => boolean) | null {
  try {
    return topicPattern(pattern);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}
