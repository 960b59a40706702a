/**
 * The nearest of some known names to one that was mistyped, for the advice in an error.
 *
 * Guarantees that Kafka's dotted spelling finds its camelCase twin (`linger.ms` → `lingerMs`). Returns null rather than
 * a far-fetched guess.
 */

function plain(name: string): string {
  return name.replace(/[^a-zA-Z0-9]/g, '').toLowerCase();
}

/** Levenshtein distance of two short strings. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}

/** Longest name that is compared; a longer one has no near name. */
const NAME_LENGTH_MAX = 100;

/** The known name nearest to `name`, or null when none is near: more than a third of its letters differ. */
export function nearestName(name: string, known: readonly string[]): string | null {
  if (name.length > NAME_LENGTH_MAX) return null;
  const wanted = plain(name);
  let nearest: string | null = null;
  let nearestDistance = Math.floor(wanted.length / 3) + 1;
  for (const candidate of known) {
    const distance = editDistance(wanted, plain(candidate));
    if (distance < nearestDistance) {
      nearest = candidate;
      nearestDistance = distance;
    }
  }
  return nearest;
}
