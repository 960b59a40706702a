/**
 * The named classes of characters in patterns, cut down to ASCII. Source: RE2, "Syntax".
 */
import { charSet, rangeSet, union, type CharSet } from './syntax-tree.js';

const DIGITS = rangeSet(48, 57);
const UPPER = rangeSet(65, 90);
const LOWER = rangeSet(97, 122);
const LETTERS = union([UPPER, LOWER]);
const ALPHANUMERIC = union([LETTERS, DIGITS]);
const of = (text: string): CharSet => charSet((code) => text.includes(String.fromCharCode(code)));
const WORD = union([ALPHANUMERIC, of('_')]);
const BLANK = of(' \t');
const NONE = charSet(() => false);

/** `\d` and its like, by letter. */
export const PERL_CLASSES: Readonly<Record<string, CharSet>> = { d: DIGITS, s: of(' \t\n\r\f'), w: WORD };

/** `[:alpha:]` and its like, by name. */
export const POSIX_CLASSES: Readonly<Record<string, CharSet>> = {
  alnum: ALPHANUMERIC,
  alpha: LETTERS,
  ascii: rangeSet(0, 127),
  blank: BLANK,
  cntrl: charSet((code) => code < 32 || code === 127),
  digit: DIGITS,
  graph: rangeSet(33, 126),
  lower: LOWER,
  print: rangeSet(32, 126),
  punct: charSet((code) => code > 32 && code < 127 && ALPHANUMERIC[code] !== 1),
  space: of(' \t\n\v\f\r'),
  upper: UPPER,
  word: WORD,
  xdigit: union([DIGITS, rangeSet(65, 70), rangeSet(97, 102)]),
};

/** `\p{L}` and its like, by name: categories of Unicode, and the scripts that are common. Others have no ASCII in them. */
export const UNICODE_CLASSES: Readonly<Record<string, CharSet>> = {
  Any: rangeSet(0, 127),
  C: charSet((code) => code < 32 || code === 127),
  Cc: charSet((code) => code < 32 || code === 127),
  L: LETTERS,
  Lu: UPPER,
  Ll: LOWER,
  Lt: NONE,
  Lm: NONE,
  Lo: NONE,
  M: NONE,
  N: DIGITS,
  Nd: DIGITS,
  Nl: NONE,
  No: NONE,
  P: of('!"#%&\'()*,-./:;?@[\\]_{}'),
  Pc: of('_'),
  Pd: of('-'),
  Ps: of('([{'),
  Pe: of(')]}'),
  Po: of('!"#%&\'*,./:;?@\\'),
  S: of('$+<=>^`|~'),
  Sc: of('$'),
  Sk: of('^`'),
  Sm: of('+<=>|~'),
  So: NONE,
  Z: of(' '),
  Zs: of(' '),
  Zl: NONE,
  Zp: NONE,
  Latin: LETTERS,
  Common: charSet((code) => LETTERS[code] !== 1),
  Greek: NONE,
  Cyrillic: NONE,
  Han: NONE,
  Arabic: NONE,
  Hebrew: NONE,
};
