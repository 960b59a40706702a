import { type CommitPolicy, checkCommitPolicy, policyFactory } from './commit-policy.js';

const record = (offset: number) => ({ topic: 't', partition: 0, offset });

describe('commit: policies', () => {
  it.each<[string, unknown, boolean, RegExp]>([
    ['neither records nor ms', { every: {} }, false, /every needs records, ms, or both/],
    ['half a record', { every: { records: 0.5 } }, false, /records must be a whole number from 1/],
    ['time before now', { every: { ms: -1 } }, false, /ms must be a number from 0/],
    ['a word that is none', { every: 'batch' }, false, /must be 'record', 'poll', or/],
    ['a name that is none', { evry: 'poll' }, false, /commit.evry is not an option/],
    ['a commit per record of a batch', { every: 'record' }, true, /makes no sense for a batch listener/],
    ['no object', 'BATCH', false, /must be an object such as/],
  ])('refuses %s', (_name, policy, batch, message) => {
    expect(checkCommitPolicy('commit', policy as CommitPolicy, batch).join()).toMatch(message);
  });

  it.each<[CommitPolicy]>([
    [{}],
    [{ every: { records: 500, ms: 1000 }, onIdle: true }],
    [{ every: 'record', manual: true }],
    [{ onIdle: true }],
  ])('takes %j', (policy) => {
    expect(checkCommitPolicy('commit', policy, false)).toEqual([]);
  });

  it('the commit that one limit brings starts the other anew', () => {
    const strategy = policyFactory({ every: { records: 2, ms: 1000 } })(0);
    expect(strategy.onProcessed(record(0), 900)).toBeUndefined();
    expect(strategy.onProcessed(record(1), 950)?.[0]?.offset).toBe(2);
    expect(strategy.onProcessed(record(2), 1900)).toBeUndefined();
    expect(strategy.onProcessed(record(3), 1960)?.[0]?.offset).toBe(4);
  });

  it('hands out nothing behind an offset the listener chose, and no offset twice', () => {
    const strategy = policyFactory({})(0);
    strategy.onProcessed(record(0), 0);
    expect(strategy.onChosen?.([{ ...record(0), offset: 5 }])).toHaveLength(1);
    expect(strategy.onChosen?.([{ ...record(0), offset: 3 }])).toEqual([]);
    strategy.onProcessed(record(3), 0);
    expect(strategy.onPollDone(1, 0)).toBeUndefined();
    strategy.onProcessed(record(5), 0);
    expect(strategy.onPollDone(1, 0)?.[0]?.offset).toBe(6);
  });
});
