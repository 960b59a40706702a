import { AckMode } from '../commit/ack-mode.js';
import { driverError } from '../testing/cluster-fake.js';
import { ContainerFixture, type FixtureOptions, deferred, partitionOf, waitFor } from './container.fixture.js';

describe('container: the loop', () => {
  it('polls, dispatches in order and commits once per poll', async () => {
    const fixture = new ContainerFixture({ values: ['a', 'b', 'c'] });
    await fixture.start();
    expect(fixture.delivered).toEqual(['a', 'b', 'c']);
    expect(fixture.calls).toEqual(['commitSync t-0@3']);
    await fixture.append(['d']);
    expect(fixture.calls).toEqual(['commitSync t-0@3', 'commitSync t-0@4']);
    await fixture.container.stop();
  });

  it('waits for a listener before it delivers the next record', async () => {
    const first = deferred();
    const started = deferred();
    const fixture = new ContainerFixture({
      values: ['a', 'b'],
      handler: async (record) => {
        if (record.offset !== 0) return;
        started.resolve();
        await first.promise;
      },
    });
    fixture.container.start();
    await started.promise;
    expect(fixture.delivered).toEqual(['a']);
    expect(fixture.calls).toEqual([]);
    first.resolve();
    await fixture.consumer.parked();
    expect(fixture.delivered).toEqual(['a', 'b']);
    await fixture.container.stop();
  });

  it.each<[AckMode, string[]]>([
    [AckMode.RECORD, ['commitSync t-0@1', 'commitSync t-0@2', 'commitSync t-0@3', 'commitSync t-0@4']],
    [AckMode.BATCH, ['commitSync t-0@4']],
    [AckMode.TIME, []],
    [AckMode.COUNT, ['commitSync t-0@3']],
    [AckMode.COUNT_TIME, ['commitSync t-0@3']],
    [AckMode.MANUAL, ['commitSync t-0@4']],
    [AckMode.MANUAL_IMMEDIATE, ['commitSync t-0@2', 'commitSync t-0@4']],
  ])('%s, four records of which the second and fourth are acknowledged', async (ackMode, expected) => {
    const fixture = new ContainerFixture({
      ackMode,
      values: ['a', 'b', 'c', 'd'],
      handler: (record, ack) => {
        if (record.offset % 2 === 1 && ackMode.startsWith('MANUAL')) ack.acknowledge();
      },
    });
    await fixture.start();
    expect(fixture.calls).toEqual(expected);
    await fixture.container.stop();
    // Whatever the rule, an orderly stop commits what has been earned.
    expect(fixture.committed()).toBe(4);
  });

  it('TIME commits when the time has passed, without a new record', async () => {
    const fixture = new ContainerFixture({ ackMode: AckMode.TIME, values: ['a'] });
    await fixture.start();
    await fixture.advance(5000);
    expect(fixture.calls).toEqual(['commitSync t-0@1']);
    await fixture.container.stop();
  });

  it('lets the client commit when enableAutoCommit is on', async () => {
    const fixture = new ContainerFixture({
      values: ['a'],
      consumer: { enableAutoCommit: true, autoOffsetReset: 'earliest' },
    });
    await fixture.start();
    expect(fixture.consumer.options.enableAutoCommit).toBe(true);
    await fixture.container.stop();
    expect(fixture.calls).toEqual(['close']);
  });

  it('never lets the client commit otherwise, and passes group and client id', async () => {
    const fixture = new ContainerFixture({ consumer: { clientId: 'c', groupInstanceId: 'i' } });
    await fixture.start();
    const { enableAutoCommit, groupId, clientId, groupInstanceId } = fixture.consumer.options;
    expect({ enableAutoCommit, groupId, clientId, groupInstanceId }).toEqual({
      enableAutoCommit: false,
      groupId: 'g',
      clientId: 'c-0',
      groupInstanceId: 'i-0',
    });
    await fixture.container.stop();
  });

  it('commits the position of a new partition when reading begins at the end', async () => {
    const fixture = new ContainerFixture({ values: ['old', 'old'], consumer: { autoOffsetReset: 'latest' } });
    await fixture.start();
    expect(fixture.delivered).toEqual([]);
    expect(fixture.calls).toEqual(['commitSync t-0@2,t-1@0']);
    await fixture.container.stop();
  });

  it('commits nothing without a group', async () => {
    const fixture = new ContainerFixture({
      values: ['a'],
      groupId: undefined,
      source: { kind: 'partitions', partitions: [{ topic: 't', partitions: '*' }] },
    });
    await fixture.start();
    expect(fixture.delivered).toEqual(['a']);
    await fixture.container.stop();
    expect(fixture.calls).toEqual(['assign t-0,t-1', 'close']);
  });
});

describe('container: failures of the consumer', () => {
  it('logs a failed poll, waits and goes on', async () => {
    const fixture = new ContainerFixture();
    await fixture.start();
    fixture.consumer.failNext('poll', driverError('NETWORK', { retriable: true }));
    await waitFor(() => fixture.eventNames().includes('poll-failed'));
    await fixture.advance(100);
    await fixture.append(['a']);
    expect(fixture.delivered).toEqual(['a']);
    expect(fixture.logged.join('\n')).toMatch(
      /error l-0: polling failed \(1 in a row\), again in 100 ms: scripted NETWORK/,
    );
    expect(fixture.logged.join('\n')).toContain('polling works again');
    await fixture.container.stop();
  });

  it.each([
    ['SASL_AUTHENTICATION_FAILED', 'AUTH'],
    ['TOPIC_AUTHORIZATION_FAILED', 'AUTH'],
    ['FENCED_INSTANCE_ID', 'FENCED'],
    ['NO_OFFSET_FOR_PARTITION', 'NO_OFFSET'],
    ['INVALID_GROUP_ID', 'CONFIG'],
  ])('%s stops the container with reason %s and is said aloud', async (code, reason) => {
    const fixture = new ContainerFixture();
    await fixture.start();
    fixture.consumer.failNext('poll', driverError(code));
    await waitFor(() => fixture.container.state === 'stopped');
    expect(fixture.container.stopReason).toBe(reason);
    expect(fixture.container.isInExpectedState).toBe(false);
    expect(fixture.eventNames()).toContain(`stopped ${reason}`);
    expect(fixture.logged.join('\n')).toContain(`the container stops (${reason}) and has to be started again`);
    expect(fixture.consumer.isClosed).toBe(true);
  });

  it('can be started again after a fatal end', async () => {
    const fixture = new ContainerFixture({ values: ['a'] });
    await fixture.start();
    fixture.consumer.failNext('poll', driverError('SASL_AUTHENTICATION_FAILED'));
    await waitFor(() => fixture.container.state === 'stopped');
    await fixture.start();
    await fixture.append(['b']);
    expect(fixture.delivered).toEqual(['a', 'b']);
    expect(fixture.container.isInExpectedState).toBe(true);
    await fixture.container.stop();
  });

  it.each<[string, FixtureOptions, 'assign' | 'resetNone' | 'awaitedRevoke', RegExp]>([
    [
      'partitions',
      { source: { kind: 'partitions', partitions: [] } },
      'assign',
      /needs reading partitions without a group/,
    ],
    [
      'reset none',
      { consumer: { autoOffsetReset: 'none' } },
      'resetNone',
      /needs autoOffsetReset 'none', which driver 'fake'/,
    ],
    ['combined', { commitStyle: 'combined' }, 'awaitedRevoke', /needs commitStyle 'combined'.*'native' can$/],
  ])('refuses to start when the driver cannot do %s', (_name, options, capability, message) => {
    const fixture = new ContainerFixture(options);
    fixture.driver.capabilities[capability] = false;
    expect(() => fixture.container.start()).toThrow(message);
    expect(fixture.container.state).toBe('stopped');
  });

  it('throws when the driver refuses the options', () => {
    const fixture = new ContainerFixture();
    fixture.driver.createError = driverError('CONFIG');
    expect(() => fixture.container.start()).toThrow('scripted CONFIG');
    expect(fixture.container.state).toBe('stopped');
  });

  it('a failed commit is made good by the next one', async () => {
    const fixture = new ContainerFixture();
    await fixture.start();
    fixture.consumer.failNext('commitSync', driverError('NETWORK'));
    await fixture.append(['a']);
    expect(fixture.committed()).toBeUndefined();
    await fixture.append(['b']);
    expect(fixture.committed()).toBe(2);
    expect(fixture.eventNames()).toContain('commit-failed');
    await fixture.container.stop();
  });

  it('retries a retriable commit commitRetries times', async () => {
    const fixture = new ContainerFixture({ commitRetries: 2 });
    await fixture.start();
    for (let i = 0; i < 2; i++)
      fixture.consumer.failNext('commitSync', driverError('REQUEST_TIMED_OUT', { retriable: true }));
    await fixture.append(['a']);
    expect(fixture.calls).toEqual(['commitSync t-0@1', 'commitSync t-0@1', 'commitSync t-0@1']);
    expect(fixture.committed()).toBe(1);
    await fixture.container.stop();
  });

  it('a commit during a rebalance is sent again after the next poll', async () => {
    const fixture = new ContainerFixture();
    await fixture.start();
    fixture.consumer.failNext('commitSync', driverError('REBALANCE_IN_PROGRESS', { retriable: true }));
    await fixture.append(['a']);
    expect(fixture.committed()).toBeUndefined();
    await fixture.advance(5000);
    expect(fixture.committed()).toBe(1);
    expect(fixture.eventNames()).not.toContain('commit-failed');
    await fixture.container.stop();
  });

  it('drops what is left of a poll when the group has gone on without this member', async () => {
    const fixture = new ContainerFixture({ ackMode: AckMode.RECORD });
    await fixture.start();
    fixture.consumer.failNext('commitSync', driverError('COMMIT_FAILED'));
    await fixture.append(['a', 'b']);
    // The rest is put back, so nothing is skipped should the partitions be ours after all.
    expect(fixture.delivered).toEqual(['a', 'a', 'b']);
    expect(fixture.logged.join('\n')).toContain('the group has gone on without this member');
    await fixture.container.stop();
  });
});

describe('container: stop', () => {
  it('finishes the polled records, commits, closes, in this order', async () => {
    const release = deferred();
    const started = deferred();
    const fixture = new ContainerFixture({
      values: ['a', 'b'],
      handler: async () => {
        started.resolve();
        await release.promise;
      },
    });
    fixture.container.start();
    await started.promise;
    const stopped = fixture.container.stop();
    release.resolve();
    await stopped;
    expect(fixture.delivered).toEqual(['a', 'b']);
    expect(fixture.calls).toEqual(['commitSync t-0@2', 'close']);
    expect(fixture.eventNames().slice(-2)).toEqual(['partitions-revoked', 'stopped NORMAL']);
  });

  it('with stopImmediate finishes the record in hand and puts the rest back', async () => {
    const release = deferred();
    const started = deferred();
    const fixture = new ContainerFixture({
      values: ['a', 'b', 'c'],
      stopImmediate: true,
      handler: async () => {
        started.resolve();
        await release.promise;
      },
    });
    fixture.container.start();
    await started.promise;
    const stopped = fixture.container.stop();
    release.resolve();
    await stopped;
    expect(fixture.delivered).toEqual(['a']);
    expect(fixture.calls).toEqual(['seek t-0@1', 'commitSync t-0@1', 'close']);
  });

  it('does not wait longer than shutdownTimeoutMs for a busy listener, and says so', async () => {
    const release = deferred();
    const started = deferred();
    const fixture = new ContainerFixture({
      values: ['a'],
      shutdownTimeoutMs: 500,
      handler: async () => {
        started.resolve();
        await release.promise;
      },
    });
    fixture.container.start();
    await started.promise;
    const stopped = fixture.container.stop();
    fixture.clock.advance(500);
    await stopped;
    expect(fixture.logged.join('\n')).toContain('still busy 500 ms after the stop');
    release.resolve();
    await waitFor(() => fixture.consumer.isClosed);
    expect(fixture.committed()).toBe(1);
  });

  it('ends a wait after a failed poll at once', async () => {
    const fixture = new ContainerFixture();
    await fixture.start();
    fixture.consumer.failNext('poll', driverError('NETWORK'));
    await waitFor(() => fixture.eventNames().includes('poll-failed'));
    await fixture.container.stop();
    expect(fixture.container.state).toBe('stopped');
    expect(fixture.clock.timerCount).toBe(0);
  });

  it('does not wait for the first poll when it is stopped before it', async () => {
    const reached = deferred();
    const go = deferred();
    const fixture = new ContainerFixture({
      source: { kind: 'partitions', partitions: [{ topic: 't', partitions: '*' }] },
    });
    fixture.container.start();
    fixture.consumer.partitionsFor = async () => {
      reached.resolve();
      await go.promise;
      return [partitionOf(0)];
    };
    await reached.promise;
    const stopped = fixture.container.stop();
    go.resolve();
    await stopped;
    expect(fixture.consumer.isClosed).toBe(true);
  });

  it('does not wait for a commit that the broker does not answer', async () => {
    const fixture = new ContainerFixture();
    await fixture.start();
    fixture.consumer.commitSync = () => new Promise(() => undefined);
    fixture.driver.cluster.append({ topic: 't', value: 'a' });
    await waitFor(() => fixture.delivered.length === 1);
    const stopped = fixture.container.stop();
    fixture.clock.advance(1000);
    await stopped;
    expect(fixture.consumer.isClosed).toBe(true);
    expect(fixture.logged.join('\n')).toContain('The broker has not answered the last commit in time');
    expect(fixture.logged.join('\n')).not.toContain('still busy');
  });

  it('commits what a slow listener finishes long after the stop', async () => {
    const release = deferred();
    const started = deferred();
    const fixture = new ContainerFixture({
      values: ['a'],
      handler: async () => {
        started.resolve();
        await release.promise;
      },
    });
    fixture.container.start();
    await started.promise;
    const stopped = fixture.container.stop();
    fixture.clock.advance(5000);
    release.resolve();
    await stopped;
    expect(fixture.committed()).toBe(1);
  });

  it('does not wait for a poll that does not hear the wake-up', async () => {
    const fixture = new ContainerFixture();
    await fixture.start();
    const { consumer } = fixture;
    let fail: (error: Error) => void = () => undefined;
    consumer.poll = () => new Promise((_resolve, reject) => (fail = reject));
    consumer.close = async () => fail(driverError('CLOSED', { fatal: true }));
    fixture.clock.advance(5000);
    await new Promise((resolve) => setImmediate(resolve));
    const stopped = fixture.container.stop();
    fixture.clock.advance(1500);
    await stopped;
    expect(fixture.container.stopReason).toBe('NORMAL');
    expect(fixture.logged.join('\n')).not.toContain('still busy');
  });

  it('is harmless when nothing runs', async () => {
    await new ContainerFixture().container.stop();
  });
});

describe('container: rebalance', () => {
  it('commits what revoked partitions have earned while they are still its own', async () => {
    const fixture = new ContainerFixture({ ackMode: AckMode.TIME, values: ['a', 'b'] });
    await fixture.start();
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    await fixture.consumer.parked();
    expect(fixture.committed()).toBe(2);
    expect(fixture.container.assignment).toEqual([partitionOf(1)]);
    await fixture.container.stop();
  });

  it('commits nothing for lost partitions', async () => {
    const fixture = new ContainerFixture({ ackMode: AckMode.TIME, values: ['a'] });
    await fixture.start();
    fixture.consumer.rebalance('lost', [partitionOf(0)]);
    await fixture.consumer.parked();
    await fixture.container.stop();
    expect(fixture.committed()).toBeUndefined();
    expect(fixture.eventNames()).toContain('partitions-lost');
  });

  it('goes on where the group stopped when a partition comes back', async () => {
    const fixture = new ContainerFixture({ values: ['a'] });
    await fixture.start();
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    await fixture.append(['b']);
    expect(fixture.delivered).toEqual(['a']);
    fixture.consumer.rebalance('assigned', [partitionOf(0)]);
    await fixture.consumer.parked();
    expect(fixture.delivered).toEqual(['a', 'b']);
    await fixture.container.stop();
  });

  it('a pause holds for partitions assigned later', async () => {
    const fixture = new ContainerFixture();
    fixture.driver.cluster.log(partitionOf(0));
    await fixture.start();
    fixture.container.pause();
    await fixture.consumer.parked();
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    fixture.consumer.rebalance('assigned', [partitionOf(0)]);
    await fixture.append(['a']);
    expect(fixture.delivered).toEqual([]);
    fixture.container.resume();
    await waitFor(() => fixture.delivered.length === 1);
    await fixture.container.stop();
    expect(fixture.eventNames()).toEqual(expect.arrayContaining(['paused', 'resumed']));
  });
});
