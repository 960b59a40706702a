/**
 * A consumer with everything around it scripted: clock, cluster, group and logs, for specs of its rules.
 */
import { silentLogger } from '../../io/logger.js';
import { seededRandom } from '../../io/random.js';
import type { ClientIo } from '../../io/io.js';
import { FakeClock } from '../../testing/fake-clock.js';
import { type ConsumerOptions, resolveConsumerOptions } from '../consumer-options.js';
import type { ConsumerRecords } from '../consumer-records.js';
import { KafkaConsumer } from '../kafka-consumer.js';
import type { RebalanceListener } from '../rebalance-listener.js';
import type { TopicPartition } from '../topic-partition.js';
import { ScriptedCluster } from './scripted-cluster.js';
import { ScriptedGroup } from './scripted-group.js';
import { ScriptedLog } from './scripted-log.js';

/** Step by which the clock moves while something is awaited. */
const STEP_MS = 10;
/** Longest time, on the fake clock, anything may take. */
const LIMIT_MS = 600_000;

/** The network is never used: the cluster is scripted. */
const noNetwork: ClientIo['network'] = {
  connect: () => {
    throw new Error('a scripted cluster opens no connections');
  },
};

/** The parts. */
export class ConsumerWorld {
  readonly clock = new FakeClock();
  readonly io: ClientIo = { clock: this.clock, random: seededRandom(1), network: noNetwork };
  readonly cluster = new ScriptedCluster(this.io);
  readonly group = new ScriptedGroup(this.cluster);
  readonly logs = new ScriptedLog(this.cluster, this.clock);
  readonly consumer: KafkaConsumer;

  constructor(options: Partial<ConsumerOptions> = {}) {
    const resolved = resolveConsumerOptions({
      bootstrapServers: 'broker-1:9092',
      groupId: 'billing',
      autoOffsetReset: 'earliest',
      enableAutoCommit: false,
      logger: silentLogger,
      ...options,
    });
    this.consumer = new KafkaConsumer(resolved, this.cluster, this.io);
  }

  /** Moves the clock until the promise is settled, and passes it on. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const watched = promise.finally(() => (settled = true));
    watched.catch(() => undefined);
    for (let elapsedMs = 0; elapsedMs < LIMIT_MS; elapsedMs += STEP_MS) {
      await this.clock.run();
      if (settled) return watched;
      await this.clock.advance(STEP_MS);
    }
    throw new Error(`nothing happened for ${LIMIT_MS} ms`);
  }

  /** One `poll`. */
  poll(timeoutMs = 1_000): Promise<ConsumerRecords> {
    return this.drive(this.consumer.poll(timeoutMs));
  }

  /** Polls once and returns the values. */
  async values(timeoutMs = 1_000): Promise<string[]> {
    return Array.from(await this.poll(timeoutMs), (record) => record.value?.toString() ?? 'null');
  }

  /** Polls until a condition holds; returns the values that came meanwhile. */
  async pollUntil(condition: () => boolean): Promise<string[]> {
    const values: string[] = [];
    for (let turn = 0; turn < 200 && !condition(); turn++) values.push(...(await this.values(10)));
    if (!condition()) throw new Error(`polled in vain; the log is ${this.group.log.join(', ')}`);
    return values;
  }

  /** Polls until that many partitions are assigned; returns the values that came meanwhile. */
  pollAssigned(count = 1): Promise<string[]> {
    return this.pollUntil(() => this.consumer.assignment().length === count);
  }

  /** Polls until the member has joined a generation and its assignment is in force; returns the values that came meanwhile. */
  pollGeneration(generationId: number): Promise<string[]> {
    const { consumer } = this;
    return this.pollUntil(
      () => consumer.groupMetadata().generationId === generationId && consumer.assignment().length > 0,
    );
  }

  /** A listener that writes into the group's log. */
  listener(): RebalanceListener {
    const note = (sign: string) => (partitions: TopicPartition[]) =>
      void this.group.log.push(sign + partitions.map((each) => `${each.topic}-${each.partition}`).join(' '));
    return {
      onPartitionsAssigned: note('assigned '),
      onPartitionsRevoked: note('revoked '),
      onPartitionsLost: note('lost '),
    };
  }

  /** What was logged since the last call. */
  takeLog(): string[] {
    return this.group.log.splice(0);
  }
}

/** A gate that is opened by hand. */
export function gate(): { readonly closed: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const closed = new Promise<void>((resolve) => (open = resolve));
  return { closed, open: () => open() };
}
