/**
 * Patterns of subscriptions: from text to a test of topic names.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { Refusal } from '../replies.js';
import { parsePattern } from './pattern-parser.js';
import { PatternProgram } from './pattern-program.js';
import { PatternError } from './syntax-tree.js';

/** A test whether a pattern matches a whole name; '' matches nothing. Throws a {@link Refusal} for what is no pattern. */
export function topicPattern(pattern: string): (name: string) => boolean {
  if (pattern === '') return () => false;
  try {
    const program = new PatternProgram(parsePattern(pattern));
    return (name) => program.matches(name);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    const text = `SubscribedTopicRegex \`${pattern}\` is not a valid regular expression: ${error.message}.`;
    throw new Refusal(ErrorCode.INVALID_REGULAR_EXPRESSION, text);
  }
}
