/** Types of start.mjs, for the specs. */

/** How to start a node. */
export interface KafkaOptions {
  /** Where its data is and stays. Default: a temporary folder, removed by `stop`. */
  readonly dataDir?: string;
  /** The port for clients. Default: a free one of the system. */
  readonly port?: number;
  /** Further lines of server.properties; they win over the ones set here. */
  readonly config?: Readonly<Record<string, string>>;
  /** Listeners beside the plain one: name → security protocol (`SSL`, `SASL_SSL`, …). Ports are chosen. */
  readonly listeners?: Readonly<Record<string, string>>;
  /** Further arguments of the storage tool: `['--add-scram', 'SCRAM-SHA-256=[name=…,password=…]']`. */
  readonly formatArguments?: readonly string[];
  /** Which line of Kafka: `4.3` or `3.9`. Default: KAFKA_LINE, else 4.3. */
  readonly line?: string;
  /** Java's -Xmx. Default: 512m. */
  readonly heap?: string;
}

/** A running node. */
export interface RunningKafka {
  readonly version: string;
  readonly host: string;
  readonly port: number;
  readonly bootstrapServers: string;
  /** Ports of the further listeners, by name. */
  readonly ports: Readonly<Record<string, number>>;
  readonly dataDir: string;
  readonly pid: number;
  /** Java's class path with all of Kafka's tools. */
  readonly classPath: string;
  /** The last 64 KiB of what it printed. */
  log(): string;
  /** Ends it with SIGKILL and keeps the data. */
  kill(): Promise<void>;
  /** Ends it in order. `keepData` defaults to whether `dataDir` was given. */
  stop(options?: { keepData?: boolean }): Promise<void>;
}

export declare const KAFKA_VERSION: string;
export declare const KAFKA_VERSIONS: Readonly<Record<string, string>>;
export declare function installKafka(line?: string): string;
export declare function startKafka(options?: KafkaOptions): Promise<RunningKafka>;
