import { parseProperties } from './properties.js';

describe('properties: a Java properties file', () => {
  const cases: [what: string, text: string, entries: Record<string, string>][] = [
    ['an entry', 'broker.id=1', { 'broker.id': '1' }],
    ['blanks around the separator', 'broker.id  =  1', { 'broker.id': '1' }],
    ['a colon as separator', 'listeners: PLAINTEXT://:9092', { listeners: 'PLAINTEXT://:9092' }],
    ['white space as separator', 'num.partitions 3', { 'num.partitions': '3' }],
    ['a separator inside the value', 'a=b=c:d', { a: 'b=c:d' }],
    ['comments and empty lines', '# one\n\n  ! two\na=1\n', { a: '1' }],
    ['a comment sign inside a value', 'a=1 # not a comment', { a: '1 # not a comment' }],
    ['a continued line', 'a=1,\\\n   2,\\\n   3', { a: '1,2,3' }],
    ['an escaped backslash at the end', 'a=c:\\\\\nb=2', { a: 'c:\\', b: '2' }],
    ['escapes', 'a=tab\\tend\\u0041\\:', { a: 'tab\tendA:' }],
    ['an escaped separator in the name', 'a\\=b=c', { 'a=b': 'c' }],
    ['an entry without a value', 'a=\nb', { a: '', b: '' }],
    ['Windows line ends', 'a=1\r\nb=2\r\n', { a: '1', b: '2' }],
    ['the last of two entries', 'a=1\na=2', { a: '2' }],
    ['a continuation that never ends', 'a=1\\', { a: '1' }],
  ];
  it.each(cases)('reads %s', (_what, text, entries) => {
    expect(parseProperties(text)).toEqual(entries);
  });
});
