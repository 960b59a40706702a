/**
 * The loop of a running container: topics, subscription, poll, dispatch, commit; then the last commit and the end of the consumer.
 *
 * A failed poll is logged, waited out and tried again; what makes going on pointless is handed to the container, which stops.
 * What to do with a record, when to commit and how to take failures is decided by the dispatchers, strategies and handlers.
 */
import type { Unfinished } from '../commit/ack-window.js';
import type { DriverConsumer, DriverRecords, TopicPartition } from '../drivers/driver.js';
import { asError, errorCodeOf, messageOf } from '../errors.js';
import type { StopReason } from '../events/container-event.js';
import type { Timer } from '../io/clock.js';
import { callGuarded } from '../io/call-guarded.js';
import { counted, milliseconds } from '../io/wording.js';
import { BatchDispatcher } from './batch-dispatcher.js';
import { isMembershipLost } from './committer.js';
import type { ContainerRuntime } from './container-runtime.js';
import { isFatal, stopReasonOf } from './fatal-errors.js';
import { IdleMonitor } from './idle-monitor.js';
import { KeepAlive } from './keep-alive.js';
import { resolvePartitions, seekToStarts, shareOf } from './manual-assignment.js';
import { ParallelDispatcher } from './parallel-dispatcher.js';
import { ContainerRebalance } from './rebalance.js';
import { type Dispatcher, RecordDispatcher } from './record-dispatcher.js';

/** Pauses after failed polls grow from the first to the second, in milliseconds. */
const POLL_BACKOFF_MS = 100;
const POLL_BACKOFF_MAX_MS = 5000;

/** How long the consumer may take to leave its group and disconnect. */
export const CLOSE_TIMEOUT_MS = 1500;

/** The container, as far as its loop is concerned. */
export interface LoopOwner {
  readonly isRunning: () => boolean;
  readonly stopReason: () => StopReason | undefined;
  /** Which of the consumers of its listener this is. */
  readonly place: { readonly index: number; readonly count: number };
  /** Resolves when the topics that are created at start exist, or have been given up. */
  readonly topicsReady: Promise<void>;
  /** The loop cannot go on. */
  readonly fail: (error: Error, reason: StopReason) => void;
  /** An error that the loop gets over. */
  readonly noted: (error: Error) => void;
  /** A pass of the loop has gone well. */
  readonly succeeded: () => void;
}

/** One run of a container. */
export class ContainerLoop {
  readonly #runtime: ContainerRuntime;
  readonly #owner: LoopOwner;
  readonly #idle: IdleMonitor;
  readonly #keepAlive: KeepAlive;
  readonly #dispatcher: Dispatcher;
  /** What was delivered and not finished; known when the loop has ended. */
  unfinished: readonly Unfinished[] = [];
  #isPolling = false;
  #endWait: (() => void) | undefined;
  #pollFailures = 0;
  #lastPollAt: number;
  #monitor: Timer | undefined;

  constructor(runtime: ContainerRuntime, owner: LoopOwner) {
    this.#runtime = runtime;
    this.#owner = owner;
    this.#idle = new IdleMonitor(runtime);
    this.#keepAlive = new KeepAlive(runtime);
    this.#dispatcher = createDispatcher(runtime);
    this.#lastPollAt = runtime.parts.clock.now();
  }

  /** Whether it waits in a poll. */
  get isPolling(): boolean {
    return this.#isPolling;
  }

  /** Ends the poll it waits in, if it does. */
  wake(): void {
    if (this.#isPolling) this.#runtime.parts.consumer.wakeup();
  }

  /** Ends whatever it waits for. */
  interrupt(): void {
    this.#endWait?.();
    this.wake();
  }

  /** Runs until the container stops, and the consumer is closed. Never rejects. */
  async run(): Promise<void> {
    const { consumer, log, containerId } = this.#runtime.parts;
    this.#watch();
    try {
      await this.#topicsReady();
      let isBegun = false;
      while (this.#owner.isRunning()) {
        try {
          if (isBegun) await this.#turn();
          else {
            // On its own, so that a stop meanwhile is seen before the first poll.
            await this.#begin();
            isBegun = true;
          }
          this.#pollSucceeded();
        } catch (error) {
          await this.#afterFailure(error);
        }
      }
      await this.#dispatcher.drain?.();
      await this.#commitLast();
    } catch (error) {
      // Nothing is meant to get here; if something does, it is said and not lost.
      this.#owner.fail(asError(error), 'ERROR');
    }
    this.#monitor?.cancel();
    // Before the consumer closes, which takes the partitions away.
    this.unfinished = this.#runtime.parts.window?.unfinished() ?? [];
    await consumer.close(CLOSE_TIMEOUT_MS).catch((error: unknown) => {
      log.warn(`${containerId}: the consumer did not close in order: ${messageOf(error)}`);
    });
  }

  /** Waits for the topics that are created at start, or for a stop. */
  async #topicsReady(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#endWait = resolve;
      void this.#owner.topicsReady.then(resolve);
    });
    this.#endWait = undefined;
  }

  /** Subscribes, or assigns partitions and moves to where reading begins. */
  async #begin(): Promise<void> {
    const { consumer, publish, settings, log, containerId } = this.#runtime.parts;
    const { source } = settings;
    const { index, count } = this.#owner.place;
    const drain = async (partitions: readonly TopicPartition[]) => this.#dispatcher.drain?.(partitions);
    const rebalance = new ContainerRebalance(this.#runtime, drain);
    callGuarded(
      () => settings.seekAware?.registerSeekCallback?.(this.#runtime.seeks),
      (error) => log.error(`${containerId}: registerSeekCallback failed`, error),
    );
    if (source.kind === 'topics') consumer.subscribe(source.topics, rebalance);
    else if (source.kind === 'pattern') consumer.subscribe(source.pattern, rebalance);
    else {
      const all = await resolvePartitions(source.partitions, consumer);
      const share = shareOf(all, index, count);
      if (share.length === 0) log.warn(`${containerId}: there are fewer partitions than consumers; this one idles`);
      const partitions = share.map(({ topic, partition }) => ({ topic, partition }));
      consumer.assign(partitions);
      await seekToStarts(consumer, share);
      await rebalance.onPartitionsAssigned(partitions);
    }
    publish({ type: 'started' });
  }

  /** One pass of the loop. */
  async #turn(): Promise<void> {
    const runtime = this.#runtime;
    const { pauses, strategy, committer, clock, settings, consumer } = runtime.parts;
    runtime.rethrow();
    await runtime.seeks.run();
    const startedAt = clock.now();
    pauses.apply(startedAt);
    const timeoutMs = Math.min(pauses.pollTimeout(startedAt, settings), this.#idle.nextLookMs(startedAt));
    const polled = await this.#poll(consumer, Math.max(0, timeoutMs));
    if (!this.#owner.isRunning()) {
      // Nobody has seen these records: they must not count as read.
      for (const partition of polled.partitions()) runtime.rewind(polled.records(partition)[0]);
      return;
    }
    await committer.commitLeftovers();
    if (polled.count > 0) await this.#dispatch(polled);
    await runtime.commit(strategy.onPollDone(polled.count, clock.now()));
    this.#idle.polled(polled, clock.now());
    if (settings.idleBetweenPollsMs > 0) await this.#wait(settings.idleBetweenPollsMs);
    // A consumer with records in memory and a listener that never waits would keep timers and sockets from their turn.
    else if (polled.count > 0) await clock.nextTurn();
  }

  async #dispatch(polled: DriverRecords): Promise<void> {
    this.#runtime.isDispatching = true;
    try {
      await this.#keepAlive.around(this.#dispatcher.dispatch(polled));
    } finally {
      this.#runtime.isDispatching = false;
    }
  }

  async #poll(consumer: DriverConsumer, timeoutMs: number): Promise<DriverRecords> {
    this.#isPolling = true;
    this.#lastPollAt = this.#runtime.parts.clock.now();
    try {
      return await consumer.poll(timeoutMs);
    } finally {
      this.#isPolling = false;
    }
  }

  /** Says when the loop has not polled for long: a listener that hangs, or a client that does. */
  #watch(): void {
    const { clock, settings, publish, log, containerId } = this.#runtime.parts;
    const { monitorIntervalMs, noPollThreshold, pollTimeoutMs } = settings;
    this.#monitor = clock.setTimer(monitorIntervalMs, () => {
      const sinceLastPollMs = clock.now() - this.#lastPollAt;
      if (sinceLastPollMs > noPollThreshold * pollTimeoutMs) {
        log.warn(`${containerId}: no poll for ${milliseconds(sinceLastPollMs)}: is the listener stuck?`);
        publish({ type: 'non-responsive', sinceLastPollMs });
      }
      this.#watch();
    });
  }

  #pollSucceeded(): void {
    this.#owner.succeeded();
    if (this.#pollFailures === 0) return;
    const { log, containerId } = this.#runtime.parts;
    log.info(`${containerId}: polling works again after ${counted(this.#pollFailures, 'failure')}`);
    this.#pollFailures = 0;
  }

  async #afterFailure(thrown: unknown): Promise<void> {
    const { log, publish, containerId } = this.#runtime.parts;
    const error = errorCodeOf(thrown) === 'WAKEUP' ? await this.#afterWakeup() : asError(thrown);
    if (error === undefined) return;
    if (!this.#owner.isRunning()) {
      const message = `${containerId}: failed while it stops: ${error.message}`;
      // A poll that was still waiting ends by being closed.
      if (isFatal(error) && errorCodeOf(error) !== 'CLOSED') log.warn(message);
      else log.debug(message);
      return;
    }
    this.#owner.noted(error);
    if (isMembershipLost(error) && errorCodeOf(error) !== 'FENCED_INSTANCE_ID') {
      log.warn(`${containerId}: the group has gone on without this member; it joins again: ${error.message}`);
      return;
    }
    if (isFatal(error)) {
      this.#owner.fail(error, stopReasonOf(error));
      return;
    }
    this.#pollFailures++;
    const delayMs = Math.min(POLL_BACKOFF_MAX_MS, POLL_BACKOFF_MS * 2 ** (this.#pollFailures - 1));
    log.error(
      `${containerId}: polling failed (${this.#pollFailures} in a row), again in ${milliseconds(delayMs)}`,
      error,
    );
    publish({ type: 'poll-failed', error });
    await this.#wait(delayMs);
  }

  /** Somebody acknowledged, paused or stopped; what was acknowledged is committed now. Returns what that brought. */
  async #afterWakeup(): Promise<Error | undefined> {
    const { strategy, clock } = this.#runtime.parts;
    if (!strategy.manual) return undefined;
    try {
      await this.#runtime.commit(strategy.onPollDone(1, clock.now()));
      return undefined;
    } catch (error) {
      return asError(error);
    }
  }

  /** The last commit, while the partitions are still ours. Not after a fatal end: the broker would not listen. */
  async #commitLast(): Promise<void> {
    const { strategy, committer, assignment } = this.#runtime.parts;
    const reason = this.#owner.stopReason();
    if (reason !== 'NORMAL' && reason !== 'ABNORMAL') return;
    await committer.commitFinally(strategy.onRevoked(assignment.list()));
    committer.end();
  }

  async #wait(delayMs: number): Promise<void> {
    if (!this.#owner.isRunning()) return;
    await new Promise<void>((resolve) => {
      const timer = this.#runtime.parts.clock.setTimer(delayMs, resolve);
      this.#endWait = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#endWait = undefined;
  }
}

function createDispatcher(runtime: ContainerRuntime): Dispatcher {
  const { listener, keyConcurrency } = runtime.parts.settings;
  if (listener.batch) return new BatchDispatcher(runtime, listener.onBatch);
  return keyConcurrency > 1
    ? new ParallelDispatcher(runtime, listener.onRecord)
    : new RecordDispatcher(runtime, listener.onRecord);
}
