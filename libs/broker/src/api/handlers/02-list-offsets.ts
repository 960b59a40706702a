/**
 * ListOffsets: v1–v11.
 *
 * Finds an offset by time, or one of the named places of a log: the end (the last stable offset for committed readers),
 * the start, the record with the largest timestamp. There is no tiered storage: what asks for it finds nothing, and the
 * local start is the start. Nothing found is not an error: offset and timestamp are -1.
 */
import { ErrorCode, ListOffsets, type ListOffsetsRequest, type ResponseInput } from '@kafka-template/protocol';
import type { Partition, TimestampOffset } from '../../replication/partition.js';
import type { RequestContext } from '../context.js';
import { handler } from '../handler.js';
import { locateLeader } from '../leader.js';

type Row = ResponseInput<typeof ListOffsets>['topics'][number]['partitions'][number];
type PartitionRequest = ListOffsetsRequest['topics'][number]['partitions'][number];

/** The named places, and the first version in which each may be asked for. Source: KIP-734, KIP-405, KIP-1005, KIP-1023. */
const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;
const LATEST_TIERED = -5;
const EARLIEST_PENDING_UPLOAD = -6;
const SINCE_VERSION = new Map([
  [LATEST, 1],
  [EARLIEST, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11],
]);

const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;
const LEADER_EPOCH_SINCE_VERSION = 4;

/** See the head of this file. */
export const listOffsets = handler(ListOffsets, { versions: [1, 11] }, async (request, context) => {
  const duplicates = findDuplicates(request);
  const topics = request.topics.map(async ({ name, partitions }) => ({
    name,
    partitions: await Promise.all(
      partitions.map(async (data) => {
        const isDuplicate = duplicates.has(placeOf(name, data.partitionIndex));
        if (isDuplicate) return failed(data.partitionIndex, ErrorCode.INVALID_REQUEST);
        return answer(request.isolationLevel, name, data, context);
      }),
    ),
  }));
  return { topics: await Promise.all(topics) };
});

async function answer(
  isolationLevel: number,
  topic: string,
  data: PartitionRequest,
  { broker, apiVersion }: RequestContext,
): Promise<Row> {
  const { partitionIndex, timestamp } = data;
  if (isolationLevel !== READ_UNCOMMITTED && isolationLevel !== READ_COMMITTED) {
    return failed(partitionIndex, ErrorCode.UNKNOWN_SERVER_ERROR);
  }
  const located = locateLeader(broker, broker.controller.image.topic(topic), partitionIndex, data.currentLeaderEpoch);
  if (!('partition' in located)) return failed(partitionIndex, located.errorCode);
  const since = SINCE_VERSION.get(timestamp) ?? (timestamp < 0 ? Infinity : 0);
  if (apiVersion < since) return failed(partitionIndex, ErrorCode.UNSUPPORTED_VERSION);
  const found = await find(located.partition, timestamp, isolationLevel === READ_COMMITTED);
  const leaderEpoch = apiVersion < LEADER_EPOCH_SINCE_VERSION ? -1 : found.leaderEpoch;
  return { partitionIndex, errorCode: ErrorCode.NONE, timestamp: found.timestamp, offset: found.offset, leaderEpoch };
}

const NOTHING: TimestampOffset = { offset: -1, timestamp: -1, leaderEpoch: -1 };

async function find(partition: Partition, timestamp: number, readCommitted: boolean): Promise<TimestampOffset> {
  const end = readCommitted ? partition.lastStableOffset : partition.highWatermark;
  switch (timestamp) {
    case LATEST:
      return { offset: end, timestamp: -1, leaderEpoch: partition.leaderEpoch };
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { offset: partition.logStartOffset, timestamp: -1, leaderEpoch: firstEpoch(partition) };
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return NOTHING;
    case MAX_TIMESTAMP:
      return (await partition.offsetOfMaxTimestamp()) ?? NOTHING;
    default: {
      const found = await partition.offsetForTimestamp(timestamp);
      return found === null || found.offset >= end ? NOTHING : found;
    }
  }
}

/** The epoch of the first record: the lowest epoch that ends behind the log's start. */
function firstEpoch(partition: Partition): number {
  for (let epoch = 0; epoch < partition.leaderEpoch; epoch++) {
    const end = partition.epochEndOffset(epoch);
    if (end.leaderEpoch === epoch && end.endOffset > partition.logStartOffset) return epoch;
  }
  return partition.leaderEpoch;
}

/** Partitions that are named twice cannot be answered twice: Kafka refuses each mention. */
function findDuplicates(request: ListOffsetsRequest): Set<string> {
  const seen = new Set<string>();
  const duplicates = new Set<string>();
  for (const { name, partitions } of request.topics) {
    for (const { partitionIndex } of partitions) {
      const place = placeOf(name, partitionIndex);
      if (seen.has(place)) duplicates.add(place);
      seen.add(place);
    }
  }
  return duplicates;
}

function placeOf(topic: string, index: number): string {
  return `${topic}-${index}`;
}

function failed(partitionIndex: number, errorCode: number): Row {
  return { partitionIndex, errorCode };
}
