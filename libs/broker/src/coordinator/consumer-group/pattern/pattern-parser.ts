/**
 * Reads a pattern in the syntax of RE2, which is what Kafka takes for subscriptions (KIP-848, v1).
 *
 * Guarantees: what RE2 refuses (look-around, references back, repeats over 1000) is refused with its words; the depth of
 * the result is bounded. Captures do not capture, laziness does not matter: a topic matches as a whole or not at all.
 */
import { PERL_CLASSES, POSIX_CLASSES, UNICODE_CLASSES } from './char-classes.js';
import { complement, PatternError, rangeSet, union, withBothCases, type CharSet, type Node } from './syntax-tree.js';

/** RE2's limits. */
const REPEATS_MAX = 1000;
const NESTING_MAX = 1000;

const ESCAPED: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };
const EMPTY: Node = { type: 'sequence', parts: [] };

/** Parses the pattern. Throws a {@link PatternError}. */
export function parsePattern(pattern: string): Node {
  return new Parser(pattern).parse();
}

class Parser {
  private at = 0;
  private depth = 0;
  private ignoreCase = false;
  private readonly names = new Set<string>();

  constructor(private readonly text: string) {}

  parse(): Node {
    const node = this.choice();
    // Java's RE2 says it this way.
    if (this.at < this.text.length) throw new PatternError('regexp/syntax: internal error');
    return node;
  }

  private looksAt(text: string): boolean {
    return this.text.startsWith(text, this.at);
  }

  private accept(text: string): boolean {
    if (!this.looksAt(text)) return false;
    this.at += text.length;
    return true;
  }

  /** Matches a sticky expression here and steps over it. */
  private take(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.at;
    const found = expression.exec(this.text);
    if (found) this.at += found[0].length;
    return found;
  }

  private choice(): Node {
    const parts = [this.sequence()];
    while (this.accept('|')) parts.push(this.sequence());
    return parts.length === 1 ? parts[0]! : { type: 'choice', parts };
  }

  private sequence(): Node {
    const parts: Node[] = [];
    while (this.at < this.text.length && !this.looksAt('|') && !this.looksAt(')')) {
      if (this.accept('\\Q')) {
        const end = this.text.indexOf('\\E', this.at);
        const quoted = this.text.slice(this.at, end < 0 ? undefined : end);
        this.at = end < 0 ? this.text.length : end + 2;
        for (const char of quoted) parts.push(this.literal(char.codePointAt(0) ?? 0));
        // A repeat after a quotation is about its last character.
        if (quoted !== '') parts.push(this.repeated(parts.pop()!));
        continue;
      }
      parts.push(this.repeated(this.atom()));
    }
    return parts.length === 1 ? parts[0]! : { type: 'sequence', parts };
  }

  private repeated(part: Node): Node {
    const bounds = this.repeat();
    if (!bounds) return part;
    this.accept('?');
    if (this.repeat()) throw new PatternError('invalid nested repetition operator');
    return { type: 'repeat', part, ...bounds };
  }

  /** The repeat that stands here; null when there is none. A brace that is no repeat is a character. */
  private repeat(): { min: number; max: number | null } | null {
    if (this.accept('*')) return { min: 0, max: null };
    if (this.accept('+')) return { min: 1, max: null };
    if (this.accept('?')) return { min: 0, max: 1 };
    const counted = this.take(/\{(\d+)(,?)(\d*)\}/y);
    if (!counted) return null;
    const min = Number(counted[1]);
    const max = counted[2] === '' ? min : counted[3] === '' ? null : Number(counted[3]);
    // `{2}3}` is no repeat, but `{2,3}` is.
    if (counted[2] === '' && counted[3] !== '') throw new PatternError('invalid repeat count');
    if (min > REPEATS_MAX || (max ?? 0) > REPEATS_MAX || (max !== null && max < min)) {
      throw new PatternError('invalid repeat count');
    }
    return { min, max };
  }

  private atom(): Node {
    if (this.take(/[*+?]|\{\d+(?:,\d*)?\}/y)) throw new PatternError('missing argument to repetition operator');
    if (this.accept('(')) return this.group();
    if (this.accept('[')) return { type: 'set', set: this.charClass() };
    if (this.accept('.')) return { type: 'set', set: rangeSet(0, 127) };
    if (this.accept('^')) return { type: 'assertion', assertion: 'begin' };
    if (this.accept('$')) return { type: 'assertion', assertion: 'end' };
    if (this.looksAt('\\')) return this.escapedAtom();
    return this.literal(this.codePoint());
  }

  private literal(code: number): Node {
    return { type: 'set', set: this.cased(rangeSet(code, code)) };
  }

  private cased(set: CharSet): CharSet {
    return this.ignoreCase ? withBothCases(set) : set;
  }

  private codePoint(): number {
    const code = this.text.codePointAt(this.at) ?? 0;
    this.at += code > 0xffff ? 2 : 1;
    return code;
  }

  private escapedAtom(): Node {
    if (this.accept('\\A')) return { type: 'assertion', assertion: 'begin' };
    if (this.accept('\\z')) return { type: 'assertion', assertion: 'end' };
    if (this.accept('\\b')) return { type: 'assertion', assertion: 'wordBoundary' };
    if (this.accept('\\B')) return { type: 'assertion', assertion: 'noWordBoundary' };
    const set = this.escapedClass();
    return set ? { type: 'set', set } : this.literal(this.escapedChar());
  }

  /** `\d`, `\pL` and their like; null when something else stands here. */
  private escapedClass(): CharSet | null {
    const perl = this.take(/\\([dswDSW])/y)?.[1];
    if (perl !== undefined) {
      const set = PERL_CLASSES[perl.toLowerCase()]!;
      return perl === perl.toLowerCase() ? set : complement(set);
    }
    const unicode = this.take(/\\([pP])(?:\{(\^?)([^}]*)\}|(.))/uy);
    if (!unicode) {
      if (this.looksAt('\\p') || this.looksAt('\\P')) throw new PatternError('invalid character class range');
      return null;
    }
    const found = UNICODE_CLASSES[unicode[3] ?? unicode[4] ?? ''];
    if (!found) throw new PatternError('invalid character class range');
    const negated = (unicode[1] === 'P') !== (unicode[2] === '^');
    return negated ? complement(this.cased(found)) : this.cased(found);
  }

  private escapedChar(): number {
    if (this.at + 1 >= this.text.length) throw new PatternError('trailing backslash at end of expression');
    const hex = this.take(/\\x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/y);
    if (hex) return Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
    // One digit alone would refer back to a capture, which RE2 cannot.
    const octal = this.take(/\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/y);
    if (octal) return Number.parseInt(octal[1] ?? '', 8);
    const char = this.text[this.at + 1] ?? '';
    const known = ESCAPED[char];
    if (known === undefined && (/[0-9A-Za-z]/.test(char) || char.charCodeAt(0) > 127)) {
      throw new PatternError('invalid escape sequence');
    }
    this.at += 2;
    return known ?? char.charCodeAt(0);
  }

  private group(): Node {
    this.depth += 1;
    if (this.depth > NESTING_MAX) throw new PatternError('expression nests too deeply');
    const caseBefore = this.ignoreCase;
    const opened = this.accept('?') ? this.groupHead() : 'group';
    if (opened === 'flags') {
      this.depth -= 1;
      return EMPTY;
    }
    const node = this.choice();
    if (!this.accept(')')) throw new PatternError('missing closing )');
    this.ignoreCase = caseBefore;
    this.depth -= 1;
    return node;
  }

  /** What follows `(?`: a name, or flags for a group, or flags for the rest of the group around. */
  private groupHead(): 'group' | 'flags' {
    if (this.looksAt('P<') || (this.looksAt('<') && !this.looksAt('<=') && !this.looksAt('<!'))) {
      const name = this.take(/P?<(\w+)>/y)?.[1];
      if (name === undefined) throw new PatternError('invalid named capture');
      if (this.names.has(name)) throw new PatternError('duplicate capture group name');
      this.names.add(name);
      return 'group';
    }
    const flags = this.take(/([imsU]*)(?:-([imsU]+))?([:)])/y);
    if (!flags || (flags[3] === ')' && flags[1] === '' && flags[2] === undefined)) {
      throw new PatternError('invalid or unsupported Perl syntax');
    }
    if (flags[1]?.includes('i')) this.ignoreCase = true;
    if (flags[2]?.includes('i')) this.ignoreCase = false;
    return flags[3] === ':' ? 'group' : 'flags';
  }

  private charClass(): CharSet {
    const negated = this.accept('^');
    const sets: CharSet[] = [];
    for (let first = true; first || !this.looksAt(']'); first = false) {
      if (this.at >= this.text.length) throw new PatternError('missing closing ]');
      sets.push(this.classItem());
    }
    this.at += 1;
    const whole = this.cased(union(sets));
    return negated ? complement(whole) : whole;
  }

  private classItem(): CharSet {
    const posix = this.take(/\[:(\^?)(\w*):\]/y);
    if (posix) {
      const set = POSIX_CLASSES[posix[2] ?? ''];
      if (!set) throw new PatternError('invalid character class range');
      return posix[1] === '^' ? complement(set) : set;
    }
    const named = this.looksAt('\\') ? this.escapedClass() : null;
    if (named) return named;
    const low = this.classChar();
    if (!this.looksAt('-') || this.looksAt('-]') || this.at + 1 >= this.text.length) return rangeSet(low, low);
    this.at += 1;
    const high = this.classChar();
    if (high < low) throw new PatternError('invalid character class range');
    return rangeSet(low, high);
  }

  private classChar(): number {
    return this.looksAt('\\') ? this.escapedChar() : this.codePoint();
  }
}
