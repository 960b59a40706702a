import { formatRows } from './output.js';

const ROWS = [
  { name: 'a', partitions: 10, isr: [0, 1] },
  { name: 'longer', partitions: 1, isr: null },
];

describe('output', () => {
  it('aligns a table', () => {
    expect(formatRows(ROWS, 'table')).toBe('NAME    PARTITIONS  ISR\na       10          0,1\nlonger  1           -\n');
  });

  it('prints JSON that can be read back', () => {
    expect(JSON.parse(formatRows(ROWS, 'json'))).toEqual(ROWS);
    expect(
      formatRows(ROWS, 'ndjson')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(ROWS);
  });

  it('prints nothing of nothing', () => {
    expect(formatRows([], 'table')).toBe('');
    expect(formatRows([], 'ndjson')).toBe('');
    expect(formatRows([], 'json')).toBe('[]\n');
  });
});
