/**
 * Work that has to be done inside `poll`, because the port promises so: the callbacks of a rebalance.
 */
import { asError } from '../../errors.js';

interface Task {
  readonly work: () => Promise<void>;
  readonly done: () => void;
}

/** A queue that `poll` empties. */
export class PollTasks {
  readonly #onAdded: () => void;
  #queue: Task[] = [];

  constructor(onAdded: () => void) {
    this.#onAdded = onAdded;
  }

  /** Resolves when the work has been done by a poll, or given up; what it throws goes to that poll. */
  add(work: () => Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      this.#queue.push({ work, done: resolve });
      this.#onAdded();
    });
  }

  /** Does what there is. Rejects with the first error, after everything has been done. */
  async run(): Promise<void> {
    let failure: Error | undefined;
    for (let task = this.#queue.shift(); task !== undefined; task = this.#queue.shift()) {
      try {
        await task.work();
      } catch (error) {
        failure ??= asError(error);
      } finally {
        task.done();
      }
    }
    if (failure !== undefined) throw failure;
  }

  /** Nobody will poll again. */
  giveUp(): void {
    for (const { done } of this.#queue.splice(0)) done();
  }
}
