import { PROMPT_WRITE_BYTES_MAX, PROMPT_WRITE_MS_MAX, PromptWrites, WRITES_AVOIDED_MS } from './prompt-writes.js';

describe('prompt writes', () => {
  let nowMs: number;
  let writes: PromptWrites;

  beforeEach(() => {
    nowMs = 0;
    writes = new PromptWrites(() => nowMs);
  });

  const write = (tookMs: number): boolean => {
    const beganMs = writes.begin(100);
    if (beganMs === null) return false;
    nowMs += tookMs;
    writes.ended(beganMs);
    return true;
  };

  it('are those up to a size', () => {
    expect(writes.begin(PROMPT_WRITE_BYTES_MAX)).toBe(0);
    expect(writes.begin(PROMPT_WRITE_BYTES_MAX + 1)).toBeNull();
  });

  it('go on as long as none is slow', () => {
    for (let count = 0; count < 10; count++) expect(write(PROMPT_WRITE_MS_MAX)).toBe(true);
  });

  it('stop for a while after a slow one, and begin again', () => {
    expect(write(PROMPT_WRITE_MS_MAX + 1)).toBe(true);
    expect(write(0)).toBe(false);
    nowMs += WRITES_AVOIDED_MS - 1;
    expect(write(0)).toBe(false);
    nowMs += 1;
    expect(write(0)).toBe(true);
  });
});
