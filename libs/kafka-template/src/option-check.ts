/**
 * Checks options against a table: unknown names with the nearest known one, wrong types, values out of range.
 *
 * Returns sentences and throws nothing, so that a caller can collect every problem before it complains.
 */

/** How a value of an option is checked. `any` is for values that are checked by whoever uses them. */
export type OptionCheck =
  | { readonly kind: 'number'; readonly min: number; readonly max?: number }
  | { readonly kind: 'boolean' | 'string' | 'text-or-list' | 'function' | 'object' | 'any' }
  | { readonly kind: 'one-of'; readonly values: readonly unknown[] };

/** A check by name. */
export type OptionChecks = Readonly<Record<string, OptionCheck>>;

/** A name may be this far from a known one to be taken for a slip of the pen: at most a third of its letters. */
const SLIP_RATIO = 3;

/** Everything wrong with `options`; `path` is how the user got there, such as `consumer`. Undefined values are absent. */
export function checkOptions(path: string, options: unknown, checks: OptionChecks): string[] {
  if (options === undefined) return [];
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    return [`${path} must be an object and is ${show(options)}`];
  }
  const problems: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    const label = path === '' ? name : `${path}.${name}`;
    if (check === undefined) problems.push(unknownOption(label, name, Object.keys(checks)));
    else {
      const demand = violated(value, check);
      if (demand !== undefined) problems.push(`${label} must be ${demand} and is ${show(value)}`);
    }
  }
  return problems;
}

/** The known name that is nearest to a mistyped one, if any is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return bestDistance <= Math.ceil(name.length / SLIP_RATIO) ? best : undefined;
}

function unknownOption(label: string, name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? `the options are ${known.join(', ')}` : `did you mean ${nearest}?`;
  return `${label} is not an option: ${hint}`;
}

/** What the value would have to be; undefined when it is that. */
function violated(value: unknown, check: OptionCheck): string | undefined {
  switch (check.kind) {
    case 'any':
      return undefined;
    case 'number': {
      const { min, max = Number.POSITIVE_INFINITY } = check;
      if (typeof value === 'number' && value >= min && value <= max) return undefined;
      return max === Number.POSITIVE_INFINITY ? `a number from ${min}` : `a number from ${min} to ${max}`;
    }
    case 'one-of':
      return check.values.includes(value) ? undefined : `one of ${check.values.map(show).join(', ')}`;
    case 'text-or-list': {
      const list: readonly unknown[] = Array.isArray(value) ? value : [value];
      const isText = list.length > 0 && list.every((entry) => typeof entry === 'string' && entry !== '');
      return isText ? undefined : 'a string that is not empty, or a list of them';
    }
    case 'string':
      return typeof value === 'string' && value !== '' ? undefined : 'a string that is not empty';
    case 'object':
      return typeof value === 'object' && value !== null ? undefined : 'an object';
    default:
      return typeof value === check.kind ? undefined : `a ${check.kind}`;
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** Levenshtein's distance, one row at a time. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const substitution = (row[j - 1] as number) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, substitution));
    }
    row = next;
  }
  return row[right.length] as number;
}
