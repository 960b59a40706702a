import { joinSmallChunks } from './exchange.js';

describe('exchange: joining small chunks', () => {
  it('joins neighbours that are small and passes large ones by reference', () => {
    const large = Buffer.alloc(5000, 7);
    const joined = joinSmallChunks([Buffer.from('a'), Buffer.from('b'), large, Buffer.from('c'), large, large]);
    expect(joined.map(({ length }) => length)).toEqual([2, 5000, 1, 5000, 5000]);
    expect(joined[1]).toBe(large);
    expect(Buffer.concat(joined).toString()).toBe(`ab${large.toString()}c${large.toString()}${large.toString()}`);
  });

  it('leaves one chunk alone', () => {
    const chunks = [Buffer.from('a')];
    expect(joinSmallChunks(chunks)).toBe(chunks);
  });
});
