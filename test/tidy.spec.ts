/**
 * The house rules as a test: one per rule. When one fails, the message says what to do instead.
 *
 * The rules themselves are in support/tidy. Each is first tried on an example that breaks it.
 */
import { ARROW_RULES } from './support/tidy/arrow-rules.js';
import { CODE_RULES } from './support/tidy/code-rules.js';
import type { Rule } from './support/tidy/rule.js';
import { parseSources, readTextFiles } from './support/tidy/sources.js';
import { TEXT_RULES } from './support/tidy/text-rules.js';

const RULES: readonly Rule[] = [...ARROW_RULES, ...CODE_RULES, ...TEXT_RULES];

describe('tidy', () => {
  const files = readTextFiles();
  const repository = { files, sources: parseSources(files) };

  for (const rule of RULES) {
    it(rule.name, () => {
      const example = new Map(Object.entries(rule.broken));
      expect(rule.find({ files: example, sources: parseSources(example) })).not.toEqual([]);

      const violations = rule.find(repository);
      if (violations.length > 0) throw new Error(`${rule.advice}\n  ${violations.sort().join('\n  ')}`);
    });
  }
});
