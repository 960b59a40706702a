import { FixedBackOff } from '../error-handling/back-off.js';
import { ContainerEvents, EVENT_NAMES } from '../events/container-event.js';
import { silentLog } from '../io/log.js';
import { driverError } from '../testing/cluster-fake.js';
import { ConcurrentContainer } from './concurrent-container.js';
import { ContainerFixture, type FixtureOptions, deferred, partitionOf, waitFor } from './container.fixture.js';
import { flowSettings } from './flow-options.js';
import type { SeekCallback } from './seek-aware.js';

const ofType = (fixture: ContainerFixture, ...types: string[]) =>
  fixture.events.filter((event) => types.includes(event.type)).map((event) => event.type);

describe('container: idle detection', () => {
  it('tells that nothing comes, again after each interval, and that something does', async () => {
    const fixture = new ContainerFixture({ idleEventIntervalMs: 1000, values: ['a'] });
    await fixture.start();
    await fixture.advance(999);
    expect(ofType(fixture, 'idle')).toEqual([]);
    await fixture.advance(1);
    await fixture.advance(1000);
    await fixture.append(['b']);
    const events = fixture.events.filter((event) => event.type === 'idle' || event.type === 'no-longer-idle');
    expect(events.map((event) => [event.name, 'idleMs' in event ? event.idleMs : -1])).toEqual([
      ['ListenerContainerIdleEvent', 1000],
      ['ListenerContainerIdleEvent', 2000],
      ['ListenerContainerNoLongerIdleEvent', 2000],
    ]);
    await fixture.container.stop();
  });

  it('waits longer until the first record has come', async () => {
    const fixture = new ContainerFixture({ idleEventIntervalMs: 1000 });
    await fixture.start();
    await fixture.advance(4999);
    expect(ofType(fixture, 'idle')).toEqual([]);
    await fixture.advance(1);
    expect(ofType(fixture, 'idle')).toEqual(['idle']);
    await fixture.container.stop();
  });

  it('tells it of each partition', async () => {
    const fixture = new ContainerFixture({
      idlePartitionEventIntervalMs: 1000,
      idleBeforeDataMultiplier: 1,
      values: ['a'],
    });
    await fixture.start();
    await fixture.advance(600);
    await fixture.append(['b'], 0);
    await fixture.advance(400);
    const idle = fixture.events.filter((event) => event.type === 'partition-idle');
    expect(idle).toMatchObject([{ name: 'ListenerContainerPartitionIdleEvent', partition: partitionOf(1) }]);
    await fixture.append(['c'], 1);
    expect(ofType(fixture, 'partition-no-longer-idle')).toHaveLength(1);
    await fixture.container.stop();
  });

  it('a seek made when idle is done before the next poll', async () => {
    const fixture = new ContainerFixture({
      idleEventIntervalMs: 1000,
      values: ['a', 'b'],
      seekAware: {
        onIdleContainer: (_partitions, seeks) => {
          if (fixture.delivered.length === 2) seeks.seekToBeginning();
        },
      },
    });
    await fixture.start();
    await fixture.advance(1000);
    await waitFor(() => fixture.delivered.length === 4);
    expect(fixture.delivered).toEqual(['a', 'b', 'a', 'b']);
    await fixture.container.stop();
  });
});

describe('container: a loop that does not poll', () => {
  it('is told after noPollThreshold x pollTimeoutMs, and again', async () => {
    const release = deferred();
    const fixture = new ContainerFixture({
      values: ['a'],
      pollTimeoutMs: 1000,
      monitorIntervalMs: 2000,
      keepAliveAfterMs: 1_000_000,
      handler: () => release.promise,
    });
    fixture.container.start();
    await waitFor(() => fixture.delivered.length === 1);
    fixture.clock.advance(2000);
    expect(ofType(fixture, 'non-responsive')).toEqual([]);
    fixture.clock.advance(2000);
    fixture.clock.advance(2000);
    const events = fixture.events.filter((event) => event.type === 'non-responsive');
    expect(events.map((event) => [event.name, event.sinceLastPollMs])).toEqual([
      ['NonResponsiveConsumerEvent', 4000],
      ['NonResponsiveConsumerEvent', 6000],
    ]);
    release.resolve();
    await fixture.container.stop();
    expect(fixture.clock.timerCount).toBe(0);
  });
});

describe('container: partitions paused one by one', () => {
  it('by request: the others go on; the request outlives a rebalance', async () => {
    const fixture = new ContainerFixture();
    await fixture.start();
    fixture.container.pausePartition(partitionOf(0));
    await waitFor(() => fixture.consumer.paused.length === 1);
    await fixture.append(['other'], 1);
    fixture.driver.cluster.append({ topic: 't', value: 'waits' });
    await fixture.consumer.parked();
    expect(fixture.delivered).toEqual(['other']);
    expect(fixture.container.isPartitionPauseRequested(partitionOf(0))).toBe(true);
    expect(fixture.container.isPartitionPaused(partitionOf(0))).toBe(true);
    expect(fixture.container.isPartitionPaused(partitionOf(1))).toBe(false);
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    await fixture.consumer.parked();
    fixture.consumer.rebalance('assigned', [partitionOf(0)]);
    await fixture.consumer.parked();
    expect([fixture.delivered, fixture.consumer.paused]).toEqual([['other'], ['t-0']]);
    fixture.container.resumePartition(partitionOf(0));
    await waitFor(() => fixture.delivered.length === 2);
    expect(ofType(fixture, 'partition-paused', 'partition-resumed')).toEqual(['partition-paused', 'partition-resumed']);
    await fixture.container.stop();
  });
});

describe('container: callbacks at rebalances', () => {
  it('come in order around the commit, and may fail without harm', async () => {
    const diary: string[] = [];
    const note = (name: string) => (): void => {
      diary.push(`${name} after [${fixture.calls.filter((call) => call.startsWith('commit')).join()}]`);
      throw new Error('not our affair');
    };
    const fixture: ContainerFixture = new ContainerFixture({
      ackMode: 'TIME',
      values: ['a'],
      rebalanceListener: {
        onPartitionsAssigned: note('assigned'),
        onPartitionsRevokedBeforeCommit: note('before commit'),
        onPartitionsRevokedAfterCommit: note('after commit'),
        onPartitionsLost: note('lost'),
      },
      seekAware: { onPartitionsRevoked: note('seekAware') },
    });
    await fixture.start();
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    await fixture.consumer.parked();
    fixture.consumer.rebalance('lost', [partitionOf(1)]);
    await fixture.consumer.parked();
    await fixture.container.stop();
    expect(diary).toEqual([
      'assigned after []',
      'before commit after []',
      'after commit after [commitSync t-0@1]',
      'seekAware after [commitSync t-0@1]',
      'lost after [commitSync t-0@1]',
    ]);
    expect(fixture.logged.filter((line) => line.includes('failed: not our affair'))).toHaveLength(5);
  });
});

describe('container: seeks', () => {
  const start = async (options: FixtureOptions = {}) => {
    const fixture = new ContainerFixture({ values: ['a', 'b', 'c', 'd'], ...options });
    await fixture.start();
    return fixture;
  };

  it.each<[string, (seeks: SeekCallback) => void, string[]]>([
    ['seek', (seeks) => seeks.seek(partitionOf(0), 2), ['c', 'd']],
    ['seekToBeginning', (seeks) => seeks.seekToBeginning(), ['a', 'b', 'c', 'd']],
    ['seekRelative from the end', (seeks) => seeks.seekRelative(partitionOf(0), -1, 'end'), ['d']],
    ['seekRelative from the beginning', (seeks) => seeks.seekRelative(partitionOf(0), 3, 'beginning'), ['d']],
    ['seekRelative from here', (seeks) => seeks.seekRelative(partitionOf(0), -2, 'current'), ['c', 'd']],
    [
      'seekRelative past the beginning',
      (seeks) => seeks.seekRelative(partitionOf(0), -99, 'current'),
      ['a', 'b', 'c', 'd'],
    ],
    ['seekToTimestamp', (seeks) => seeks.seekToTimestamp(0, [partitionOf(0)]), ['a', 'b', 'c', 'd']],
    ['seekToTimestamp in the future', (seeks) => seeks.seekToTimestamp(9e15), []],
  ])('%s from outside is done by the loop at once', async (_name, move, again) => {
    const fixture = await start();
    move(fixture.container.seeks as SeekCallback);
    await waitFor(() => fixture.delivered.length === 4 + again.length);
    await fixture.consumer.parked();
    expect(fixture.delivered.slice(4)).toEqual(again);
    await fixture.container.stop();
  });

  it('at assignment is done before the first record', async () => {
    const fixture = await start({
      seekAware: { onPartitionsAssigned: (_partitions, seeks) => seeks.seek(partitionOf(0), 3) },
    });
    expect(fixture.delivered).toEqual(['d']);
    await fixture.container.stop();
  });

  it('by a kept callback while the listener runs voids the rest of the poll', async () => {
    let kept: SeekCallback | undefined;
    let seeks = 1;
    const fixture = await start({
      seekAware: { registerSeekCallback: (callback) => (kept = callback) },
      handler: (record) => {
        if (record.value === 'b' && seeks-- > 0) kept?.seek(partitionOf(0), 0);
      },
    });
    await waitFor(() => fixture.delivered.length === 6);
    expect(fixture.delivered).toEqual(['a', 'b', 'a', 'b', 'c', 'd']);
    await fixture.container.stop();
  });

  it('in a partition that is not here is left out, with a warning', async () => {
    const fixture = await start();
    fixture.container.seeks?.seek({ topic: 'elsewhere', partition: 0 }, 0);
    await waitFor(() =>
      fixture.logged.some((line) => line.includes('seek in elsewhere-0, which is not assigned here')),
    );
    await fixture.container.stop();
  });
});

describe('container: listeners that are busy for long', () => {
  it('the container polls on, paused, so that the group keeps it; then it goes on', async () => {
    const release = deferred();
    const fixture = new ContainerFixture({
      values: ['a', 'b'],
      keepAliveAfterMs: 1000,
      handler: (record) => (record.value === 'a' ? release.promise : undefined),
    });
    fixture.container.start();
    await waitFor(() => fixture.delivered.length === 1);
    fixture.clock.advance(1000);
    await fixture.consumer.parked();
    expect(fixture.consumer.paused).toEqual(['t-0', 't-1']);
    fixture.driver.cluster.append({ topic: 't', partition: 1, value: 'other' });
    fixture.clock.advance(500);
    expect(fixture.delivered).toEqual(['a']);
    release.resolve();
    await waitFor(() => fixture.delivered.length === 3);
    await fixture.consumer.parked();
    expect(fixture.consumer.paused).toEqual([]);
    expect([fixture.committed(0), fixture.committed(1)]).toEqual([2, 1]);
    await fixture.container.stop();
  });

  it('a partition that goes meanwhile is neither committed nor delivered further', async () => {
    const release = deferred();
    const fixture = new ContainerFixture({
      ackMode: 'RECORD',
      values: ['a', 'b'],
      keepAliveAfterMs: 1000,
      handler: () => release.promise,
    });
    fixture.container.start();
    await waitFor(() => fixture.delivered.length === 1);
    fixture.clock.advance(1000);
    await fixture.consumer.parked();
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    await waitFor(() => fixture.eventNames().includes('partitions-revoked'));
    release.resolve();
    await fixture.consumer.parked();
    await fixture.container.stop();
    expect([fixture.delivered, fixture.committed()]).toEqual([['a'], undefined]);
  });

  it('a batch whose partition goes meanwhile commits what is still here', async () => {
    const release = deferred();
    const fixture = new ContainerFixture({ values: ['a'], keepAliveAfterMs: 1000, onBatch: () => release.promise });
    fixture.driver.cluster.append({ topic: 't', partition: 1, value: 'other' });
    fixture.container.start();
    await waitFor(() => fixture.delivered.length === 1);
    fixture.clock.advance(1000);
    await fixture.consumer.parked();
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    await waitFor(() => fixture.eventNames().includes('partitions-revoked'));
    release.resolve();
    await waitFor(() => fixture.committed(1) === 1);
    await fixture.container.stop();
    expect(fixture.committed(0)).toBeUndefined();
  });
});

describe('container: restarts by itself', () => {
  const restarting = (options: Parameters<typeof flowSettings>[0] = {}) =>
    new ContainerFixture({ values: ['a'], ...flowSettings(options) });

  it('after an unexpected end, with growing delays; the count starts anew once it works', async () => {
    const fixture = restarting();
    await fixture.start();
    fixture.consumer.failNext('poll', driverError('BOOM', { fatal: true }));
    fixture.consumer.wakeup();
    await waitFor(() => fixture.container.state === 'stopped');
    expect(fixture.events.at(-2)).toMatchObject({ type: 'stopped', reason: 'ERROR', restartInMs: 1000 });
    expect(fixture.events.at(-1)).toMatchObject({ name: 'ConsumerRestartingEvent', delayMs: 1000, attempt: 1 });
    expect(fixture.container.isInExpectedState).toBe(false);
    fixture.clock.advance(1000);
    fixture.consumer.failNext('poll', driverError('BOOM', { fatal: true }));
    await waitFor(() => ofType(fixture, 'restarting').length === 2);
    expect(fixture.events.at(-1)).toMatchObject({ type: 'restarting', attempt: 1, delayMs: 1000 });
    fixture.clock.advance(1000);
    await fixture.append(['b']);
    expect(fixture.delivered).toEqual(['a', 'b']);
    await fixture.container.stop();
  });

  it('a stop takes it back', async () => {
    const fixture = restarting();
    await fixture.start();
    fixture.consumer.failNext('poll', driverError('BOOM', { fatal: true }));
    fixture.consumer.wakeup();
    await waitFor(() => ofType(fixture, 'restarting').length === 1);
    await fixture.container.stop();
    expect(fixture.clock.timerCount).toBe(0);
  });

  it('not after what does not get better, unless told to', async () => {
    const fixture = restarting();
    await fixture.start();
    fixture.consumer.failNext('poll', driverError('NO_OFFSET_FOR_PARTITION'));
    fixture.consumer.wakeup();
    await waitFor(() => fixture.container.state === 'stopped');
    expect(fixture.events.at(-1)).toMatchObject({ type: 'stopped', reason: 'NO_OFFSET' });
    const other = restarting({ restart: { reasons: ['NO_OFFSET'], backOff: new FixedBackOff(50) } });
    await other.start();
    other.consumer.failNext('poll', driverError('NO_OFFSET_FOR_PARTITION'));
    other.consumer.wakeup();
    await waitFor(() => ofType(other, 'restarting').length === 1);
    await other.container.stop();
  });

  it('refused credentials are tried again at authExceptionRetryIntervalMs', async () => {
    const fixture = restarting({ authExceptionRetryIntervalMs: 700 });
    await fixture.start();
    fixture.consumer.failNext('poll', driverError('SASL_AUTHENTICATION_FAILED'));
    fixture.consumer.wakeup();
    await waitFor(() => ofType(fixture, 'retry-auth').length === 1);
    fixture.clock.advance(700);
    await waitFor(() => ofType(fixture, 'retry-auth-successful').length === 1);
    await fixture.append(['b']);
    expect(fixture.delivered).toEqual(['a', 'b']);
    await fixture.container.stop();
  });

  it('one consumer that starts again leaves the others of its listener alone', async () => {
    const { clock, driver, settings } = new ContainerFixture();
    const events = new ContainerEvents(silentLog);
    const seen: string[] = [];
    events.subscribe((event) => void seen.push(`${event.containerId} ${event.type}`));
    const environment = { driver, events, clock, log: silentLog, topicsReady: Promise.resolve() };
    const container = new ConcurrentContainer({ ...settings, ...flowSettings({}), concurrency: 2 }, environment);
    container.start();
    await Promise.all(driver.consumers.map((consumer) => consumer.parked()));
    driver.consumers[0]?.failNext('poll', driverError('BOOM', { fatal: true }));
    driver.consumers[0]?.wakeup();
    await waitFor(() => seen.includes('l-0 restarting'));
    expect(container.containers.map((one) => one.state)).toEqual(['stopped', 'running']);
    await container.stop();
    expect(seen.at(-1)).toBe('l container-stopped');
  });
});

describe('container: members', () => {
  it('static members are named by their index; without a group there is none', async () => {
    const consumer = { autoOffsetReset: 'earliest', groupInstanceId: 'node-7' } as const;
    const member = new ContainerFixture({ consumer });
    await member.start();
    expect(member.consumer.options.groupInstanceId).toBe('node-7-0');
    await member.container.stop();
    const source = { kind: 'partitions', partitions: [{ topic: 't', partitions: '*' }] } as const;
    const loner = new ContainerFixture({ consumer, source, groupId: undefined });
    await loner.start();
    expect(loner.consumer.options.groupInstanceId).toBeUndefined();
    await loner.container.stop();
  });

  it('says that it could not start', () => {
    const fixture = new ContainerFixture();
    fixture.driver.createError = driverError('CONFIG');
    expect(() => fixture.container.start()).toThrow('scripted CONFIG');
    expect(fixture.events.at(-1)).toMatchObject({ type: 'failed-to-start', name: 'ConsumerFailedToStartEvent' });
  });

  it('every event has a name, no two the same', () => {
    expect(new Set(Object.values(EVENT_NAMES)).size).toBe(Object.keys(EVENT_NAMES).length);
  });
});
