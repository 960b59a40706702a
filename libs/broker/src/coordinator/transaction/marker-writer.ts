/**
 * Writes the markers that end a transaction into partitions that this broker leads.
 *
 * Guarantees: a marker in a partition of `__consumer_offsets` settles the offsets that the transaction committed there as
 * soon as it is in the log; a partition that is not here, or not led from here, is reported and not touched.
 * Source: KIP-98, WriteTxnMarkers.
 */
import { ErrorCode } from '@kafka-template/protocol';
import type { ClusterImage } from '../../cluster/image.js';
import type { EndMarker, Partition } from '../../replication/partition.js';
import { OFFSETS_TOPIC, type Groups } from '../group-coordinator.js';

/** What the writer needs. */
export interface MarkerWriterOptions {
  readonly brokerId: number;
  readonly image: () => ClusterImage;
  readonly partitions: { get(topic: string, partition: number): Partition | undefined };
  readonly groups: Pick<Groups, 'endTransaction'>;
}

/** How long a marker may wait for other replicas, in milliseconds. Source: Kafka, `request.timeout.ms`. */
export const MARKER_TIMEOUT_MS = 30_000;

/** See the file comment. */
export class MarkerWriter {
  constructor(private readonly options: MarkerWriterOptions) {}

  /** Writes one marker; `done` gets Kafka's code, perhaps before this returns. */
  write(marker: EndMarker, topic: string, index: number, done: (errorCode: number) => void): void {
    const { brokerId, image, partitions, groups } = this.options;
    const state = image().topic(topic)?.partitions[index];
    if (state === undefined) return done(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    const partition = state.leader === brokerId ? partitions.get(topic, index) : undefined;
    if (partition === undefined) return done(ErrorCode.NOT_LEADER_OR_FOLLOWER);
    const { producerId, committed } = marker;
    partition.appendMarker(marker, MARKER_TIMEOUT_MS, ({ errorCode }) => {
      if (errorCode === ErrorCode.NONE && topic === OFFSETS_TOPIC) groups.endTransaction(index, producerId, committed);
      done(errorCode);
    });
  }
}
