/**
 * One consumer, started, paused and stopped as a whole. Spring's KafkaMessageListenerContainer.
 *
 * Never ends silently: what makes going on pointless stops the container with a reason, an event and an error in the log,
 * and starts it again where its restart policy says so. Stopping finishes the records in hand, commits, and leaves the group.
 */
import { AckWindow, type Unfinished } from '../commit/ack-window.js';
import { noCommitStrategy } from '../commit/no-commit.js';
import type { ConsumerProperties } from '../drivers/driver-options.js';
import { type Driver, type TopicPartition, partitionName } from '../drivers/driver.js';
import { asError } from '../errors.js';
import type { ContainerEventBody, ContainerEvents, StopReason } from '../events/container-event.js';
import type { Clock, Timer } from '../io/clock.js';
import type { Log } from '../io/log.js';
import { counted, milliseconds } from '../io/wording.js';
import { Assignment } from './assignment.js';
import { CommitFailureLog } from './commit-failure-log.js';
import { Committer } from './committer.js';
import { CLOSE_TIMEOUT_MS, ContainerLoop, type LoopOwner } from './container-loop.js';
import { ContainerRuntime } from './container-runtime.js';
import type { ContainerSettings } from './container-settings.js';
import { requireCapabilities } from './capabilities.js';
import { stopReasonOf } from './fatal-errors.js';
import { Pauses } from './pauses.js';
import type { SeekCallback } from './seek-aware.js';

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
  /** Shared by them; absent: one of its own. */
  readonly commitFailures?: CommitFailureLog;
}

/** What a container is doing. */
export type ContainerState = 'stopped' | 'running' | 'stopping';

/** How long a stop waits for the answer to a commit: the client itself would wait `defaultApiTimeoutMs`. */
const COMMIT_GRACE_MS = 1000;

/** How long a stop waits for a poll that has been woken. */
const POLL_GRACE_MS = 1500;

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
  /** The loop that runs. */
  #control: ContainerLoop | undefined;
  readonly #pausedPartitions = new Set<string>();
  #unfinished: readonly Unfinished[] = [];
  #restarts = 0;
  #isAuthRetry = false;
  #restart: Timer | undefined;
  #pollGrace: Timer | undefined;

  constructor(settings: ContainerSettings, environment: ContainerEnvironment, place: ContainerPlace) {
    this.id = `${settings.id}-${place.index}`;
    this.#settings = { ...settings, seekAware: settings.seekAware ?? settings.listener.seekAware };
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
    this.#restart?.cancel();
    requireCapabilities(this.#settings, this.#environment.driver);
    this.#publish({ type: 'starting' });
    const runtime = this.#startRuntime();
    const control = new ContainerLoop(runtime, this.#ownerOf());
    this.#runtime = runtime;
    this.#control = control;
    this.#state = 'running';
    this.#stopReason = undefined;
    this.#lastError = undefined;
    this.#unfinished = [];
    this.#loop = control.run().then(() => this.#ended(runtime));
  }

  #startRuntime(): ContainerRuntime {
    try {
      return this.#createRuntime();
    } catch (error) {
      this.#publish({ type: 'failed-to-start', error: asError(error) });
      throw error;
    }
  }

  /**
   * Finishes the records in hand, commits, leaves the group. Resolves when that is done or after `shutdownTimeoutMs`,
   * when a listener is still busy; it then ends in the background as soon as the listener returns. Tells which records
   * were delivered and not finished, as far as they are known one by one (`asyncAcks`, `keyConcurrency`).
   */
  async stop(): Promise<readonly Unfinished[]> {
    this.#isStartRequested = false;
    this.#restart?.cancel();
    this.#restarts = 0;
    if (this.#state === 'running') this.#requestStop('NORMAL');
    if (this.#state === 'stopped') return this.#unfinished;
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
    return this.#runtime?.parts.window?.unfinished() ?? this.#unfinished;
  }

  /** Stops fetching from one partition before the next poll; the request outlives rebalances and restarts. */
  pausePartition(partition: TopicPartition): void {
    if (this.#pausedPartitions.has(partitionName(partition))) return;
    this.#pausedPartitions.add(partitionName(partition));
    this.#control?.wake();
    this.#publish({ type: 'partition-paused', partition });
  }

  /** Ends a pause of one partition. */
  resumePartition(partition: TopicPartition): void {
    if (!this.#pausedPartitions.delete(partitionName(partition))) return;
    this.#control?.wake();
    this.#publish({ type: 'partition-resumed', partition });
  }

  /** Whether a pause of the partition has been asked for. */
  isPartitionPauseRequested(partition: TopicPartition): boolean {
    return this.#pausedPartitions.has(partitionName(partition));
  }

  /** Whether the partition is paused, for whatever reason, since the last poll. */
  isPartitionPaused(partition: TopicPartition): boolean {
    return this.#runtime?.parts.pauses.isApplied(partition) ?? false;
  }

  /** Moves positions; undefined while it does not run. */
  get seeks(): SeekCallback | undefined {
    return this.#runtime?.seeks;
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
    this.#control?.wake();
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
    pauses.setRequested(this.#pausedPartitions);
    const committer = new Committer({
      consumer,
      style: settings.commitStyle,
      retries: settings.commitRetries,
      settleTimeoutMs: CLOSE_TIMEOUT_MS,
      callback: settings.commitCallback,
      metadata: settings.commitMetadata,
      publish,
      failures: this.#place.commitFailures ?? new CommitFailureLog(settings.id, log, clock),
      clock,
      log,
    });
    return new ContainerRuntime({
      settings,
      containerId: this.id,
      consumer,
      assignment,
      pauses,
      strategy: hasCommits ? settings.strategy(clock.now()) : noCommitStrategy,
      window: settings.asyncAcks || settings.keyConcurrency > 1 ? new AckWindow(settings.maxUnfinished) : undefined,
      committer,
      clock,
      log,
      publish,
      stopping: () => this.#stopping(),
      stopAbnormally: (error) => this.#fail(error, 'ABNORMAL'),
      wake: () => this.#control?.wake(),
    });
  }

  #consumerProperties(): ConsumerProperties {
    const { consumer, groupId } = this.#settings;
    const { index } = this.#place;
    return {
      ...consumer,
      groupId,
      clientId: `${consumer.clientId ?? this.#settings.id}-${index}`,
      // Without a group there is no membership to be static.
      groupInstanceId:
        consumer.groupInstanceId === undefined || groupId === undefined
          ? undefined
          : `${consumer.groupInstanceId}-${index}`,
      enableAutoCommit: consumer.enableAutoCommit === true && groupId !== undefined,
    };
  }

  #ownerOf(): LoopOwner {
    return {
      isRunning: () => this.#state === 'running',
      stopReason: () => this.#stopReason,
      place: this.#place,
      topicsReady: this.#environment.topicsReady,
      fail: (error, reason) => this.#fail(error, reason),
      noted: (error) => (this.#lastError = error),
      succeeded: () => this.#succeeded(),
    };
  }

  /** A pass of the loop has gone well: whatever ended the runs before is over. */
  #succeeded(): void {
    if (this.#restarts === 0) return;
    this.#restarts = 0;
    if (this.#isAuthRetry) this.#publish({ type: 'retry-auth-successful' });
    this.#isAuthRetry = false;
  }

  #ended(runtime: ContainerRuntime): void {
    const { assignment, log } = runtime.parts;
    this.#pollGrace?.cancel();
    const unfinished = this.#control?.unfinished ?? [];
    runtime.forget(assignment.list());
    this.#runtime = undefined;
    this.#control = undefined;
    this.#state = 'stopped';
    this.#unfinished = unfinished;
    const reason = this.#stopReason ?? 'ERROR';
    if (reason === 'NORMAL') log.info(`${this.id}: stopped`);
    if (unfinished.length > 0) log.warn(`${this.id}: not finished, and delivered again: ${report(unfinished)}`);
    const error = reason === 'NORMAL' ? undefined : this.#lastError;
    const restartInMs = this.#isStartRequested ? undefined : this.#restartDelayOf(reason);
    this.#publish({
      type: 'stopped',
      reason,
      error,
      ...(unfinished.length > 0 ? { unfinished } : {}),
      ...(restartInMs === undefined ? {} : { restartInMs }),
    });
    if (this.#isStartRequested) this.#startAgain();
    else if (restartInMs !== undefined) this.#restartAfter(restartInMs, reason);
  }

  #restartDelayOf(reason: StopReason): number | undefined {
    if (reason === 'NORMAL') return undefined;
    return this.#settings.restarts.get(reason)?.delayMs(this.#restarts + 1);
  }

  #restartAfter(delayMs: number, reason: StopReason): void {
    this.#restarts++;
    this.#isAuthRetry = reason === 'AUTH';
    const error = this.#lastError ?? new Error(reason);
    this.#publish(
      reason === 'AUTH'
        ? { type: 'retry-auth', delayMs, error }
        : { type: 'restarting', delayMs, attempt: this.#restarts, error },
    );
    this.#environment.log.warn(`${this.id}: starts again in ${milliseconds(delayMs)}`);
    this.#restart = this.#environment.clock.setTimer(delayMs, () => this.#startAgain());
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
    const what = this.#settings.restarts.has(reason) ? '' : ' and has to be started again';
    this.#environment.log.error(`${this.id}: the container stops (${reason})${what}`, error);
  }

  #requestStop(reason: StopReason): void {
    this.#stopReason = reason;
    this.#state = 'stopping';
    this.#publish({ type: 'stopping' });
    this.#control?.interrupt();
    const runtime = this.#runtime;
    runtime?.parts.committer.limitWaits(COMMIT_GRACE_MS);
    // A poll that is in a rebalance with a broker that has gone does not hear the wake-up; it hears this.
    this.#pollGrace = this.#environment.clock.setTimer(POLL_GRACE_MS, () => {
      if (this.#control?.isPolling === true) void runtime?.parts.consumer.close(0).catch(() => undefined);
    });
  }

  #stopping(): 'no' | 'after-poll' | 'now' {
    if (this.#state === 'running') return 'no';
    return this.#settings.stopImmediate || this.#stopReason !== 'NORMAL' ? 'now' : 'after-poll';
  }

  #publish(event: ContainerEventBody): void {
    this.#environment.events.publish(event, { containerId: this.id, listenerId: this.#settings.id });
  }
}

function report(unfinished: readonly Unfinished[]): string {
  return unfinished
    .map((one) => `${counted(one.count, 'record')} of ${partitionName(one)} from ${one.offset}`)
    .join(', ');
}
