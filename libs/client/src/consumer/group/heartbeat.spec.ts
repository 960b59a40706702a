/**
 * The timer of a member: when it beats, when it gives up, and that nothing escapes from it.
 */
import { FakeClock } from '../../testing/fake-clock.js';
import { Heartbeat } from './heartbeat.js';

const LIMITS = { heartbeatIntervalMs: 3_000, sessionTimeoutMs: 10_000, maxPollIntervalMs: 60_000 };

function setUp(beat: () => Promise<boolean> = () => Promise.resolve(true), limits = LIMITS) {
  const clock = new FakeClock();
  const events: string[] = [];
  const at = (what: string): number => events.push(`${what} ${clock.monotonic()}`);
  const heartbeat = new Heartbeat(clock, limits, {
    beat: () => (at('beat'), beat()),
    onSessionExpired: () => void at('session expired'),
    onPollExpired: () => void at('poll expired'),
  });
  return { clock, events, heartbeat };
}

describe('Heartbeat', () => {
  it('beats at the interval while the application polls', async () => {
    const { clock, events, heartbeat } = setUp();
    heartbeat.pollBegan();
    heartbeat.start();
    await clock.advance(9_500);
    expect(events).toEqual(['beat 3000', 'beat 6000', 'beat 9000']);
  });

  it('beats while the application works, until it has not polled for too long', async () => {
    const { clock, events, heartbeat } = setUp(undefined, { ...LIMITS, maxPollIntervalMs: 7_000 });
    heartbeat.start();
    heartbeat.pollEnded();
    await clock.advance(30_000);
    expect(events).toEqual(['beat 3000', 'beat 6000', 'poll expired 7000']);
    expect(clock.timerCount).toBe(0);
  });

  it('never gives up during a poll, however long it waits', async () => {
    const { clock, events, heartbeat } = setUp(undefined, { ...LIMITS, maxPollIntervalMs: 7_000 });
    heartbeat.start();
    heartbeat.pollBegan();
    await clock.advance(100_000);
    expect(events.filter((event) => event.startsWith('poll'))).toEqual([]);
  });

  it('sends one heartbeat at a time', async () => {
    let answer = (_taken: boolean): void => undefined;
    const { clock, events, heartbeat } = setUp(() => new Promise((resolve) => (answer = resolve)));
    heartbeat.pollBegan();
    heartbeat.start();
    await clock.advance(8_000);
    expect(events).toEqual(['beat 3000']);
    answer(true);
    await clock.advance(1);
    expect(events).toEqual(['beat 3000', 'beat 8000']);
  });

  it('reports a session without a heartbeat that was taken, once per session', async () => {
    const { clock, events, heartbeat } = setUp(() => Promise.resolve(false));
    heartbeat.pollBegan();
    heartbeat.start();
    await clock.advance(21_000);
    expect(events.filter((event) => event.startsWith('session'))).toEqual([
      'session expired 10000',
      'session expired 20000',
    ]);
  });

  it('stops at once and leaves no timer', async () => {
    const { clock, events, heartbeat } = setUp();
    heartbeat.pollBegan();
    heartbeat.start();
    heartbeat.stop();
    await clock.advance(20_000);
    expect([events, clock.timerCount]).toEqual([[], 0]);
  });
});
