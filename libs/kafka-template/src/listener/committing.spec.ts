import { AckMode, CommitStyle } from '../commit/ack-mode.js';
import { driverError } from '../testing/cluster-fake.js';
import { ContainerFixture, partitionOf, waitFor } from './container.fixture.js';

describe('container: manual acknowledgement', () => {
  it('MANUAL commits a late acknowledgement without waiting for the end of the poll', async () => {
    const acks: (() => unknown)[] = [];
    const fixture = new ContainerFixture({
      ackMode: AckMode.MANUAL,
      values: ['a'],
      handler: (_record, ack) => acks.push(() => ack.acknowledge()),
    });
    await fixture.start();
    expect(fixture.calls).toEqual([]);
    acks[0]?.();
    await fixture.consumer.parked();
    expect(fixture.calls).toEqual(['commitSync t-0@1']);
    await fixture.container.stop();
  });

  it('MANUAL_IMMEDIATE commits a late acknowledgement at once', async () => {
    const acks: (() => PromiseLike<void>)[] = [];
    const fixture = new ContainerFixture({
      ackMode: AckMode.MANUAL_IMMEDIATE,
      values: ['a'],
      handler: (_record, ack) => acks.push(() => ack.acknowledge()),
    });
    await fixture.start();
    await acks[0]?.();
    expect(fixture.calls).toEqual(['commitSync t-0@1']);
    await fixture.container.stop();
  });

  it('asynchronous commits that fail for one cause are one line in the log', async () => {
    const fixture = new ContainerFixture({
      ackMode: AckMode.RECORD,
      commitStyle: CommitStyle.ASYNC,
      values: ['a', 'b', 'c', 'd'],
    });
    fixture.container.start();
    for (let index = 0; index < 3; index++) {
      fixture.consumer.failNext('commitAsync', driverError('NETWORK', { retriable: true }));
    }
    await fixture.consumer.parked();
    await fixture.container.stop();
    expect(fixture.logged.filter((line) => line.includes('commit failed'))).toEqual([
      'warn l: an asynchronous commit failed; the next one covers it: scripted NETWORK',
      'warn l: an asynchronous commit failed; the next one covers it … and 2 more (NETWORK)',
    ]);
  });

  it('MANUAL_IMMEDIATE lets the listener see that a commit failed', async () => {
    const outcomes: string[] = [];
    const fixture = new ContainerFixture({
      ackMode: AckMode.MANUAL_IMMEDIATE,
      handler: async (_record, ack) => {
        await Promise.resolve(ack.acknowledge()).catch((error: Error) => outcomes.push(error.message));
      },
    });
    await fixture.start();
    fixture.consumer.failNext('commitSync', driverError('NETWORK'));
    await fixture.append(['a']);
    expect(outcomes).toEqual(['scripted NETWORK']);
    await fixture.append(['b']);
    expect(fixture.committed()).toBe(2);
    await fixture.container.stop();
  });

  it('a topic that is gone is said once and does not keep other partitions from being committed', async () => {
    const fixture = new ContainerFixture({});
    await fixture.start();
    fixture.consumer.failNext('commitSync', driverError('UNKNOWN_TOPIC_OR_PARTITION'));
    await fixture.append(['a']);
    await fixture.append(['b'], 1);
    expect(fixture.calls).toEqual(['commitSync t-0@1', 'commitSync t-1@1']);
    expect(fixture.logged.filter((line) => line.includes('does not exist any more'))).toHaveLength(1);
    await fixture.container.stop();
  });

  it('nack commits what was earned, delivers the record and the rest again, and waits that long', async () => {
    let rejections = 0;
    const fixture = new ContainerFixture({
      ackMode: AckMode.MANUAL,
      values: ['a', 'b', 'c'],
      handler: (record, ack) => {
        if (record.value === 'b' && rejections++ === 0) ack.nack(300);
        else ack.acknowledge();
      },
    });
    fixture.driver.cluster.append({ topic: 't', partition: 1, value: 'other' });
    await fixture.start();
    expect(fixture.delivered).toEqual(['a', 'b']);
    expect(fixture.calls).toEqual(['commitSync t-0@1', 'seek t-0@1', 'seek t-1@0', 'pause t-0,t-1']);
    await fixture.advance(300);
    expect(fixture.delivered).toEqual(['a', 'b', 'b', 'c', 'other']);
    expect([fixture.committed(0), fixture.committed(1)]).toEqual([3, 1]);
    await fixture.container.stop();
  });

  it('ignores an acknowledgement that comes after the partition was revoked', async () => {
    const acks: (() => unknown)[] = [];
    const fixture = new ContainerFixture({
      ackMode: AckMode.MANUAL,
      values: ['a'],
      handler: (_record, ack) => acks.push(() => ack.acknowledge()),
    });
    await fixture.start();
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    await fixture.consumer.parked();
    acks[0]?.();
    await fixture.container.stop();
    expect(fixture.committed()).toBeUndefined();
    expect(fixture.logged.join('\n')).toContain('t-0@0 was acknowledged after its partition had been revoked');
  });
});

describe('container: commit styles', () => {
  it('async goes on without an answer; the callback hears of each commit', async () => {
    const outcomes: string[] = [];
    const fixture = new ContainerFixture({
      commitStyle: CommitStyle.ASYNC,
      commitCallback: (error, offsets) => outcomes.push(`${error?.message ?? 'ok'} ${offsets[0]?.offset}`),
    });
    await fixture.start();
    fixture.consumer.isAnsweringCommits = false;
    fixture.consumer.failNext('commitAsync', driverError('NETWORK'));
    await fixture.append(['a']);
    await fixture.append(['b']);
    expect(fixture.delivered).toEqual(['a', 'b']);
    expect(outcomes).toEqual([]);
    fixture.consumer.answerCommits();
    expect(outcomes).toEqual(['scripted NETWORK 1', 'ok 2']);
    await fixture.container.stop();
    expect(fixture.calls).toEqual(['commitAsync t-0@1', 'commitAsync t-0@2', 'close']);
  });

  it('async waits at the stop for commits on their way: their callbacks are not lost', async () => {
    const outcomes: string[] = [];
    const fixture = new ContainerFixture({
      commitStyle: CommitStyle.ASYNC,
      ackMode: AckMode.TIME,
      values: ['a'],
      commitCallback: (_error, offsets) => outcomes.push(`ok ${offsets[0]?.offset}`),
    });
    await fixture.start();
    fixture.consumer.isAnsweringCommits = false;
    const stopped = fixture.container.stop();
    await waitFor(() => fixture.calls.includes('commitAsync t-0@1'));
    expect(fixture.consumer.isClosed).toBe(false);
    fixture.consumer.answerCommits();
    await stopped;
    expect(outcomes).toEqual(['ok 1']);
  });

  it.each([
    ['the broker was away', 'NETWORK'],
    ['the rebalance refused it', 'REBALANCE_IN_PROGRESS'],
  ])('never sends later what it could not commit for a partition it has given up: %s', async (_name, code) => {
    const fixture = new ContainerFixture({ ackMode: AckMode.TIME, values: ['a'] });
    await fixture.start();
    for (let attempt = 0; attempt < 4; attempt++) fixture.consumer.failNext('commitSync', driverError(code));
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    await waitFor(() => fixture.eventNames().some((name) => name.startsWith('partitions-revoked')));
    const before = fixture.calls.length;
    await fixture.append(['b'], 1);
    await fixture.container.stop();
    const commits = fixture.calls.slice(before).filter((call) => call.startsWith('commitSync'));
    expect(new Set(commits)).toEqual(new Set(['commitSync t-1@1']));
  });

  it('a stop right after a rebalance does not send what the rebalance refused', async () => {
    const errorHandler = {
      handleOne: () => ({ action: 'retry', delayMs: 0 }) as const,
      handleBatch: () => ({ action: 'retry', delayMs: 0 }) as const,
      forget: () => void fixture.container.stop(),
    };
    const fixture = new ContainerFixture({ ackMode: AckMode.TIME, values: ['a'], errorHandler });
    await fixture.start();
    fixture.consumer.failNext('commitSync', driverError('REBALANCE_IN_PROGRESS'));
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    await waitFor(() => fixture.container.state === 'stopped');
    expect(fixture.calls).toEqual(['commitSync t-0@1', 'close']);
    expect(fixture.logged.filter((line) => line.startsWith('warn'))).toEqual([
      'warn The group refused the last commit during a rebalance: some records may be delivered again',
    ]);
  });

  it('combined is async while running and sync when partitions are revoked', async () => {
    const fixture = new ContainerFixture({
      commitStyle: CommitStyle.COMBINED,
      ackMode: AckMode.COUNT,
      values: ['a', 'b', 'c', 'd'],
    });
    await fixture.start();
    expect(fixture.calls).toEqual(['commitAsync t-0@3']);
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    await fixture.consumer.parked();
    expect(fixture.calls).toEqual(['commitAsync t-0@3', 'commitSync t-0@4']);
    await fixture.container.stop();
  });

  it('combined makes good at the stop what an asynchronous commit had lost', async () => {
    const fixture = new ContainerFixture({ commitStyle: CommitStyle.COMBINED });
    await fixture.start();
    fixture.consumer.failNext('commitAsync', driverError('NETWORK'));
    await fixture.append(['a']);
    await fixture.container.stop();
    expect(fixture.calls).toEqual(['commitAsync t-0@1', 'commitSync t-0@1', 'close']);
    expect(fixture.committed()).toBe(1);
  });

  it('an earlier commit that succeeds does not confirm a later one that is on its way', async () => {
    const fixture = new ContainerFixture({ commitStyle: CommitStyle.COMBINED });
    await fixture.start();
    fixture.consumer.isAnsweringCommits = false;
    await fixture.append(['a']);
    fixture.consumer.failNext('commitAsync', driverError('NETWORK'));
    await fixture.append(['b']);
    fixture.consumer.answerCommits();
    expect(fixture.committed()).toBe(1);
    await fixture.container.stop();
    expect(fixture.committed()).toBe(2);
  });

  it('sync asks for nothing at the stop when all is committed', async () => {
    const fixture = new ContainerFixture({ values: ['a'] });
    await fixture.start();
    await fixture.container.stop();
    expect(fixture.calls).toEqual(['commitSync t-0@1', 'close']);
  });
});
