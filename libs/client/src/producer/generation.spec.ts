import { Generations } from './generation.js';

describe('Generations', () => {
  it('ends a generation when its records and all before have their outcome, whatever comes later', async () => {
    const generations = new Generations();
    const done: string[] = [];
    const first = generations.current;
    first.pending += 2;
    void generations.end().then(() => done.push('first'));
    const second = generations.current;
    second.pending += 1;
    void generations.end().then(() => done.push('second'));
    generations.current.pending += 1;

    generations.settle(second, 1);
    await Promise.resolve();
    expect(done).toEqual([]);
    generations.settle(first, 1);
    await Promise.resolve();
    expect(done).toEqual([]);
    generations.settle(first, 1);
    await Promise.resolve();
    expect(done).toEqual(['first', 'second']);
    expect(generations.pendingCount).toBe(1);
  });

  it('resolves at once when nothing is pending', async () => {
    const generations = new Generations();
    await expect(generations.end()).resolves.toBeUndefined();
    expect(generations.current.isEnded).toBe(false);
  });
});
