import type { TopicPartition } from '../drivers/driver.js';
import { AckMode } from './ack-mode.js';
import type { CommitStrategy, Offsets, RecordRef } from './commit-strategy.js';
import { strategyFactory } from './create-strategy.js';

/**
 * Events down the side, expected commits across. `p0:5 ok` is a record the listener has finished, `ack` one it acknowledged,
 * `fail` one it failed at; `poll 2` ends a poll of two records; `@60` lets time pass to 60; `revoke p0`, `seek p0` move partitions.
 */
type Row = readonly [event: string, ...expected: string[]];

const T0 = 1000;

function run(mode: AckMode, rows: readonly Row[], limits = { ackCount: 3, ackTimeMs: 50 }): void {
  const strategy = strategyFactory(mode, limits)(T0);
  let now = T0;
  rows.forEach(([event, ...expected], index) => {
    if (event.startsWith('@')) now = T0 + Number(event.slice(1));
    const outcome = event.startsWith('@') ? undefined : apply(strategy, event, now);
    expect([index, event, ...show(outcome)]).toEqual([index, event, ...expected]);
  });
}

function apply(strategy: CommitStrategy, event: string, now: number): Offsets | undefined {
  const [first = '', second = ''] = event.split(' ');
  if (first === 'poll') return strategy.onPollDone(Number(second), now);
  if (first === 'revoke') return strategy.onRevoked([partition(second)]);
  if (first === 'batch') return strategy.onBatchProcessed(second.split(',').map(record), now);
  if (first === 'seek') {
    strategy.onSeek(partition(second));
    return undefined;
  }
  if (second === 'ok') return strategy.onProcessed(record(first), now);
  if (second === 'ack') return strategy.onAcknowledged(record(first), now);
  return strategy.onFailed(record(first));
}

function partition(text: string): TopicPartition {
  return { topic: 't', partition: Number(text.slice(1)) };
}

function record(text: string): RecordRef {
  const [place = '', offset] = text.split(':');
  return { ...partition(place), offset: Number(offset) };
}

function show(offsets: Offsets | undefined): string[] {
  return (offsets ?? []).map(({ partition: number, offset }) => `p${number}@${offset}`);
}

describe('commit: strategies', () => {
  it('RECORD commits each record when it is finished', () => {
    run(AckMode.RECORD, [
      ['p0:5 ok', 'p0@6'],
      ['p0:6 ok', 'p0@7'],
      ['p1:0 ok', 'p1@1'],
      ['poll 3'],
      ['p0:7 fail'],
      ['p0:7 ok', 'p0@8'],
    ]);
  });

  it('BATCH commits once, after the records of the poll', () => {
    run(AckMode.BATCH, [
      ['p0:5 ok'],
      ['p0:6 ok'],
      ['p1:0 ok'],
      ['poll 3', 'p0@7', 'p1@1'],
      ['poll 0'],
      ['batch p0:7,p0:8,p1:1'],
      ['poll 3', 'p0@9', 'p1@2'],
    ]);
  });

  it('BATCH commits what came before a failed record, and only that', () => {
    run(AckMode.BATCH, [
      ['p0:5 ok'],
      ['p1:0 ok'],
      ['p0:6 fail', 'p0@6', 'p1@1'],
      ['poll 3'],
      ['p0:6 ok'],
      ['poll 1', 'p0@7'],
    ]);
  });

  it('TIME commits when more than ackTimeMs have passed, after a record or a poll', () => {
    run(AckMode.TIME, [
      ['p0:0 ok'],
      ['@50'],
      ['p0:1 ok'],
      ['@51'],
      ['p0:2 ok', 'p0@3'],
      ['poll 3'],
      ['@90'],
      ['p0:3 ok'],
      ['@102'],
      ['poll 0', 'p0@4'],
      ['@500'],
      ['poll 0'],
    ]);
  });

  it('COUNT commits every ackCount records, and the rest when a poll is empty', () => {
    run(AckMode.COUNT, [
      ['p0:0 ok'],
      ['p1:0 ok'],
      ['p0:1 ok', 'p0@2', 'p1@1'],
      ['p0:2 ok'],
      ['poll 4'],
      ['poll 0', 'p0@3'],
      ['poll 0'],
      ['p0:3 ok'],
      ['p0:4 ok'],
      ['p0:5 ok', 'p0@6'],
    ]);
  });

  it('COUNT counts the records of a batch, not its partitions', () => {
    run(AckMode.COUNT, [
      ['batch p0:0,p0:1'],
      ['poll 2'],
      ['batch p0:2', 'p0@3'],
      ['batch p0:3,p0:4,p0:5,p0:6', 'p0@7'],
    ]);
  });

  it('COUNT_TIME commits by whichever comes first and starts both anew', () => {
    run(AckMode.COUNT_TIME, [
      ['p0:0 ok'],
      ['@51'],
      ['p0:1 ok', 'p0@2'],
      ['p0:2 ok'],
      ['p0:3 ok'],
      ['@60'],
      ['p0:4 ok', 'p0@5'],
      ['p0:5 ok'],
      ['@110'],
      ['poll 1'],
      ['@111'],
      ['poll 1', 'p0@6'],
    ]);
  });

  it('MANUAL commits what was acknowledged, after the poll', () => {
    run(AckMode.MANUAL, [
      ['p0:0 ok'],
      ['poll 1'],
      ['p0:1 ack'],
      ['p0:1 ok'],
      ['p0:2 ok'],
      ['poll 2', 'p0@2'],
      ['p0:2 ack'],
      ['poll 0', 'p0@3'],
    ]);
  });

  it('MANUAL_IMMEDIATE commits inside acknowledge, each record once', () => {
    run(AckMode.MANUAL_IMMEDIATE, [['p0:0 ack', 'p0@1'], ['p0:0 ack'], ['p0:0 ok'], ['poll 1'], ['p0:3 ack', 'p0@4']]);
  });

  it('never goes back: a late acknowledgement of an earlier record changes nothing', () => {
    run(AckMode.MANUAL, [['p0:10 ack'], ['poll 1', 'p0@11'], ['p0:5 ack'], ['poll 1']]);
    run(AckMode.MANUAL_IMMEDIATE, [['p0:10 ack', 'p0@11'], ['p0:5 ack']]);
  });

  it('never goes past a record that was acknowledged and then failed', () => {
    run(AckMode.MANUAL, [['p0:4 ack'], ['p0:5 ack'], ['p0:5 fail', 'p0@5'], ['poll 2']]);
    run(AckMode.MANUAL, [['p0:0 ack'], ['p0:0 fail'], ['poll 1']]);
  });

  it.each(Object.values(AckMode).filter((mode) => mode !== AckMode.RECORD && mode !== AckMode.MANUAL_IMMEDIATE))(
    '%s gives revoked partitions what they have earned and forgets them',
    (mode) => {
      const earn = mode === AckMode.MANUAL ? 'ack' : 'ok';
      run(mode, [
        [`p0:4 ${earn}`],
        [`p1:8 ${earn}`],
        ['revoke p0', 'p0@5'],
        ['revoke p0'],
        ['revoke p1', 'p1@9'],
        // The partition comes back at an earlier offset, as it may after another member's commits were lost.
        [`p0:2 ${earn}`],
        ['revoke p0', 'p0@3'],
      ]);
    },
  );

  it('a seek by hand voids what was earned and allows going back', () => {
    run(AckMode.BATCH, [
      ['p0:9 ok'],
      ['poll 1', 'p0@10'],
      ['p0:10 ok'],
      ['seek p0'],
      ['poll 1'],
      ['p0:0 ok'],
      ['poll 1', 'p0@1'],
    ]);
  });
});
