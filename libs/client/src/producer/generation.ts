/**
 * What `flush()` waits for: records are counted by generation, and each flush ends one.
 *
 * Guarantees that a flush resolves when every record appended before it has had its outcome, whatever is appended
 * meanwhile. One counter per generation, nothing per record.
 */

/** The records between two flushes. A batch holds records of one generation only. */
export class Generation {
  /** Records without an outcome. */
  pending = 0;
  /** A flush has ended it: what it holds is sent without lingering. */
  isEnded = false;
  /** Resolves its flush. */
  onDone: (() => void) | null = null;
}

/** The sequence of generations of one producer. */
export class Generations {
  private readonly unfinished: Generation[] = [new Generation()];

  /** The generation that takes records now. */
  get current(): Generation {
    return this.unfinished[this.unfinished.length - 1] as Generation;
  }

  /** Records without an outcome, in all generations. */
  get pendingCount(): number {
    let total = 0;
    for (const generation of this.unfinished) total += generation.pending;
    return total;
  }

  /** Ends the current generation; the promise resolves when it and all before it are done. */
  end(): Promise<void> {
    const generation = this.current;
    generation.isEnded = true;
    this.unfinished.push(new Generation());
    return new Promise((resolve) => {
      generation.onDone = resolve;
      this.settle(generation, 0);
    });
  }

  /** `count` records of a generation have had their outcome. */
  settle(generation: Generation, count: number): void {
    generation.pending -= count;
    if (generation.pending > 0 || !generation.isEnded) return;
    for (let first = this.unfinished[0]; first?.isEnded === true && first.pending === 0; first = this.unfinished[0]) {
      this.unfinished.shift();
      first.onDone?.();
    }
  }
}
