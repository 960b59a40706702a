/**
 * A pattern as a small machine that reads a topic name once, following all possibilities at the same time.
 *
 * Guarantees: time grows with the length of the name times the size of the pattern, never faster: no pattern of a client
 * can stop the broker, which JavaScript's own expressions cannot promise. Source: Thompson's construction, as in RE2.
 */
import { CHARS, PatternError, type Assertion, type CharSet, type Node } from './syntax-tree.js';
import { PATTERN_STATES_MAX, PATTERN_STEPS_MAX } from '../../../limits.js';

/** One step. `split` goes on at both places, `match` is the end. */
type Step =
  | { readonly type: 'set'; readonly set: CharSet }
  | { readonly type: 'assertion'; readonly assertion: Assertion }
  | { readonly type: 'split'; first: number; second: number }
  | { readonly type: 'jump'; to: number }
  | { readonly type: 'match' };

/** Where all possibilities stand together, and where a character leads to; filled in as names are read. */
interface State {
  readonly places: readonly number[];
  readonly next: State[];
  /** Whether the pattern matches when the name ends here; null: not known yet. */
  accepts: boolean | null;
}

/** See the file comment. Throws a {@link PatternError} when the pattern comes to more than `PATTERN_STEPS_MAX`. */
export class PatternProgram {
  private readonly steps: Step[] = [];
  private readonly states = new Map<string, State>();
  private start: State | null = null;
  private hasBoundaries = false;
  private visits = 0;

  constructor(pattern: Node) {
    this.add(pattern);
    this.push({ type: 'match' });
  }

  /** True when the pattern matches the whole name. */
  matches(name: string): boolean {
    // What comes before and after matters at word boundaries: then nothing can be remembered from name to name.
    if (this.hasBoundaries) return this.walk(name);
    let state = (this.start ??= this.stateOf(this.reach([0], ' ', 0)));
    for (let at = 0; at < name.length; at += 1) {
      const code = name.charCodeAt(at);
      if (code >= CHARS || state.places.length === 0) return false;
      state = state.next[code] ?? this.step(state, code);
    }
    // The end is looked at only now: on the way nobody knows that a character is the last one.
    return (state.accepts ??= this.reach(state.places, name, name.length).has(this.steps.length - 1));
  }

  /** The state after a character, remembered for the next name. */
  private step(state: State, code: number): State {
    const places = state.places.flatMap((place) => (this.takes(place, code) ? [place + 1] : []));
    // Position 1 of a name of three: neither the begin nor the end.
    const next = this.stateOf(this.reach(places, '   ', 1));
    state.next[code] = next;
    return next;
  }

  private stateOf(reached: ReadonlySet<number>): State {
    const places = [...reached].sort((left, right) => left - right);
    const key = places.join();
    const known = this.states.get(key);
    if (known) return known;
    // Patterns can be made whose states never come again; forgetting all of them costs only time.
    if (this.states.size >= PATTERN_STATES_MAX) this.states.clear();
    const state: State = { places, next: [], accepts: null };
    this.states.set(key, state);
    return state;
  }

  private takes(place: number, code: number): boolean {
    const step = this.steps[place]!;
    return step.type === 'set' && step.set[code] === 1;
  }

  /** The same without a memory. */
  private walk(name: string): boolean {
    let current = this.reach([0], name, 0);
    for (let at = 0; at < name.length && current.size > 0; at += 1) {
      const code = name.charCodeAt(at);
      const places = [...current].filter((place) => code < CHARS && this.takes(place, code));
      current = this.reach(
        places.map((place) => place + 1),
        name,
        at + 1,
      );
    }
    return current.has(this.steps.length - 1);
  }

  /** The places and everything that is reached from them without a character, at a position of a name. */
  private reach(places: readonly number[], name: string, at: number): Set<number> {
    const reached = new Set<number>();
    const pending = [...places];
    for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
      if (reached.has(place)) continue;
      reached.add(place);
      const step = this.steps[place]!;
      if (step.type === 'split') pending.push(step.second, step.first);
      else if (step.type === 'jump') pending.push(step.to);
      else if (step.type === 'assertion' && holds(step.assertion, name, at)) pending.push(place + 1);
    }
    return reached;
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
      case 'assertion':
        this.hasBoundaries ||= node.assertion === 'wordBoundary' || node.assertion === 'noWordBoundary';
        this.push(node);
        return;
      case 'set':
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
