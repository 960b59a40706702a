/** Types of cluster.mjs, for the specs. */

/** How to start a cluster. */
export interface KafkaClusterOptions {
  /** Default: 3. */
  readonly nodes?: number;
  /** Further lines of server.properties for every node; they win over the ones set here. */
  readonly config?: Readonly<Record<string, string>>;
  /** Which line of Kafka: `4.3` or `3.9`. Default: KAFKA_LINE, else 4.3. */
  readonly line?: string;
}

/** A running cluster. Nodes are named by their ids, from 1. */
export interface KafkaCluster {
  /** All nodes. */
  readonly bootstrapServers: string;
  /** Starts a node that was killed, with its data. */
  start(id: number): Promise<unknown>;
  /** Ends a node with SIGKILL. */
  kill(id: number): Promise<void>;
  /** The last 64 KiB of what it printed. */
  log(id: number): string;
  /** Ends all nodes and removes the data. */
  stop(): Promise<void>;
}

export declare function startKafkaCluster(options?: KafkaClusterOptions): Promise<KafkaCluster>;
