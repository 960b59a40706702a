/**
 * What a listener returns whose answer is on its way: handled already, finished when the broker has the reply.
 *
 * Whoever only waits for it waits until the reply is acknowledged, as for any promise. The record dispatcher goes on with the next
 * record meanwhile, and finishes the records in their order. Leaves out what a failure leads to.
 */

/** A record that was handled and whose reply is not acknowledged yet. */
export class ReplyInFlight implements PromiseLike<void> {
  /** Resolves with true once the reply was handed over, with false when the work has ended before: nothing is in flight. */
  readonly handled: Promise<boolean>;
  readonly #ended: Promise<void>;

  /** Begins the work, which calls `handOver` once the reply is with the producer, and ends when it is acknowledged. */
  constructor(work: (handOver: () => void) => Promise<void>) {
    let tell!: (isInFlight: boolean) => void;
    this.handled = new Promise((resolve) => (tell = resolve));
    this.#ended = work(() => tell(true));
    const end = (): void => tell(false);
    this.#ended.then(end, end);
  }

  /** Waits for the end of the work. */
  then<Fulfilled = void, Rejected = never>(
    onFulfilled?: ((value: void) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): PromiseLike<Fulfilled | Rejected> {
    return this.#ended.then(onFulfilled, onRejected);
  }
}
