/**
 * AlterReplicaLogDirs: v1–v2.
 *
 * There is one data directory: a replica that is to be in it is there already, and every other directory is unknown.
 */
import { AlterReplicaLogDirs, ErrorCode } from '@kafka-template/protocol';
import { handler } from '../handler.js';
import { logDirOf } from '../log-dir.js';

/** See the head of this file. */
export const alterReplicaLogDirs = handler(AlterReplicaLogDirs, { versions: [1, 2] }, (request, { broker }) => {
  const results = request.dirs.flatMap(({ path, topics }) =>
    topics.map(({ name, partitions }) => ({
      topicName: name,
      partitions: partitions.map((partitionIndex) => ({
        partitionIndex,
        errorCode:
          path !== logDirOf(broker)
            ? ErrorCode.LOG_DIR_NOT_FOUND
            : broker.partitions.get(name, partitionIndex) === undefined
              ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
              : ErrorCode.NONE,
      })),
    })),
  );
  return { results };
});
