/**
 * What a handler may see: the broker's services, the connection, and the facts of the request's header.
 *
 * The seams of the other layers meet here and nowhere else in api/. No behaviour.
 */
import type { ClusterController } from '../cluster/controller.js';
import type { Groups } from '../coordinator/group-coordinator.js';
import type { SharePartitions } from '../coordinator/share/partition/share-partitions.js';
import type { ShareSessions } from '../coordinator/share/partition/share-sessions.js';
import type { ShareStates } from '../coordinator/share/state/share-state-coordinator.js';
import type { MarkerWriter } from '../coordinator/transaction/marker-writer.js';
import type { Transactions } from '../coordinator/transaction/transaction-coordinator.js';
import type { Clock } from '../io/clock.js';
import type { Logger } from '../io/logger.js';
import type { Partition } from '../replication/partition.js';
import type { Waits } from '../replication/waits.js';
import type { FetchMemory } from './fetch/fetch-memory.js';
import type { FetchSessions } from './fetch/fetch-sessions.js';
import type { ApiSettings } from './settings.js';
import type { TransactionGate } from './transaction-gate.js';

/** The connection a request came in on, as far as handlers are concerned. */
export interface ClientConnection {
  readonly id: number;
  readonly remoteHost: string;
  readonly remotePort: number;
  /** What the client called itself in ApiVersions (KIP-511); empty before that. */
  softwareName: string;
  softwareVersion: string;
  /** False once it is closed: nothing has to be read for it any more. */
  readonly isOpen: boolean;
  /** 0 when the system has taken everything; changes whenever it takes something. For seeing that a client is stuck. */
  readonly unsentMark: number;
  /** Calls `listener` when the connection is gone (at once if it is); returns how to take that back. */
  whenClosed(listener: () => void): () => void;
  /** Takes no further request off the connection until the returned function is called. */
  hold(): () => void;
  /** Closes the connection and logs why: the only way to tell a producer with acks=0 that something failed. */
  fail(reason: string): void;
}

/** One API as ApiVersions advertises it. */
export interface AdvertisedApi {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** The services handlers work with. One object per broker. */
export interface BrokerServices {
  readonly brokerId: number;
  /** Where the logs are; null when everything is in memory. */
  readonly dataDir: string | null;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: ApiSettings;
  readonly controller: ClusterController;
  readonly partitions: {
    /** False after the disk broke. */
    readonly isOnline: boolean;
    get(topic: string, partition: number): Partition | undefined;
    all(): Iterable<Partition>;
    readonly waits: Waits;
    /** Whether writing lags behind. */
    readonly pressure: { readonly isHigh: boolean; onRelief(relieved: () => void): void };
  };
  readonly fetchSessions: FetchSessions;
  /** What fetch answers are read into and sent from. */
  readonly fetchMemory: FetchMemory;
  readonly groups: Groups;
  /** What share groups have done, their partitions that are at work here, and who fetches from them. */
  readonly shareStates: ShareStates;
  readonly shares: SharePartitions;
  readonly shareSessions: ShareSessions;
  readonly transactions: Transactions;
  /** What writes the ends of transactions into the partitions of this broker. */
  readonly markers: MarkerWriter;
  /** What batches of transactions pass on their way into a partition. */
  readonly transactionGate: TransactionGate;
  /** Everything this broker serves, in the order of the keys. */
  readonly advertised: readonly AdvertisedApi[];
}

/** One request, as its handler sees it. */
export interface RequestContext {
  readonly broker: BrokerServices;
  readonly connection: ClientConnection;
  readonly apiVersion: number;
  readonly clientId: string | null;
}
