import { driverError } from '../testing/cluster-fake.js';
import { FakeClock } from '../testing/fake-clock.js';
import { COMMIT_LOG_PAUSE_MS, CommitFailureLog } from './commit-failure-log.js';

function create() {
  const clock = new FakeClock();
  const logged: string[] = [];
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (message: string) => void logged.push(`warn ${message}`),
    error: (message: string, error?: unknown) => void logged.push(`error ${message}: ${(error as Error).message}`),
  };
  return { clock, logged, failures: new CommitFailureLog('l', log, clock) };
}

const away = driverError('NETWORK', { retriable: true });

describe('commit failures in the log', () => {
  it('one line per cause, the others counted with the next one after the pause', () => {
    const { clock, logged, failures } = create();
    for (let index = 0; index < 115; index++) failures.failed('a commit failed', away);
    failures.failed('a commit failed', driverError('INVALID_COMMIT_OFFSET_SIZE'));
    expect(logged).toEqual([
      `warn l: a commit failed: ${away.message}`,
      expect.stringMatching(/^error l: a commit failed: /),
    ]);
    clock.advance(COMMIT_LOG_PAUSE_MS);
    failures.failed('a commit failed', away);
    expect(logged[2]).toBe(`warn l: a commit failed … and 114 more: ${away.message}`);
  });

  it('a success tells the count after the pause, and once', () => {
    const { clock, logged, failures } = create();
    for (let index = 0; index < 3; index++) failures.failed('a commit failed', away);
    failures.succeeded();
    expect(logged).toHaveLength(1);
    clock.advance(COMMIT_LOG_PAUSE_MS);
    failures.succeeded();
    failures.succeeded();
    expect(logged.slice(1)).toEqual(['warn l: a commit failed … and 2 more (NETWORK)']);
  });

  it('the end tells the count', () => {
    const { logged, failures } = create();
    for (let index = 0; index < 2; index++) failures.failed('a commit failed', away);
    failures.end();
    failures.end();
    expect(logged.slice(1)).toEqual(['warn l: a commit failed … and 1 more (NETWORK)']);
  });
});
