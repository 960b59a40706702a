/**
 * DescribeLogDirs: v1–v5.
 *
 * The data directory and the bytes each partition takes in it. Space on the device is not measured (-1), and there are
 * never two copies of a partition on one broker.
 */
import { DescribeLogDirs, ErrorCode, type DescribeLogDirsRequest } from '@kafka-template/protocol';
import type { Partition } from '../../replication/partition.js';
import { handler } from '../handler.js';
import { logDirOf } from '../log-dir.js';

/** See the head of this file. */
export const describeLogDirs = handler(DescribeLogDirs, { versions: [1, 5] }, (request, { broker }) => {
  const byTopic = new Map<string, Partition[]>();
  for (const partition of broker.partitions.all()) {
    if (!isAsked(request, partition)) continue;
    const others = byTopic.get(partition.topic);
    if (others === undefined) byTopic.set(partition.topic, [partition]);
    else others.push(partition);
  }
  const topics = [...byTopic].map(([name, partitions]) => ({
    name,
    partitions: partitions.map(({ partition, sizeBytes }) => ({
      partitionIndex: partition,
      partitionSize: sizeBytes,
      offsetLag: 0,
      isFutureKey: false,
    })),
  }));
  const errorCode = broker.partitions.isOnline ? ErrorCode.NONE : ErrorCode.KAFKA_STORAGE_ERROR;
  return { results: [{ errorCode, logDir: logDirOf(broker), topics: errorCode === ErrorCode.NONE ? topics : [] }] };
});

function isAsked(request: DescribeLogDirsRequest, { topic, partition }: Partition): boolean {
  if (request.topics === null) return true;
  return request.topics.some((asked) => asked.topic === topic && asked.partitions.includes(partition));
}
