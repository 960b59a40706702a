/**
 * What has to be undone when something stops, or when starting it fails half-way.
 *
 * Guarantees: steps run one after the other, the last added first; all of them run even if one fails, and the first
 * failure is thrown at the end. Runs once.
 */

/** See the head of this file. */
export class Teardown {
  private steps: (() => Promise<void> | void)[] = [];

  /** Remembers a step. */
  add(step: () => Promise<void> | void): void {
    this.steps.push(step);
  }

  /** Runs all steps. */
  async run(): Promise<void> {
    let failure: { error: unknown } | null = null;
    for (let step = this.steps.pop(); step !== undefined; step = this.steps.pop()) {
      try {
        await step();
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== null) throw failure.error;
  }
}
