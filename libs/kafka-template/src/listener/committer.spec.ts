import { CommitStyle } from '../commit/ack-mode.js';
import type { DriverConsumer, OffsetCommit } from '../drivers/driver.js';
import { silentLog } from '../io/log.js';
import { driverError } from '../testing/cluster-fake.js';
import { FakeClock } from '../testing/fake-clock.js';
import { CommitFailureLog } from './commit-failure-log.js';
import { Committer } from './committer.js';

function committerOn(commitSync: (offsets: readonly OffsetCommit[]) => Promise<void>): Committer {
  const clock = new FakeClock();
  return new Committer({
    consumer: { commitSync } as unknown as DriverConsumer,
    style: CommitStyle.SYNC,
    retries: 3,
    settleTimeoutMs: 1000,
    callback: undefined,
    publish: () => undefined,
    failures: new CommitFailureLog('l', silentLog, clock),
    clock,
    log: silentLog,
  });
}

describe('committer', () => {
  it('a retry leaves out partitions that were lost meanwhile', async () => {
    const sent: string[][] = [];
    const committer = committerOn(async (offsets) => {
      sent.push(offsets.map(({ topic, partition, offset }) => `${topic}-${partition}@${offset}`));
      if (sent.length > 1) return;
      committer.forget([{ topic: 't', partition: 0 }]);
      throw driverError('NETWORK', { retriable: true });
    });
    const offsets = [
      { topic: 't', partition: 0, offset: 5 },
      { topic: 't', partition: 1, offset: 7 },
    ];
    await committer.commit(offsets);
    expect(sent).toEqual([['t-0@5', 't-1@7'], ['t-1@7']]);
  });
});
