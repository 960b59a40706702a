import { topicPattern } from './topic-pattern.js';

describe('patterns of topics', () => {
  it.each<[string, string[], string[]]>([
    ['t', ['t'], ['tt', 'T', '']],
    ['orders|bills', ['orders', 'bills'], ['order', 'ordersbills']],
    ['a.c', ['abc', 'a.c'], ['ac', 'abbc']],
    ['a\\.c', ['a.c'], ['abc']],
    ['.*', ['', 'anything'], []],
    ['^orders-.+$', ['orders-1'], ['orders-', 'x-orders-1']],
    ['(?:ab)+', ['ab', 'abab'], ['', 'aba']],
    ['(?P<x>a)(?<y>b)?', ['a', 'ab'], ['b']],
    ['a{2,3}', ['aa', 'aaa'], ['a', 'aaaa']],
    ['a{2}', ['aa'], ['a', 'aaa']],
    ['a{2,}', ['aa', 'aaaaa'], ['a']],
    ['a{,2}', ['a{,2}'], ['a', 'aa']],
    ['[a-c_]x', ['ax', '_x'], ['dx']],
    ['[^a-c]x', ['dx'], ['ax']],
    ['[]a]', [']', 'a'], ['b']],
    ['[a-]', ['a', '-'], ['b']],
    ['[\\d-z]+', ['1-z'], ['y']],
    ['[[:alpha:]]\\d\\w\\S', ['a1_x'], ['11_x']],
    ['\\D\\W', ['a.'], ['1.', 'ab']],
    ['(?i)ab(?-i)C', ['abC', 'ABC'], ['abc']],
    ['(?i:a)b', ['ab', 'Ab'], ['AB']],
    ['a*?b+?c??', ['b', 'aabbc'], ['a']],
    ['\\Qa.b\\E+', ['a.b', 'a.bb'], ['axb']],
    ['\\bfoo\\b.*', ['foo', 'foo-1'], ['foo1']],
    ['\\pL+\\p{Nd}', ['ab1'], ['ab']],
    ['\\PL', ['1'], ['a']],
    ['\\x41\\x{42}\\103', ['ABC'], ['abc']],
    ['é', [], ['e', '']],
    ['(a|b|)c', ['ac', 'bc', 'c'], ['abc']],
    ['(a*)*b', ['b', 'aaab'], ['a']],
    ['^', [''], ['a']],
    ['$', [''], ['a']],
    ['a$b|^$|c^d', [''], ['ab', 'cd', 'a']],
    ['(^a|b)$', ['a', 'b'], ['ab']],
    ['\\Bfoo|x\\b-y', ['x-y'], ['foo', 'x-']],
    ['[ab]*a[ab]{12}', ['a'.padEnd(13, 'b'), 'bba'.padEnd(15, 'ab')], ['b'.padEnd(13, 'a'), 'a']],
  ])('%s', (pattern, names, others) => {
    const matches = topicPattern(pattern);
    expect(names.filter((name) => !matches(name))).toEqual([]);
    expect(others.filter((name) => matches(name))).toEqual([]);
  });

  // What Apache Kafka 4.3.1 says.
  it.each([
    ['(', 'missing closing )'],
    [')', 'regexp/syntax: internal error'],
    ['[a', 'missing closing ]'],
    ['a**', 'invalid nested repetition operator'],
    ['++', 'missing argument to repetition operator'],
    ['*', 'missing argument to repetition operator'],
    ['(?=a)', 'invalid or unsupported Perl syntax'],
    ['(?z)', 'invalid or unsupported Perl syntax'],
    ['a{1001}', 'invalid repeat count'],
    ['a{0,1001}', 'invalid repeat count'],
    ['x{2,1}', 'invalid repeat count'],
    ['\\8', 'invalid escape sequence'],
    ['\\Z', 'invalid escape sequence'],
    ['\\C', 'invalid escape sequence'],
    ['(a)\\1', 'invalid escape sequence'],
    ['[z-a]', 'invalid character class range'],
    ['[[:foo:]]', 'invalid character class range'],
    ['a\\', 'trailing backslash at end of expression'],
    ['(?P<n>a)(?P<n>b)', 'duplicate capture group name'],
    ['(?P<n', 'invalid named capture'],
  ])('%s is refused', (pattern, reason) => {
    const text = `SubscribedTopicRegex \`${pattern}\` is not a valid regular expression: ${reason}.`;
    expect(() => topicPattern(pattern)).toThrow(expect.objectContaining({ errorCode: 128, message: text }) as Error);
  });

  it.each([
    ['nested repeats', '((a{1000}){1000}){1000}'],
    ['nested repeats of nothing', '(((){1000}){1000}){1000}'],
    ['deep nesting', `${'('.repeat(2000)}a${')'.repeat(2000)}`],
  ])('%s end soon', (_what, pattern) => {
    expect(() => topicPattern(pattern)).toThrow(expect.objectContaining({ errorCode: 128 }) as Error);
  });

  it('says the same however many names it has seen', () => {
    const matches = topicPattern('[ab]*a[ab]{12}');
    const names = Array.from({ length: 4096 }, (_, at) =>
      at.toString(2).padStart(15, '0').replaceAll('0', 'a').replaceAll('1', 'b'),
    );
    const right = names.filter((name) => matches(name) !== (name[2] === 'a'));
    expect(right).toEqual([]);
    expect(names.filter((name) => matches(name) !== (name[2] === 'a'))).toEqual([]);
  });

  it('takes a time that grows with the name, whatever the pattern', () => {
    // JavaScript's own expressions would need 2^200 steps.
    expect(topicPattern('(a+)+(a|a)*(.*)*x')('a'.repeat(200))).toBe(false);
  });
});
