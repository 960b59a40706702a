import { FakeClock } from '../../testing/fake-clock.js';
import { Alarm, Alarms, STALL_GRACE_MS_MAX } from './alarms.js';

/** A clock whose timers come late, as after a stall of the event loop. */
class StalledClock extends FakeClock {
  lateMs = 0;

  override monotonic(): number {
    return super.monotonic() + this.lateMs;
  }
}

describe('Alarms', () => {
  it('ring once each, in the order of their times, on one timer', async () => {
    const clock = new FakeClock();
    const alarms = new Alarms(clock);
    const rung: string[] = [];
    const set = (name: string, atMs: number): Alarm => {
      const alarm = new Alarm(() => rung.push(`${name}@${clock.monotonic()}`));
      alarms.set(alarm, atMs);
      return alarm;
    };
    set('c', 300);
    const moved = set('a', 100);
    const cleared = set('x', 50);
    set('b', 200);
    alarms.set(moved, 250);
    alarms.clear(cleared);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1000);
    expect(rung).toEqual(['b@200', 'a@250', 'c@300']);
    expect(alarms.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('may set themselves again', async () => {
    const clock = new FakeClock();
    const alarms = new Alarms(clock);
    let count = 0;
    const alarm: Alarm = new Alarm(() => {
      count += 1;
      if (count < 3) alarms.set(alarm, clock.monotonic() + 10);
    });
    alarms.set(alarm, 10);
    await clock.advance(100);
    expect(count).toBe(3);
  });

  it('wait once for as long as a stall took, so that what it held up can be heard first', async () => {
    const clock = new StalledClock();
    const alarms = new Alarms(clock);
    const rung: number[] = [];
    alarms.set(new Alarm(() => rung.push(clock.monotonic())), 1000);
    clock.lateMs = 5000;
    await clock.advance(1000);
    expect(rung).toEqual([]);
    await clock.advance(4999);
    expect(rung).toEqual([]);
    await clock.advance(1);
    expect(rung).toEqual([11_000]);
  });

  it('wait for no more than a bound', async () => {
    const clock = new StalledClock();
    const alarms = new Alarms(clock);
    let rung = false;
    alarms.set(
      new Alarm(() => {
        rung = true;
      }),
      10,
    );
    clock.lateMs = 3_600_000;
    await clock.advance(10);
    expect(rung).toBe(false);
    await clock.advance(STALL_GRACE_MS_MAX);
    expect(rung).toBe(true);
  });

  it('leave no timer behind when closed', () => {
    const clock = new FakeClock();
    const alarms = new Alarms(clock);
    alarms.set(new Alarm(() => undefined), 10);
    alarms.close();
    expect(clock.pendingTimers).toBe(0);
    expect(alarms.size).toBe(0);
  });
});
