import { systemClock } from './clock.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('system clock', () => {
  it('runs what was deferred in one tick in order, with no microtask in between', async () => {
    const seen: string[] = [];
    systemClock.defer(() => {
      seen.push('first');
      queueMicrotask(() => seen.push('microtask'));
    });
    systemClock.defer(() => seen.push('second'));
    expect(seen).toEqual([]);
    await turn();
    expect(seen).toEqual(['first', 'second', 'microtask']);
  });

  it('runs what is deferred by deferred work in a later turn', async () => {
    const seen: string[] = [];
    systemClock.defer(() => systemClock.defer(() => seen.push('later')));
    await turn();
    expect(seen).toEqual([]);
    await turn();
    expect(seen).toEqual(['later']);
  });
});
