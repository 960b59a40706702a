/**
 * What the container specs share: one container on the driver fake, a fake clock, and a diary of everything that happens.
 */
import { AckMode, CommitStyle } from '../commit/ack-mode.js';
import type { Acknowledgment } from '../commit/acknowledgment.js';
import { strategyFactory } from '../commit/create-strategy.js';
import type { TopicPartition } from '../drivers/driver.js';
import { recordName } from '../drivers/driver.js';
import { FixedBackOff } from '../error-handling/back-off.js';
import { DefaultErrorHandler, type DefaultErrorHandlerOptions } from '../error-handling/default-error-handler.js';
import { ContainerEvents, type ContainerEvent } from '../events/container-event.js';
import type { Log } from '../io/log.js';
import type { ConsumerRecord } from '../record/consumer-record.js';
import { recordSerdes } from '../serde/record-serdes.js';
import type { ConsumerFake } from '../testing/consumer-fake.js';
import { DriverFake } from '../testing/driver-fake.js';
import { FakeClock } from '../testing/fake-clock.js';
import type { Consumer } from './consumer.js';
import type { ContainerSettings } from './container-settings.js';
import { flowSettings } from './flow-options.js';
import { ListenerContainer } from './listener-container.js';

/** What a fixture's listener does with a record. */
export type Handler = (record: ConsumerRecord, ack: Acknowledgment, consumer: Consumer) => unknown;

/** Settings of a fixture, by their usual names. */
export interface FixtureOptions extends Partial<Omit<ContainerSettings, 'listener'>> {
  readonly ackMode?: AckMode;
  readonly handler?: Handler;
  readonly onBatch?: (records: readonly ConsumerRecord[], ack: Acknowledgment) => unknown;
  readonly retries?: DefaultErrorHandlerOptions;
  /** Values in partition 0 of topic `t` before the start. */
  readonly values?: readonly string[];
}

/** A container on fakes. */
export class ContainerFixture {
  readonly clock = new FakeClock();
  readonly driver = new DriverFake(this.clock);
  /** Values delivered, in order. */
  readonly delivered: string[] = [];
  readonly events: ContainerEvent[] = [];
  readonly logged: string[] = [];
  readonly settings: ContainerSettings;
  readonly container: ListenerContainer;

  constructor(options: FixtureOptions = {}) {
    const { cluster } = this.driver;
    cluster.createTopic('t', 2);
    for (const value of options.values ?? []) cluster.append({ topic: 't', value });
    const log = this.#log();
    const events = new ContainerEvents(log);
    events.subscribe((event) => void this.events.push(event));
    const { clock, driver } = this;
    this.settings = this.#settings(options, log);
    const topicsReady = Promise.resolve();
    this.container = new ListenerContainer(
      this.settings,
      { driver, events, clock, log, topicsReady },
      { index: 0, count: 1 },
    );
  }

  /** The consumer of the running container. */
  get consumer(): ConsumerFake {
    const consumer = this.driver.consumers.at(-1);
    if (consumer === undefined) throw new Error('the container has not been started');
    return consumer;
  }

  /** Calls on the consumer that move or commit something. */
  get calls(): string[] {
    return this.driver.calls;
  }

  /** Starts, and waits until all that is there has been handled. */
  async start(): Promise<void> {
    this.container.start();
    await this.consumer.parked();
  }

  /** Appends values to a partition and waits until they have been handled. */
  async append(values: readonly string[], partition = 0): Promise<void> {
    for (const value of values) this.driver.cluster.append({ topic: 't', partition, value });
    await this.consumer.parked();
  }

  /** Lets time pass and waits until the container has done what it then does. */
  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.consumer.parked();
  }

  /** Offset the group has committed for a partition of `t`. */
  committed(partition = 0): number | undefined {
    return this.driver.cluster.offsetsOf('g').get(`t-${partition}`)?.offset;
  }

  /** Types of events, with their partitions or reason. */
  eventNames(): string[] {
    return this.events.map((event) => {
      if (event.type === 'stopped') return `stopped ${event.reason}`;
      if ('record' in event) return `${event.type} ${recordName(event.record)}`;
      return event.type;
    });
  }

  #settings(options: FixtureOptions, log: Log): ContainerSettings {
    const { ackMode = AckMode.BATCH, handler, onBatch, retries, values: _values, ...rest } = options;
    const onRecord = (record: ConsumerRecord, ack: Acknowledgment | undefined, consumer: Consumer) => {
      this.delivered.push(String(record.value));
      return handler?.(record, ack as Acknowledgment, consumer);
    };
    const onRecords = (records: readonly ConsumerRecord[], ack: Acknowledgment | undefined) => {
      this.delivered.push(records.map((record) => String(record.value)).join('+'));
      return onBatch?.(records, ack as Acknowledgment);
    };
    return {
      id: 'l',
      source: { kind: 'topics', topics: ['t'] },
      groupId: 'g',
      listener: onBatch === undefined ? { batch: false, onRecord } : { batch: true, onBatch: onRecords },
      concurrency: 1,
      consumer: { autoOffsetReset: 'earliest', ...options.consumer },
      serdes: recordSerdes(),
      strategy: strategyFactory(ackMode, { ackCount: 3, ackTimeMs: 1000 }),
      commitStyle: CommitStyle.SYNC,
      commitRetries: 3,
      commitCallback: undefined,
      assignmentCommit: 'latest-only',
      pollTimeoutMs: 5000,
      pollTimeoutWhilePausedMs: 100,
      idleBetweenPollsMs: 0,
      shutdownTimeoutMs: 10_000,
      stopImmediate: false,
      autoStartup: true,
      missingTopicsFatal: false,
      topicCheckTimeoutMs: 30_000,
      errorHandler: new DefaultErrorHandler({ backOff: new FixedBackOff(0, 2), log, ...retries }),
      ...flowSettings({ restart: false }),
      ...rest,
    };
  }

  #log(): Log {
    const say = (level: string) => (message: string, error?: unknown) => {
      this.logged.push(`${level} ${message}${error instanceof Error ? `: ${error.message}` : ''}`);
    };
    return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  }
}

/** A partition of topic `t`. */
export function partitionOf(partition: number): TopicPartition {
  return { topic: 't', partition };
}

/** A promise and the two ways to end it. */
export function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** Waits for a condition, turn by turn; gives up after many turns rather than hang. */
export async function waitFor(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('the condition did not come about');
}
