/**
 * The shape of a house rule: what it looks at, what it finds, what to do instead, and an example that breaks it.
 *
 * The example is not decoration. Before a rule is applied to the repository it is applied to its example, so a rule
 * that can no longer find anything fails instead of passing for ever.
 */
import type { Source } from './sources.js';

/** Everything the rules may look at. */
export interface Repository {
  /** TypeScript files. */
  readonly sources: readonly Source[];
  /** Every text file, the TypeScript ones included: path → text. */
  readonly files: ReadonlyMap<string, string>;
}

/** One house rule. */
export interface Rule {
  /** A sentence that is true when the rule holds. */
  readonly name: string;
  /** What to do instead; printed above the list of violations. */
  readonly advice: string;
  /** Files (path → text) that break the rule and no other reason is needed. */
  readonly broken: Readonly<Record<string, string>>;
  /** Violations, each beginning with `path` or `path:line`. */
  find(repository: Repository): string[];
}

/** Code of the four libraries that is shipped: no specs. */
export function libraryCode(repository: Repository): Source[] {
  return repository.sources.filter((source) => /^libs\/[^/]+\/src\//.test(source.path) && !source.isSpec);
}

/** Everything that is shipped or run: libraries, command line and demo, without specs. */
export function productCode(repository: Repository): Source[] {
  return repository.sources.filter((source) => source.home !== 'test' && !source.isSpec);
}
