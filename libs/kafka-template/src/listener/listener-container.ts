/**
 * One consumer and its loop: poll, dispatch, commit. Spring's KafkaMessageListenerContainer.
 *
 * Never ends silently: a failed poll is logged, waited out and tried again; what makes going on pointless stops the
 * container with a reason and an event. Stopping finishes the records in hand, commits, and leaves the group. What to do with
 * a record, when to commit and how to take failures is decided by the dispatchers, strategies and handlers it is given.
 */
import type { ConsumerProperties } from '../drivers/driver-options.js';
import type { Driver, DriverConsumer, DriverRecords, TopicPartition } from '../drivers/driver.js';
import { asError, errorCodeOf, messageOf } from '../errors.js';
import type { ContainerEventBody, ContainerEvents, StopReason } from '../events/container-event.js';
import type { Clock, Timer } from '../io/clock.js';
import type { Log } from '../io/log.js';
import { counted, milliseconds } from '../io/wording.js';
import { noCommitStrategy } from '../commit/no-commit.js';
import { Assignment } from './assignment.js';
import { BatchDispatcher } from './batch-dispatcher.js';
import { Committer, isMembershipLost } from './committer.js';
import { ContainerRuntime } from './container-runtime.js';
import type { ContainerSettings } from './container-settings.js';
import { Consumer } from './consumer.js';
import { requireCapabilities } from './capabilities.js';
import { isFatal, stopReasonOf } from './fatal-errors.js';
import { resolvePartitions, seekToStarts, shareOf } from './manual-assignment.js';
import { Pauses } from './pauses.js';
import { ContainerRebalance } from './rebalance.js';
import { type Dispatcher, RecordDispatcher } from './record-dispatcher.js';

/** What containers need from outside. */
export interface ContainerEnvironment {
  readonly driver: Driver;
  readonly events: ContainerEvents;
  readonly clock: Clock;
  readonly log: Log;
  /** Resolves when the topics that are created at start exist, or have been given up; consumers wait for it. */
  readonly topicsReady: Promise<void>;
}

/** Which of several consumers of one listener this is. */
export interface ContainerPlace {
  readonly index: number;
  readonly count: number;
}

/** What a container is doing. */
export type ContainerState = 'stopped' | 'running' | 'stopping';

/** Pauses after failed polls grow from the first to the second, in milliseconds. */
const POLL_BACKOFF_MS = 100;
const POLL_BACKOFF_MAX_MS = 5000;

/** How long a stop waits for the answer to a commit: the client itself would wait `defaultApiTimeoutMs`. */
const COMMIT_GRACE_MS = 1000;

/** How long a stop waits for a poll that has been woken. */
const POLL_GRACE_MS = 1500;

/** How long the consumer may take to leave its group and disconnect. */
const CLOSE_TIMEOUT_MS = 1500;

/** A consumer, a listener and the loop between them. */
export class ListenerContainer {
  readonly id: string;
  readonly #settings: ContainerSettings;
  readonly #environment: ContainerEnvironment;
  readonly #place: ContainerPlace;
  #state: ContainerState = 'stopped';
  #isPauseRequested = false;
  #isStartRequested = false;
  #runtime: ContainerRuntime | undefined;
  #loop: Promise<void> = Promise.resolve();
  #stopReason: StopReason | undefined;
  #lastError: Error | undefined;
  #isPolling = false;
  #endWait: (() => void) | undefined;
  #pollFailures = 0;
  #pollGrace: Timer | undefined;

  constructor(settings: ContainerSettings, environment: ContainerEnvironment, place: ContainerPlace) {
    this.id = `${settings.id}-${place.index}`;
    this.#settings = settings;
    this.#environment = environment;
    this.#place = place;
  }

  /** What it is doing. */
  get state(): ContainerState {
    return this.#state;
  }

  /** Why it is not running any more; undefined while it runs and before the first start. */
  get stopReason(): StopReason | undefined {
    return this.#stopReason;
  }

  /** The last error that reached the loop. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** False when it stopped although nobody asked: the base of a health check. */
  get isInExpectedState(): boolean {
    return this.#stopReason === undefined || this.#stopReason === 'NORMAL';
  }

  /** The partitions it has. */
  get assignment(): readonly TopicPartition[] {
    return this.#runtime?.parts.assignment.list() ?? [];
  }

  /** Whether it has been told its partitions since it was started, be it none: from then on it sees new records. */
  get isReady(): boolean {
    return this.#state === 'running' && (this.#runtime?.parts.assignment.isKnown ?? false);
  }

  /** Whether a pause has been asked for. */
  get isPaused(): boolean {
    return this.#isPauseRequested;
  }

  /** Whether `start` was called while it was stopping, so that it starts as soon as it has. */
  get isStartRequested(): boolean {
    return this.#isStartRequested;
  }

  /**
   * Makes a consumer and starts the loop; while the container is stopping, as soon as that is done. Does not wait for an
   * assignment. Throws when the driver refuses the options.
   */
  start(): void {
    if (this.#state === 'stopping') this.#isStartRequested = true;
    if (this.#state !== 'stopped') return;
    requireCapabilities(this.#settings, this.#environment.driver);
    this.#publish({ type: 'starting' });
    const runtime = this.#createRuntime();
    this.#runtime = runtime;
    this.#state = 'running';
    this.#stopReason = undefined;
    this.#lastError = undefined;
    this.#pollFailures = 0;
    this.#loop = this.#run(runtime);
  }

  /**
   * Finishes the records in hand, commits, leaves the group. Resolves when that is done or after `shutdownTimeoutMs`,
   * when a listener is still busy; it then ends in the background as soon as the listener returns.
   */
  async stop(): Promise<void> {
    this.#isStartRequested = false;
    if (this.#state === 'running') this.#requestStop('NORMAL');
    const { clock, log } = this.#environment;
    const timeoutMs = this.#settings.shutdownTimeoutMs;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(timeoutMs, () => {
        log.warn(
          `${this.id}: the listener is still busy ${milliseconds(timeoutMs)} after the stop; not waiting any longer`,
        );
        resolve();
      });
      void this.#loop.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** Stops fetching before the next poll. The container stays a member of its group. */
  pause(): void {
    this.#setPaused(true);
  }

  /** Ends a pause. */
  resume(): void {
    this.#setPaused(false);
  }

  #setPaused(isPaused: boolean): void {
    if (this.#isPauseRequested === isPaused) return;
    this.#isPauseRequested = isPaused;
    this.#runtime?.parts.pauses.setContainerPaused(isPaused);
    this.#wake();
    this.#publish({ type: isPaused ? 'paused' : 'resumed' });
  }

  #createRuntime(): ContainerRuntime {
    const settings = this.#settings;
    const { driver, clock, log } = this.#environment;
    const consumer = driver.createConsumer(this.#consumerProperties());
    const assignment = new Assignment();
    const publish = (event: ContainerEventBody) => this.#publish(event);
    const hasCommits = settings.groupId !== undefined && settings.consumer.enableAutoCommit !== true;
    const pauses = new Pauses(consumer, assignment);
    pauses.setContainerPaused(this.#isPauseRequested);
    const committer = new Committer({
      consumer,
      style: settings.commitStyle,
      retries: settings.commitRetries,
      settleTimeoutMs: CLOSE_TIMEOUT_MS,
      callback: settings.commitCallback,
      publish,
      clock,
      log,
    });
    const runtime = new ContainerRuntime({
      settings,
      containerId: this.id,
      consumer,
      assignment,
      pauses,
      strategy: hasCommits ? settings.strategy(clock.now()) : noCommitStrategy,
      committer,
      clock,
      log,
      publish,
      stopping: () => this.#stopping(),
      stopAbnormally: (error) => this.#fail(error, 'ABNORMAL'),
      wake: () => this.#wake(),
    });
    runtime.handle = new Consumer(consumer, (partitions) => runtime.onSeek(partitions));
    return runtime;
  }

  #consumerProperties(): ConsumerProperties {
    const { consumer, groupId } = this.#settings;
    const { index } = this.#place;
    return {
      ...consumer,
      groupId,
      clientId: `${consumer.clientId ?? this.#settings.id}-${index}`,
      groupInstanceId: consumer.groupInstanceId === undefined ? undefined : `${consumer.groupInstanceId}-${index}`,
      enableAutoCommit: consumer.enableAutoCommit === true && groupId !== undefined,
    };
  }

  async #run(runtime: ContainerRuntime): Promise<void> {
    const { consumer, log } = runtime.parts;
    try {
      await this.#topicsReady();
      const dispatcher = this.#createDispatcher(runtime);
      let isBegun = false;
      while (this.#state === 'running') {
        try {
          if (isBegun) await this.#turn(runtime, dispatcher);
          else {
            // On its own, so that a stop meanwhile is seen before the first poll.
            await this.#begin(runtime);
            isBegun = true;
          }
          this.#pollSucceeded();
        } catch (error) {
          await this.#afterFailure(runtime, error);
        }
      }
      await this.#commitLast(runtime);
    } catch (error) {
      // Nothing is meant to get here; if something does, it is said and not lost.
      this.#fail(asError(error), 'ERROR');
    }
    this.#state = 'stopping';
    await consumer.close(CLOSE_TIMEOUT_MS).catch((error: unknown) => {
      log.warn(`${this.id}: the consumer did not close in order: ${messageOf(error)}`);
    });
    this.#ended(runtime);
  }

  #createDispatcher(runtime: ContainerRuntime): Dispatcher {
    const { listener } = this.#settings;
    return listener.batch
      ? new BatchDispatcher(runtime, listener.onBatch)
      : new RecordDispatcher(runtime, listener.onRecord);
  }

  /** Waits for the topics that are created at start, or for a stop. */
  async #topicsReady(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#endWait = resolve;
      void this.#environment.topicsReady.then(resolve);
    });
    this.#endWait = undefined;
  }

  /** Subscribes, or assigns partitions and moves to where reading begins. */
  async #begin(runtime: ContainerRuntime): Promise<void> {
    const { consumer } = runtime.parts;
    const { source } = this.#settings;
    const rebalance = new ContainerRebalance(runtime);
    if (source.kind === 'topics') consumer.subscribe(source.topics, rebalance);
    else if (source.kind === 'pattern') consumer.subscribe(source.pattern, rebalance);
    else {
      const all = await resolvePartitions(source.partitions, consumer);
      const share = shareOf(all, this.#place.index, this.#place.count);
      consumer.assign(share.map(({ topic, partition }) => ({ topic, partition })));
      await seekToStarts(consumer, share);
      await rebalance.onPartitionsAssigned(share);
    }
    this.#publish({ type: 'started' });
  }

  /** One pass of the loop. */
  async #turn(runtime: ContainerRuntime, dispatcher: Dispatcher): Promise<void> {
    const { consumer, pauses, strategy, committer, clock } = runtime.parts;
    const settings = this.#settings;
    const startedAt = clock.now();
    pauses.apply(startedAt);
    const polled = await this.#poll(consumer, pauses.pollTimeout(startedAt, settings));
    if (this.#state !== 'running') {
      // Nobody has seen these records: they must not count as read.
      for (const partition of polled.partitions()) runtime.rewind(polled.records(partition)[0]);
      return;
    }
    await committer.commitLeftovers();
    if (polled.count > 0) await dispatcher.dispatch(polled);
    await runtime.commit(strategy.onPollDone(polled.count, clock.now()));
    if (settings.idleBetweenPollsMs > 0) await this.#wait(settings.idleBetweenPollsMs);
    // A consumer with records in memory and a listener that never waits would keep timers and sockets from their turn.
    else if (polled.count > 0) await clock.nextTurn();
  }

  async #poll(consumer: DriverConsumer, timeoutMs: number): Promise<DriverRecords> {
    this.#isPolling = true;
    try {
      return await consumer.poll(timeoutMs);
    } finally {
      this.#isPolling = false;
    }
  }

  #pollSucceeded(): void {
    if (this.#pollFailures === 0) return;
    this.#environment.log.info(`${this.id}: polling works again after ${counted(this.#pollFailures, 'failure')}`);
    this.#pollFailures = 0;
  }

  async #afterFailure(runtime: ContainerRuntime, thrown: unknown): Promise<void> {
    const { log } = runtime.parts;
    const error = errorCodeOf(thrown) === 'WAKEUP' ? await this.#afterWakeup(runtime) : asError(thrown);
    if (error === undefined) return;
    if (this.#state !== 'running') {
      const message = `${this.id}: failed while it stops: ${error.message}`;
      // A poll that was still waiting ends by being closed.
      if (isFatal(error) && errorCodeOf(error) !== 'CLOSED') log.warn(message);
      else log.debug(message);
      return;
    }
    this.#lastError = error;
    if (isMembershipLost(error) && errorCodeOf(error) !== 'FENCED_INSTANCE_ID') {
      log.warn(`${this.id}: the group has gone on without this member; it joins again: ${error.message}`);
      return;
    }
    if (isFatal(error)) {
      this.#fail(error, stopReasonOf(error));
      return;
    }
    this.#pollFailures++;
    const delayMs = Math.min(POLL_BACKOFF_MAX_MS, POLL_BACKOFF_MS * 2 ** (this.#pollFailures - 1));
    log.error(`${this.id}: polling failed (${this.#pollFailures} in a row), again in ${milliseconds(delayMs)}`, error);
    this.#publish({ type: 'poll-failed', error });
    await this.#wait(delayMs);
  }

  /** Somebody acknowledged, paused or stopped; what was acknowledged is committed now. Returns what that brought. */
  async #afterWakeup(runtime: ContainerRuntime): Promise<Error | undefined> {
    const { strategy, clock } = runtime.parts;
    if (!strategy.manual) return undefined;
    try {
      await runtime.commit(strategy.onPollDone(1, clock.now()));
      return undefined;
    } catch (error) {
      return asError(error);
    }
  }

  /** The last commit, while the partitions are still ours. Not after a fatal end: the broker would not listen. */
  async #commitLast(runtime: ContainerRuntime): Promise<void> {
    const { strategy, committer, assignment } = runtime.parts;
    if (this.#stopReason !== 'NORMAL' && this.#stopReason !== 'ABNORMAL') return;
    await committer.commitFinally(strategy.onRevoked(assignment.list()));
  }

  #ended(runtime: ContainerRuntime): void {
    const { assignment, log } = runtime.parts;
    this.#pollGrace?.cancel();
    runtime.forget(assignment.list());
    this.#runtime = undefined;
    this.#state = 'stopped';
    const reason = this.#stopReason ?? 'ERROR';
    if (reason === 'NORMAL') log.info(`${this.id}: stopped`);
    this.#publish({ type: 'stopped', reason, error: reason === 'NORMAL' ? undefined : this.#lastError });
    if (this.#isStartRequested) this.#startAgain();
  }

  /** Nobody waits for this start, so a failure is said here. */
  #startAgain(): void {
    this.#isStartRequested = false;
    try {
      this.start();
    } catch (thrown) {
      const error = asError(thrown);
      const reason = stopReasonOf(error);
      this.#lastError = error;
      this.#stopReason = reason;
      this.#environment.log.error(`${this.id}: the container could not be started again (${reason})`, error);
      this.#publish({ type: 'stopped', reason, error });
    }
  }

  #fail(error: Error, reason: StopReason): void {
    this.#lastError = error;
    if (this.#state === 'running') this.#requestStop(reason);
    else this.#stopReason = reason;
    this.#environment.log.error(`${this.id}: the container stops (${reason}) and has to be started again`, error);
  }

  #requestStop(reason: StopReason): void {
    this.#stopReason = reason;
    this.#state = 'stopping';
    this.#publish({ type: 'stopping' });
    this.#endWait?.();
    this.#wake();
    const runtime = this.#runtime;
    runtime?.parts.committer.limitWaits(COMMIT_GRACE_MS);
    // A poll that is in a rebalance with a broker that has gone does not hear the wake-up; it hears this.
    this.#pollGrace = this.#environment.clock.setTimer(POLL_GRACE_MS, () => {
      if (this.#isPolling) void runtime?.parts.consumer.close(0).catch(() => undefined);
    });
  }

  #stopping(): 'no' | 'after-poll' | 'now' {
    if (this.#state === 'running') return 'no';
    return this.#settings.stopImmediate || this.#stopReason !== 'NORMAL' ? 'now' : 'after-poll';
  }

  #wake(): void {
    if (this.#isPolling) this.#runtime?.parts.consumer.wakeup();
  }

  async #wait(delayMs: number): Promise<void> {
    if (this.#state !== 'running') return;
    await new Promise<void>((resolve) => {
      const timer = this.#environment.clock.setTimer(delayMs, resolve);
      this.#endWait = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#endWait = undefined;
  }

  #publish(event: ContainerEventBody): void {
    this.#environment.events.publish({ ...event, containerId: this.id, listenerId: this.#settings.id });
  }
}
