/**
 * Every commit rule, in every style, in every situation: what happens, and which commits reach the driver.
 *
 * A number is a commit while the container runs; one with `!` is the last before the partition goes or the consumer closes.
 */
import { AckMode, CommitStyle } from '../commit/ack-mode.js';
import { type CommitPolicy, policyFactory } from '../commit/commit-policy.js';
import { BatchListenerFailedError } from '../errors.js';
import { ContainerFixture, type FixtureOptions, partitionOf } from './container.fixture.js';

type Situation = 'normal' | 'error' | 'revocation' | 'shutdown';
type Rule = AckMode | 'automatic' | CommitPolicy;

/** Four records are polled; `error`: the third fails the first time. COUNT is 3, TIME 1000 ms, of which none pass. */
const RECORD_TABLE: readonly (readonly [Rule, Readonly<Record<Situation, string>>])[] = [
  ['RECORD', { normal: '1 2 3 4', error: '1 2 3 4', revocation: '1 2 3 4', shutdown: '1 2 3 4' }],
  ['BATCH', { normal: '4', error: '2 4', revocation: '4', shutdown: '4' }],
  ['TIME', { normal: '', error: '2', revocation: '4!', shutdown: '4!' }],
  ['COUNT', { normal: '3', error: '2', revocation: '3 4!', shutdown: '3 4!' }],
  ['COUNT_TIME', { normal: '3', error: '2', revocation: '3 4!', shutdown: '3 4!' }],
  ['MANUAL', { normal: '4', error: '2 4', revocation: '4', shutdown: '4' }],
  ['MANUAL_IMMEDIATE', { normal: '1 2 3 4', error: '1 2 3 4', revocation: '1 2 3 4', shutdown: '1 2 3 4' }],
  ['automatic', { normal: '', error: '', revocation: '', shutdown: '' }],
  [{ every: { records: 2, ms: 1000 } }, { normal: '2 4', error: '2 4', revocation: '2 4', shutdown: '2 4' }],
  [
    { every: { records: 500 }, onIdle: true },
    { normal: '', error: '2', revocation: '4!', shutdown: '4!' },
  ],
  [
    { every: { records: 3 }, manual: true },
    { normal: '3', error: '2', revocation: '3 4!', shutdown: '3 4!' },
  ],
];

/** The four records are one call; `error`: the listener names the third as the one that failed. */
const BATCH_TABLE: typeof RECORD_TABLE = [
  ['BATCH', { normal: '4', error: '2 4', revocation: '4', shutdown: '4' }],
  ['TIME', { normal: '', error: '2', revocation: '4!', shutdown: '4!' }],
  ['COUNT', { normal: '4', error: '2', revocation: '4', shutdown: '4' }],
  ['COUNT_TIME', { normal: '4', error: '2', revocation: '4', shutdown: '4' }],
  ['MANUAL', { normal: '4', error: '2 4', revocation: '4', shutdown: '4' }],
  ['MANUAL_IMMEDIATE', { normal: '4', error: '2 4', revocation: '4', shutdown: '4' }],
  ['automatic', { normal: '', error: '', revocation: '', shutdown: '' }],
  [
    { every: { records: 500 }, onIdle: true },
    { normal: '', error: '2', revocation: '4!', shutdown: '4!' },
  ],
];

const STYLES = Object.values(CommitStyle);

function rows(table: typeof RECORD_TABLE) {
  return table.flatMap(([rule, situations]) =>
    STYLES.flatMap((style) =>
      Object.entries(situations).map(([situation, commits]) => [rule, style, situation as Situation, commits] as const),
    ),
  );
}

function expectedCalls(commits: string, style: CommitStyle): string[] {
  return commits.split(' ').flatMap((commit) => {
    if (commit === '') return [];
    const isSync = style === CommitStyle.SYNC || (style === CommitStyle.COMBINED && commit.endsWith('!'));
    return [`${isSync ? 'commitSync' : 'commitAsync'} t-0@${Number.parseInt(commit, 10)}`];
  });
}

function ruleOptions(rule: Rule): FixtureOptions {
  if (rule === 'automatic') return { consumer: { autoOffsetReset: 'earliest', enableAutoCommit: true } };
  return typeof rule === 'string' ? { ackMode: rule } : { strategy: policyFactory(rule) };
}

/** What was committed before the container is stopped, or by stopping it. */
async function commitsOf(situation: Situation, options: FixtureOptions): Promise<readonly string[]> {
  const fixture = new ContainerFixture({ values: ['a', 'b', 'c', 'd'], ...options });
  await fixture.start();
  if (situation === 'revocation') {
    fixture.consumer.rebalance('revoked', [partitionOf(0)]);
    await fixture.consumer.parked();
  }
  if (situation === 'shutdown') await fixture.container.stop();
  const calls = fixture.calls.filter((call) => call.startsWith('commit'));
  await fixture.container.stop();
  return calls;
}

describe('commit table: record listener', () => {
  it.each(rows(RECORD_TABLE))('%j, %s, %s: %s', async (rule, commitStyle, situation, commits) => {
    let failures = situation === 'error' ? 1 : 0;
    const handler: FixtureOptions['handler'] = (record, ack) => {
      if (record.value === 'c' && failures-- > 0) throw new Error('boom');
      ack?.acknowledge();
    };
    const calls = await commitsOf(situation, { ...ruleOptions(rule), commitStyle, handler });
    expect(calls).toEqual(expectedCalls(commits, commitStyle));
  });
});

describe('commit table: batch listener', () => {
  it.each(rows(BATCH_TABLE))('%j, %s, %s: %s', async (rule, commitStyle, situation, commits) => {
    let failures = situation === 'error' ? 1 : 0;
    const onBatch: FixtureOptions['onBatch'] = (_records, ack) => {
      if (failures-- > 0) throw new BatchListenerFailedError('boom', 2);
      ack?.acknowledge();
    };
    const calls = await commitsOf(situation, { ...ruleOptions(rule), commitStyle, onBatch });
    expect(calls).toEqual(expectedCalls(commits, commitStyle));
  });
});

describe('commit table: what time and idleness bring', () => {
  it.each<[string, Rule, string]>([
    ['TIME commits with the first poll after its time', 'TIME', '4'],
    ['COUNT commits the rest when a poll is empty', 'COUNT', '3 4'],
    ['COUNT_TIME commits the rest when a poll is empty', 'COUNT_TIME', '3 4'],
    ['a policy with onIdle commits when a poll is empty', { every: { records: 500 }, onIdle: true }, '4'],
    ['a policy without waits for its count', { every: { records: 500 } }, ''],
    ['a policy with a time commits when it has passed', { every: { records: 500, ms: 4000 } }, '4'],
  ])('%s', async (_name, rule, commits) => {
    const fixture = new ContainerFixture({ values: ['a', 'b', 'c', 'd'], ...ruleOptions(rule) });
    await fixture.start();
    await fixture.advance(5000);
    expect(fixture.calls.filter((call) => call.startsWith('commit'))).toEqual(expectedCalls(commits, 'sync'));
    await fixture.container.stop();
  });
});
