import { AckMode } from '../commit/ack-mode.js';
import { ContainerEvents } from '../events/container-event.js';
import { silentLog } from '../io/log.js';
import { driverError } from '../testing/cluster-fake.js';
import { ConcurrentContainer } from './concurrent-container.js';
import { ContainerFixture, deferred, waitFor } from './container.fixture.js';

describe('container: start while it is stopping', () => {
  it('starts as soon as the stop is done', async () => {
    const release = deferred();
    const fixture = new ContainerFixture({ values: ['a'], handler: () => release.promise });
    fixture.container.start();
    await waitFor(() => fixture.delivered.length === 1);
    const stopped = fixture.container.stop();
    fixture.container.start();
    expect(fixture.container.state).toBe('stopping');
    expect(fixture.container.isReady).toBe(false);
    release.resolve();
    await stopped;
    await waitFor(() => fixture.driver.consumers.length === 2);
    await fixture.append(['b']);
    expect(fixture.delivered).toEqual(['a', 'b']);
    await fixture.container.stop();
    expect(fixture.container.state).toBe('stopped');
  });

  it('another stop takes the start back', async () => {
    const fixture = new ContainerFixture();
    await fixture.start();
    void fixture.container.stop();
    fixture.container.start();
    await fixture.container.stop();
    expect(fixture.container.state).toBe('stopped');
    expect(fixture.driver.consumers).toHaveLength(1);
  });

  it('says so when that start fails', async () => {
    const fixture = new ContainerFixture();
    await fixture.start();
    const stopped = fixture.container.stop();
    fixture.container.start();
    fixture.driver.createError = driverError('CONFIG');
    await stopped;
    await waitFor(() => fixture.eventNames().at(-1) === 'stopped CONFIG');
    expect(fixture.container.isInExpectedState).toBe(false);
    expect(fixture.logged.at(-1)).toMatch(/^error l-0: the container could not be started again.*scripted CONFIG/);
  });

  it('all consumers of a listener start again when one of them had failed', async () => {
    const { clock, driver, settings } = new ContainerFixture();
    const events = new ContainerEvents(silentLog);
    const environment = { driver, events, clock, log: silentLog, topicsReady: Promise.resolve() };
    const container = new ConcurrentContainer({ ...settings, concurrency: 2 }, environment);
    container.start();
    await Promise.all(driver.consumers.map((consumer) => consumer.parked()));
    events.subscribe((event) => {
      if (event.type === 'stopping' && driver.consumers.length === 2) container.start();
    });
    driver.consumers[0]?.failNext('poll', driverError('GROUP_AUTHORIZATION_FAILED'));
    await waitFor(
      () => driver.consumers.length === 4 && container.containers.every(({ state }) => state === 'running'),
    );
    await container.stop();
  });
});

describe('container: errors that arrive with a wake-up', () => {
  it('a fatal commit error stops the container with its reason', async () => {
    const acks: (() => unknown)[] = [];
    const fixture = new ContainerFixture({
      ackMode: AckMode.MANUAL,
      values: ['a'],
      handler: (_record, ack) => acks.push(() => ack.acknowledge()),
    });
    await fixture.start();
    fixture.consumer.failNext('commitSync', driverError('GROUP_AUTHORIZATION_FAILED'));
    acks[0]?.();
    await waitFor(() => fixture.container.state === 'stopped');
    expect(fixture.container.stopReason).toBe('AUTH');
    expect(fixture.logged.join('\n')).toContain('error l-0: the container stops (AUTH)');
  });

  it('a lost membership is said', async () => {
    const acks: (() => unknown)[] = [];
    const fixture = new ContainerFixture({
      ackMode: AckMode.MANUAL,
      values: ['a'],
      handler: (_record, ack) => acks.push(() => ack.acknowledge()),
    });
    await fixture.start();
    fixture.consumer.failNext('commitSync', driverError('UNKNOWN_MEMBER_ID'));
    acks[0]?.();
    await waitFor(() => fixture.logged.join('\n').includes('the group has gone on without this member'));
    await fixture.container.stop();
  });
});
