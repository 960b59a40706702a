/**
 * The parts of a pattern, and sets of the characters that topic names can have. No behaviour but that of sets.
 */

/** Characters are ASCII: topic names have no others. One byte per character, 1 when it is in the set. */
export type CharSet = Uint8Array;

/** How many characters a set knows. */
export const CHARS = 128;

/** A position in the text. */
export type Assertion = 'begin' | 'end' | 'wordBoundary' | 'noWordBoundary';

/** A part of a pattern. `max` null: any number of times. */
export type Node =
  | { readonly type: 'set'; readonly set: CharSet }
  | { readonly type: 'assertion'; readonly assertion: Assertion }
  | { readonly type: 'sequence'; readonly parts: readonly Node[] }
  | { readonly type: 'choice'; readonly parts: readonly Node[] }
  | { readonly type: 'repeat'; readonly part: Node; readonly min: number; readonly max: number | null };

/** A pattern is not valid; the message is RE2's. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
  readonly code = 'INVALID_PATTERN';
}

/** The set of all characters whose code satisfies the condition. */
export function charSet(has: (code: number) => boolean): CharSet {
  return Uint8Array.from({ length: CHARS }, (_, code) => (has(code) ? 1 : 0));
}

/** The set of the characters between both, these included; what is not ASCII is no topic's character. */
export function rangeSet(low: number, high: number): CharSet {
  return charSet((code) => code >= low && code <= high);
}

/** All others. */
export function complement(set: CharSet): CharSet {
  return set.map((has) => 1 - has);
}

/** Everything that is in one of them. */
export function union(sets: readonly CharSet[]): CharSet {
  return charSet((code) => sets.some((set) => set[code] === 1));
}

/** The set with the other case of every letter in it. */
export function withBothCases(set: CharSet): CharSet {
  const other = (code: number): number => {
    const isLetter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
    return isLetter ? code ^ 32 : code;
  };
  return charSet((code) => set[code] === 1 || set[other(code)] === 1);
}
