/**
 * Numbers in sentences: counts with their nouns, and times in whole milliseconds.
 */

/** `1 record`, `2 records`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `250 ms`, rounded: a computed time has digits that nobody wants to read. */
export function milliseconds(ms: number): string {
  return `${Math.round(ms)} ms`;
}
