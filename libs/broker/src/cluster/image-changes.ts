/**
 * What is different between two images, topic by topic: for brokers that follow the store instead of deciding.
 *
 * Guarantees: a topic that was deleted and created again under its name is both; a topic appears once per kind of change.
 */
import type { ClusterImage, TopicImage } from './image.js';
import type { TopicChange } from './topic-request.js';

function changesOfTopic(before: TopicImage, after: TopicImage): TopicChange[] {
  const changes: TopicChange[] = [];
  const firstNewPartition = before.partitions.length;
  if (after.partitions.length > firstNewPartition) changes.push({ type: 'grown', topic: after, firstNewPartition });
  if (JSON.stringify(before.config) !== JSON.stringify(after.config))
    changes.push({ type: 'configured', topic: after });
  const moved = before.partitions.some((partition, index) => {
    const now = after.partitions[index];
    return now?.leaderEpoch !== partition.leaderEpoch || now.partitionEpoch !== partition.partitionEpoch;
  });
  if (moved) changes.push({ type: 'elected', topic: after });
  return changes;
}

/** The changes that lead from one image to the other: deletions first. */
export function topicChanges(before: ClusterImage, after: ClusterImage): TopicChange[] {
  const changes: TopicChange[] = [];
  for (const topic of before.topics()) {
    if (!after.topicById(topic.id)) changes.push({ type: 'deleted', topic });
  }
  for (const topic of after.topics()) {
    const known = before.topicById(topic.id);
    if (!known) changes.push({ type: 'created', topic });
    else if (known !== topic) changes.push(...changesOfTopic(known, topic));
  }
  return changes;
}
