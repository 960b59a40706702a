/**
 * What happens to logs by the clock: old segments go, silent producers are forgotten, offsets are written down.
 * Guarantees: a task never overlaps itself, and its next turn begins after the last has ended; `stop` waits for running ones.
 * Leaves out flushing by `flush.ms`, which each log times from its own first unflushed write.
 */
import type { Clock, Timer } from '../io/clock.js';
import type { Logger } from '../io/logger.js';

/** Something to do every `intervalMs`. */
export interface HousekeepingTask {
  /** For people, as in "retention". */
  readonly name: string;
  readonly intervalMs: number;
  run(): Promise<void>;
}

/** See the file comment. */
export class Housekeeping {
  private readonly timers = new Map<HousekeepingTask, Timer>();
  private readonly running = new Set<Promise<void>>();
  private isStopped = false;

  constructor(
    tasks: readonly HousekeepingTask[],
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    for (const task of tasks) this.arm(task);
  }

  /** Arms nothing any more, and resolves when no task is running. */
  async stop(): Promise<void> {
    this.isStopped = true;
    for (const timer of this.timers.values()) this.clock.clearTimer(timer);
    this.timers.clear();
    await Promise.all(this.running);
  }

  private arm(task: HousekeepingTask): void {
    if (this.isStopped) return;
    this.timers.set(
      task,
      this.clock.setTimer(task.intervalMs, () => this.start(task)),
    );
  }

  private start(task: HousekeepingTask): void {
    this.timers.delete(task);
    const run = this.attempt(task).finally(() => {
      this.running.delete(run);
      this.arm(task);
    });
    this.running.add(run);
  }

  private async attempt(task: HousekeepingTask): Promise<void> {
    try {
      await task.run();
    } catch (error) {
      this.logger.error(`The task "${task.name}" failed and is tried again in ${task.intervalMs} ms`, { error });
    }
  }
}
