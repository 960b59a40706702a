import { ErrorCode, errorName } from '@kafka-template/protocol';
import { RULES, TIMEOUT_MS, TransactionPlay } from './transaction-play.fixture.js';

/** The epoch of the producer whose transaction it is. */
const EPOCH = 5;

/** Brings an id into a state; the end is of version 1 or 2 of transactions. */
const STATES = {
  unknown: () => new TransactionPlay(),
  Empty: () => played((play) => begin(play)),
  Ongoing: () => played((play) => (begin(play), play.add())),
  PrepareCommit: (version: 0 | 2) => played((play) => (begin(play), play.add(), play.end(true, version))),
  PrepareAbort: (version: 0 | 2) => played((play) => (begin(play), play.add(), play.end(false, version))),
  CompleteCommit: (version: 0 | 2) =>
    played((play) => (begin(play), play.add(), play.end(true, version), play.complete())),
  CompleteAbort: (version: 0 | 2) =>
    played((play) => (begin(play), play.add(), play.end(false, version), play.complete())),
};

type State = keyof typeof STATES;
const NAMES = Object.keys(STATES) as State[];

function begin(play: TransactionPlay): void {
  play.init();
  play.setEpoch(EPOCH);
}

function played(script: (play: TransactionPlay) => unknown): TransactionPlay {
  const play = new TransactionPlay();
  script(play);
  return play;
}

/** The epoch before the present one: a request that is repeated because its answer was lost, or a zombie. */
const before = (play: TransactionPlay) => ({ ...play.owner, producerEpoch: play.owner.producerEpoch - 1 });
const after = (play: TransactionPlay) => ({ ...play.owner, producerEpoch: play.owner.producerEpoch + 1 });
const stranger = (play: TransactionPlay) => ({ ...play.owner, producerId: 999 });

const EVENTS: Record<string, (play: TransactionPlay) => unknown> = {
  'a producer begins': (play) => play.init(),
  'the producer goes on': (play) => play.init(play.owner),
  'a producer of an older epoch goes on': (play) => play.init(before(play)),
  'a producer of another id goes on': (play) => play.init(stranger(play)),
  'a producer wants too much time': (play) => play.init(null, { timeoutMs: RULES.timeoutMaxMs + 1 }),
  'a partition is added': (play) => play.add(1),
  'a known partition is added': (play) => play.add(0),
  'a zombie adds': (play) => play.add(1, before(play)),
  'a stranger adds': (play) => play.add(1, stranger(play)),
  'commit, v1': (play) => play.end(true, 0),
  'abort, v1': (play) => play.end(false, 0),
  'commit of an older epoch, v1': (play) => play.end(true, 0, before(play)),
  'commit of a stranger, v1': (play) => play.end(true, 0, stranger(play)),
  'commit, v2': (play) => play.end(true, 2),
  'abort, v2': (play) => play.end(false, 2),
  'repeated commit, v2': (play) => play.end(true, 2, before(play)),
  'repeated abort, v2': (play) => play.end(false, 2, before(play)),
  'commit of a later epoch, v2': (play) => play.end(true, 2, after(play)),
  'commit of a stranger, v2': (play) => play.end(true, 2, stranger(play)),
  'all markers are written': (play) => play.complete(),
  'its time is not over': (play) => ((play.nowMs += TIMEOUT_MS), play.run({ type: 'timeOut' })),
  'its time is over': (play) => ((play.nowMs += TIMEOUT_MS + 1), play.run({ type: 'timeOut' })),
  'nobody used it for almost too long': (play) => (
    (play.nowMs += RULES.expirationMs - 1),
    play.run({ type: 'expire' })
  ),
  'nobody used it for too long': (play) => ((play.nowMs += RULES.expirationMs), play.run({ type: 'expire' })),
};

/** What an event comes to: the answer, and the state after it with its epoch; `=` when nothing was stored. */
function outcome(state: State, version: 0 | 2, event: string): string {
  const play = STATES[state](version);
  EVENTS[event]?.(play);
  const { reply, records, effects } = play.lastDecision!;
  const { transaction } = play;
  const next = transaction === null ? 'unknown' : `${transaction.state} ${transaction.producerEpoch}`;
  const marks = effects.includes('writeMarkers') ? ' markers' : '';
  return `${errorName(reply.errorCode)} ${records.length === 0 ? '=' : next + marks}`;
}

const OK = 'NONE';
const FENCED = 'PRODUCER_FENCED';
const MAPPING = 'INVALID_PRODUCER_ID_MAPPING';
const BUSY = 'CONCURRENT_TRANSACTIONS';
const BAD = 'INVALID_TXN_STATE';

describe.each([0, 2] as const)('transitions of a transactional id whose last end was of version %s', (version) => {
  /** The epoch after `version` has ended a transaction. */
  const ended = version === 2 ? EPOCH + 1 : EPOCH;
  const TABLE: Record<string, readonly string[]> = {
    //                             unknown  Empty  Ongoing  PrepareCommit  PrepareAbort  CompleteCommit  CompleteAbort
    'a producer begins': [
      `${OK} Empty 0`,
      `${OK} Empty ${EPOCH + 1}`,
      `${BUSY} PrepareAbort ${EPOCH + 1} markers`,
      `${BUSY} =`,
      `${BUSY} =`,
      `${OK} Empty ${ended + 1}`,
      `${OK} Empty ${ended + 1}`,
    ],
    'the producer goes on': [
      `${OK} Empty 0`,
      `${OK} Empty ${EPOCH + 1}`,
      `${BUSY} PrepareAbort ${EPOCH + 1} markers`,
      `${BUSY} =`,
      `${BUSY} =`,
      `${OK} Empty ${ended + 1}`,
      `${OK} Empty ${ended + 1}`,
    ],
    // In version 2 the epoch before is the one the last end raised: the repetition of that is not a zombie.
    'a producer of an older epoch goes on': [
      `${OK} Empty 0`,
      `${FENCED} =`,
      `${BUSY} PrepareAbort ${EPOCH + 1} markers`,
      `${BUSY} =`,
      `${BUSY} =`,
      version === 2 ? `${OK} =` : `${FENCED} =`,
      version === 2 ? `${OK} =` : `${FENCED} =`,
    ],
    'a producer of another id goes on': [
      `${OK} Empty 0`,
      `${FENCED} =`,
      `${FENCED} =`,
      `${FENCED} =`,
      `${FENCED} =`,
      `${FENCED} =`,
      `${FENCED} =`,
    ],
    'a producer wants too much time': NAMES.map(() => 'INVALID_TRANSACTION_TIMEOUT ='),
    'a partition is added': [
      `${MAPPING} =`,
      `${OK} Ongoing ${EPOCH}`,
      `${OK} Ongoing ${EPOCH}`,
      `${BUSY} =`,
      `${BUSY} =`,
      `${OK} Ongoing ${ended}`,
      `${OK} Ongoing ${ended}`,
    ],
    'a known partition is added': [
      `${MAPPING} =`,
      `${OK} Ongoing ${EPOCH}`,
      `${OK} =`,
      `${BUSY} =`,
      `${BUSY} =`,
      `${OK} Ongoing ${ended}`,
      `${OK} Ongoing ${ended}`,
    ],
    'a zombie adds': NAMES.map((name) => (name === 'unknown' ? `${MAPPING} =` : `${FENCED} =`)),
    'a stranger adds': NAMES.map(() => `${MAPPING} =`),
    'commit, v1': [
      `${MAPPING} =`,
      `${BAD} =`,
      `${OK} PrepareCommit ${EPOCH} markers`,
      `${BUSY} =`,
      `${BAD} =`,
      `${OK} =`,
      `${BAD} =`,
    ],
    'abort, v1': [
      `${MAPPING} =`,
      `${BAD} =`,
      `${OK} PrepareAbort ${EPOCH} markers`,
      `${BAD} =`,
      `${BUSY} =`,
      `${BAD} =`,
      `${OK} =`,
    ],
    'commit of an older epoch, v1': NAMES.map((name) => (name === 'unknown' ? `${MAPPING} =` : `${FENCED} =`)),
    'commit of a stranger, v1': NAMES.map(() => `${MAPPING} =`),
    'commit, v2': [
      `${MAPPING} =`,
      `${BAD} =`,
      `${OK} PrepareCommit ${EPOCH + 1} markers`,
      `${FENCED} =`,
      `${FENCED} =`,
      `${BAD} =`,
      `${BAD} =`,
    ],
    'abort, v2': [
      `${MAPPING} =`,
      `${OK} PrepareAbort ${EPOCH + 1} markers`,
      `${OK} PrepareAbort ${EPOCH + 1} markers`,
      `${FENCED} =`,
      `${FENCED} =`,
      `${OK} PrepareAbort ${ended + 1} markers`,
      `${OK} PrepareAbort ${ended + 1} markers`,
    ],
    'repeated commit, v2': [
      `${MAPPING} =`,
      `${FENCED} =`,
      `${FENCED} =`,
      `${BUSY} =`,
      `${BAD} =`,
      `${OK} =`,
      `${BAD} =`,
    ],
    'repeated abort, v2': [
      `${MAPPING} =`,
      `${FENCED} =`,
      `${FENCED} =`,
      `${BAD} =`,
      `${BUSY} =`,
      `${BAD} =`,
      `${OK} =`,
    ],
    'commit of a later epoch, v2': NAMES.map((name) => (name === 'unknown' ? `${MAPPING} =` : `${FENCED} =`)),
    'commit of a stranger, v2': NAMES.map(() => `${MAPPING} =`),
    'all markers are written': [
      `${BAD} =`,
      `${BAD} =`,
      `${BAD} =`,
      `${OK} CompleteCommit ${ended}`,
      `${OK} CompleteAbort ${ended}`,
      `${BAD} =`,
      `${BAD} =`,
    ],
    'its time is not over': NAMES.map(() => `${OK} =`),
    'its time is over': NAMES.map((name) =>
      name === 'Ongoing' ? `${OK} PrepareAbort ${EPOCH + 1} markers` : `${OK} =`,
    ),
    'nobody used it for almost too long': NAMES.map(() => `${OK} =`),
    'nobody used it for too long': [
      `${OK} =`,
      `${OK} unknown`,
      `${OK} =`,
      `${OK} =`,
      `${OK} =`,
      `${OK} unknown`,
      `${OK} unknown`,
    ],
  };

  it('has every event', () => expect(Object.keys(TABLE)).toEqual(Object.keys(EVENTS)));

  for (const [event, row] of Object.entries(TABLE)) {
    it(event, () => {
      expect(NAMES.map((state) => `${state}: ${outcome(state, version, event)}`)).toEqual(
        NAMES.map((state, index) => `${state}: ${row[index]}`),
      );
    });
  }
});

describe('a transactional id', () => {
  it('has its producer fenced for good by the next one', () => {
    const play = played((one) => one.init());
    const first = play.owner;
    play.init();
    expect(play.add(0, first).reply.errorCode).toBe(ErrorCode.PRODUCER_FENCED);
    expect(play.init(first).reply.errorCode).toBe(ErrorCode.PRODUCER_FENCED);
  });

  it('gives the producer that lost an answer the same answer, but not after a restart of the coordinator', () => {
    const play = played((one) => one.init());
    const first = play.owner;
    const raised = play.init(first).reply;
    expect(raised).toMatchObject({ errorCode: 0, producerEpoch: 1 });
    expect(play.init(first).reply).toEqual(raised);
    play.restart();
    expect(play.init(first).reply.errorCode).toBe(ErrorCode.PRODUCER_FENCED);
  });

  it('begins anew with another producer id when the epochs are used up', () => {
    const play = played((one) => one.init());
    play.setEpoch(32_765);
    expect(play.init().reply).toMatchObject({ producerId: 100, producerEpoch: 32_766 });
    expect(play.init().reply).toMatchObject({ producerId: 101, producerEpoch: 0 });
  });

  it('gives the producer that lost the answer with the new producer id the same answer', () => {
    const play = played((one) => one.init());
    play.setEpoch(32_766);
    const last = play.owner;
    const fresh = play.init(last).reply;
    expect(fresh).toMatchObject({ errorCode: 0, producerId: 101, producerEpoch: 0 });
    expect(play.init(last).reply).toEqual(fresh);
    expect(play.init({ ...last, producerEpoch: 3 }).reply.errorCode).toBe(ErrorCode.PRODUCER_FENCED);
  });

  it('can fence the last epoch a producer may have, and goes on with another producer id', () => {
    const play = played((one) => one.init());
    play.setEpoch(32_766);
    play.add();
    expect(play.init().reply.errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS);
    expect(play.owner.producerEpoch).toBe(32_767);
    play.complete();
    expect(play.init().reply).toMatchObject({ errorCode: 0, producerId: 101, producerEpoch: 0 });
  });

  it('hands out the new producer id with the end of the transaction that used up the epochs, also when it is repeated', () => {
    const play = played((one) => one.init());
    play.setEpoch(32_766);
    play.add(0, { clientVersion: 2 });
    const last = play.owner;
    const answer = play.end(true, 2).reply;
    expect(answer).toEqual({ errorCode: 0, producerId: 101, producerEpoch: 0 });
    expect(play.transaction).toMatchObject({ state: 'PrepareCommit', producerId: 100, producerEpoch: 32_767 });
    play.complete();
    expect(play.transaction).toMatchObject({ state: 'CompleteCommit', producerId: 101, producerEpoch: 0 });
    expect(play.end(true, 2, last).reply).toEqual(answer);
    expect(play.add().reply.errorCode).toBe(0);
  });

  it('begins when its first partition is added, and keeps that time', () => {
    const play = played((one) => one.init());
    play.nowMs += 5;
    const startMs = play.nowMs;
    play.add(0);
    play.nowMs += 5;
    play.add(1);
    expect(play.transaction).toMatchObject({ startMs, lastUpdateMs: startMs + 5 });
    play.end(true, 0);
    play.complete();
    play.nowMs += 5;
    play.add(2);
    expect(play.transaction?.startMs).toBe(play.nowMs);
    expect([...(play.transaction?.partitions.get('t') ?? [])]).toEqual([2]);
  });

  it('keeps its timeout until the next producer says another one', () => {
    const play = played((one) => (one.init(), one.add(), one.end(false, 2), one.complete()));
    expect(play.transaction?.timeoutMs).toBe(TIMEOUT_MS);
    play.init(null, { timeoutMs: 5 });
    expect(play.transaction?.timeoutMs).toBe(5);
  });
});
