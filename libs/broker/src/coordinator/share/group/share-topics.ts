/**
 * Which topics a share group reads, and which of their partitions it has state of.
 *
 * Guarantees: values never change; topics that do not exist do not count.
 */
import type { TopicImage } from '../../../cluster/image.js';
import type { Topics } from '../../consumer-group/consumer-group.js';
import type { ShareGroup, ShareTopics } from './share-group.js';

/** The topics that exist and that somebody in the group reads, in the order of their names. */
export function subscribedShareTopics(group: ShareGroup, topics: Topics): TopicImage[] {
  const names = new Set<string>();
  for (const { subscribedTopicNames } of group.members.values())
    for (const name of subscribedTopicNames) names.add(name);
  return [...names].sort().flatMap((name) => topics.topic(name) ?? []);
}

/** Partitions somebody reads whose state neither exists nor is being made. */
export function missingTopics(group: ShareGroup, topics: Topics): ShareTopics {
  const missing = new Map<string, { name: string; partitions: number[] }>();
  for (const { id, name, partitions } of subscribedShareTopics(group, topics)) {
    const known = new Set([
      ...(group.initialized.get(id)?.partitions ?? []),
      ...(group.initializing.get(id)?.partitions ?? []),
    ]);
    const rest = partitions.map(({ partition }) => partition).filter((partition) => !known.has(partition));
    if (rest.length > 0) missing.set(id, { name, partitions: rest });
  }
  return missing;
}

/** Both together. */
export function addTopics(first: ShareTopics, second: ShareTopics): ShareTopics {
  const all = new Map(first);
  for (const [id, { name, partitions }] of second) {
    const numbers = new Set([...(first.get(id)?.partitions ?? []), ...partitions]);
    all.set(id, { name, partitions: [...numbers].sort((left, right) => left - right) });
  }
  return all;
}

/** The first without what is in the second. */
export function withoutTopics(first: ShareTopics, second: ShareTopics): ShareTopics {
  const rest = new Map<string, { name: string; partitions: readonly number[] }>();
  for (const [id, { name, partitions }] of first) {
    const gone = new Set(second.get(id)?.partitions ?? []);
    const kept = partitions.filter((partition) => !gone.has(partition));
    if (kept.length > 0) rest.set(id, { name, partitions: kept });
  }
  return rest;
}
