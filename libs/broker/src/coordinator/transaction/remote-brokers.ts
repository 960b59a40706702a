/**
 * What a broker asks the other brokers of a cluster about transactions. A port: with one broker there is nobody to ask.
 */
import type { EndMarker } from '../../replication/partition.js';

/** The leader of a partition wants to take the first batch of a transaction. */
export interface EnterRequest {
  readonly id: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly topic: string;
  readonly partition: number;
  /** The client leaves it to the brokers to add the partition (transactions v2); else it must have been added. */
  readonly adds: boolean;
}

/** Codes are Kafka's, or NETWORK_EXCEPTION. Each `done` is called exactly once. */
export interface RemoteBrokers {
  /** WriteTxnMarkers to the leader of a partition. */
  writeMarker(
    nodeId: number,
    marker: EndMarker,
    place: { readonly topic: string; readonly partition: number },
    done: (errorCode: number) => void,
  ): void;
  /** AddPartitionsToTxn of version 4 or later to the coordinator of a transaction. */
  enter(nodeId: number, request: EnterRequest, done: (errorCode: number) => void): void;
}
