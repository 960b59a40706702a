/**
 * A listener may be busy for longer than the group waits for a poll: then everything is paused and polls go on meanwhile.
 *
 * Rebalances are answered in these polls; what they take away is no longer delivered or committed by this container. At
 * most one such poll is on its way, and the loop polls again only when it has ended.
 */
import { errorCodeOf, messageOf } from '../errors.js';
import { milliseconds } from '../io/wording.js';
import type { ContainerRuntime } from './container-runtime.js';

/** Keeps the membership of one container. */
export class KeepAlive {
  readonly #runtime: ContainerRuntime;

  constructor(runtime: ContainerRuntime) {
    this.#runtime = runtime;
  }

  /** Ends as `work` does; polls while it takes long. */
  async around(work: Promise<void>): Promise<void> {
    const { clock, settings, consumer } = this.#runtime.parts;
    let isOver = false;
    let holding: Promise<void> | undefined;
    const timer = clock.setTimer(settings.keepAliveAfterMs, () => {
      holding = this.#hold(() => isOver);
    });
    try {
      await work;
    } finally {
      isOver = true;
      timer.cancel();
      if (holding !== undefined) {
        if (this.#runtime.isPollingHeld) consumer.wakeup();
        await holding;
      }
    }
  }

  async #hold(isOver: () => boolean): Promise<void> {
    const { pauses, clock, settings, stopping, log, containerId } = this.#runtime.parts;
    const { keepAliveAfterMs, pollTimeoutWhilePausedMs } = settings;
    log.info(
      `${containerId}: the listener has been busy for ${milliseconds(keepAliveAfterMs)}; everything is paused, and ` +
        'polls go on so that the group keeps this member',
    );
    pauses.hold();
    try {
      while (!isOver() && stopping() === 'no') {
        pauses.apply(clock.now());
        try {
          await this.#runtime.pollHeld(pollTimeoutWhilePausedMs);
        } catch (error) {
          if (errorCodeOf(error) === 'WAKEUP') continue;
          // The loop meets the same error with its own next poll, and deals with it.
          log.debug(`${containerId}: a poll beside a busy listener failed: ${messageOf(error)}`);
          return;
        }
      }
    } finally {
      pauses.release();
    }
  }
}
