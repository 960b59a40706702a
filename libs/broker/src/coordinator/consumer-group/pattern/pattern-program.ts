/**
 * A pattern as a small machine that reads a topic name once, following all possibilities at the same time.
 *
 * Guarantees: time grows with the length of the name times the size of the pattern, never faster: no pattern of a client
 * can stop the broker, which JavaScript's own expressions cannot promise. Source: Thompson's construction, as in RE2.
 */
import { CHARS, PatternError, type Assertion, type CharSet, type Node } from './syntax-tree.js';
import { PATTERN_STEPS_MAX } from '../../../limits.js';

/** One step. `split` goes on at both places, `match` is the end. */
type Step =
  | { readonly type: 'set'; readonly set: CharSet }
  | { readonly type: 'assertion'; readonly assertion: Assertion }
  | { readonly type: 'split'; first: number; second: number }
  | { readonly type: 'jump'; to: number }
  | { readonly type: 'match' };

/** See the file comment. Throws a {@link PatternError} when the pattern comes to more than `PATTERN_STEPS_MAX`. */
export class PatternProgram {
  private readonly steps: Step[] = [];
  private visits = 0;

  constructor(pattern: Node) {
    this.add(pattern);
    this.push({ type: 'match' });
  }

  /** True when the pattern matches the whole name. */
  matches(name: string): boolean {
    let current = new Set<number>();
    this.follow(0, name, 0, current);
    for (let at = 0; at < name.length && current.size > 0; at += 1) {
      const next = new Set<number>();
      const code = name.charCodeAt(at);
      for (const place of current) {
        const step = this.steps[place]!;
        if (step.type === 'set' && code < CHARS && step.set[code] === 1) this.follow(place + 1, name, at + 1, next);
      }
      current = next;
    }
    return current.has(this.steps.length - 1);
  }

  /** Adds a place and everything that is reached from it without a character. */
  private follow(start: number, name: string, at: number, reached: Set<number>): void {
    const pending = [start];
    for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
      if (reached.has(place)) continue;
      reached.add(place);
      const step = this.steps[place]!;
      if (step.type === 'split') pending.push(step.second, step.first);
      else if (step.type === 'jump') pending.push(step.to);
      else if (step.type === 'assertion' && holds(step.assertion, name, at)) pending.push(place + 1);
    }
  }

  private push(step: Step): number {
    if (this.steps.length >= PATTERN_STEPS_MAX) throw new PatternError('expression too large');
    return this.steps.push(step) - 1;
  }

  private add(node: Node): void {
    // Repeats of nothing come to no steps, and would be built for years all the same.
    this.visits += 1;
    if (this.visits > 4 * PATTERN_STEPS_MAX) throw new PatternError('expression too large');
    switch (node.type) {
      case 'set':
      case 'assertion':
        this.push(node);
        return;
      case 'sequence':
        for (const part of node.parts) this.add(part);
        return;
      case 'choice':
        return this.addChoice(node.parts);
      case 'repeat':
        return this.addRepeat(node);
    }
  }

  private addChoice(parts: readonly Node[]): void {
    const ends: { to: number }[] = [];
    parts.forEach((part, index) => {
      if (index === parts.length - 1) return this.add(part);
      const split = { type: 'split' as const, first: this.steps.length + 1, second: 0 };
      this.push(split);
      this.add(part);
      const end = { type: 'jump' as const, to: 0 };
      this.push(end);
      ends.push(end);
      split.second = this.steps.length;
    });
    for (const end of ends) end.to = this.steps.length;
  }

  private addRepeat({ part, min, max }: Extract<Node, { type: 'repeat' }>): void {
    for (let count = 0; count < min; count += 1) this.add(part);
    if (max === null) {
      const split = { type: 'split' as const, first: this.steps.length + 1, second: 0 };
      const start = this.push(split);
      this.add(part);
      this.push({ type: 'jump', to: start });
      split.second = this.steps.length;
      return;
    }
    const splits: { second: number }[] = [];
    for (let count = min; count < max; count += 1) {
      const split = { type: 'split' as const, first: this.steps.length + 1, second: 0 };
      this.push(split);
      splits.push(split);
      this.add(part);
    }
    for (const split of splits) split.second = this.steps.length;
  }
}

function holds(assertion: Assertion, name: string, at: number): boolean {
  const isBoundary = (): boolean => isWordChar(name, at - 1) !== isWordChar(name, at);
  switch (assertion) {
    case 'begin':
      return at === 0;
    case 'end':
      return at === name.length;
    case 'wordBoundary':
      return isBoundary();
    case 'noWordBoundary':
      return !isBoundary();
  }
}

function isWordChar(name: string, at: number): boolean {
  return at >= 0 && at < name.length && /\w/.test(name[at] ?? '');
}
