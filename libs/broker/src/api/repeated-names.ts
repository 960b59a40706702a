/**
 * Finds what a request names more than once: it cannot be answered once for each mention.
 */

/** The names that occur more than once. */
export function repeatedNames(named: Iterable<{ readonly name: string }>): Set<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { name } of named) {
    if (seen.has(name)) repeated.add(name);
    seen.add(name);
  }
  return repeated;
}
