import { ErrorCode } from '@kafka-template/protocol';
import { LogWorld, testBatch } from '../testing/log-world.js';
import { decodeProducerSnapshot, encodeProducerSnapshot } from './producer-snapshot.js';
import { DUPLICATE, ProducerState, lastSequenceOf } from './producer-state.js';

const ID = 9;
const MAX = 2 ** 31 - 1;

class Script {
  readonly state = new ProducerState();
  private nextOffset = 0;

  /** Checks a batch and, if it may follow, appends it. Returns the verdict. */
  send(baseSequence: number, recordCount = 1, epoch = 0, isTransactional = false): number {
    const batch = { producerId: ID, epoch, baseSequence, recordCount, isTransactional };
    const verdict = this.state.check(batch);
    if (verdict !== ErrorCode.NONE) return verdict;
    const baseOffset = this.nextOffset;
    this.nextOffset += recordCount;
    this.state.append(batch, { baseOffset, lastOffset: this.nextOffset - 1, timestamp: 1000 + baseOffset }, 5000);
    return verdict;
  }

  end(isAbort: boolean, epoch = 0): void {
    const offset = this.nextOffset++;
    this.state.appendMarker({ producerId: ID, epoch, coordinatorEpoch: 0, isAbort, offset, timestamp: 1 }, 5000);
  }
}

describe('producer state: sequences', () => {
  it('accepts what follows, in steps of record counts', () => {
    const script = new Script();
    expect([script.send(0, 3), script.send(3, 2), script.send(5)]).toEqual([0, 0, 0]);
  });

  it('accepts any first sequence of a producer nobody knows', () => {
    expect(new Script().send(1234)).toBe(0);
  });

  it.each([
    ['a gap', 7, 1],
    ['an overlap', 5, 1],
    ['a wrong cut of a known batch', 3, 2],
    ['a longer repetition', 3, 4],
  ])('refuses %s', (_what, baseSequence, recordCount) => {
    const script = new Script();
    script.send(0, 3);
    script.send(3, 3);
    expect(script.send(baseSequence, recordCount)).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
  });

  it('knows the last five batches as duplicates, each with its own offsets', () => {
    const script = new Script();
    for (let index = 0; index < 7; index++) script.send(index * 2, 2);
    for (let index = 6; index >= 2; index--) {
      expect(script.send(index * 2, 2)).toBe(DUPLICATE);
      expect(script.state.duplicate).toMatchObject({ lastOffset: index * 2 + 1, offsetDelta: 1 });
    }
    expect(script.send(2, 2)).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
  });

  it('goes round at 2^31-1, also inside a batch', () => {
    expect(lastSequenceOf(MAX, 1)).toBe(MAX);
    expect(lastSequenceOf(MAX, 2)).toBe(0);
    expect(lastSequenceOf(MAX - 1, 5)).toBe(2);
    const script = new Script();
    expect(script.send(MAX - 1, 2)).toBe(0);
    expect(script.send(0, 1)).toBe(0);
    const crossing = new Script();
    expect(crossing.send(MAX - 1, 5)).toBe(0);
    expect(crossing.send(MAX - 1, 5)).toBe(DUPLICATE);
    expect(crossing.send(2, 1)).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(crossing.send(3, 1)).toBe(0);
  });
});

describe('producer state: epochs', () => {
  it('refuses zombies', () => {
    const script = new Script();
    script.send(0, 1, 3);
    expect(script.send(1, 1, 2)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH);
  });

  it('lets a new epoch begin at 0 only, and forgets the batches of the old one', () => {
    const script = new Script();
    script.send(0);
    script.send(1);
    expect(script.send(2, 1, 1)).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(script.send(0, 1, 1)).toBe(0);
    expect(script.send(0, 1, 1)).toBe(DUPLICATE);
    expect(script.send(1, 1, 0)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH);
    expect(script.state.get(ID)?.batches).toHaveLength(1);
  });
});

describe('producer state: expiry', () => {
  it('forgets silent producers but none with an open transaction', () => {
    const idle = new Script();
    idle.send(0);
    idle.state.expire(5000);
    expect(idle.state.size).toBe(1);
    idle.state.expire(5001);
    expect(idle.state.size).toBe(0);
    expect(idle.send(77)).toBe(0);
    const open = new Script();
    open.send(0, 1, 0, true);
    open.state.expire(10_000);
    expect(open.state.size).toBe(1);
  });
});

describe('producer state: transactions', () => {
  it('holds the first undecided offset until the marker is below the high watermark', () => {
    const script = new Script();
    script.send(0);
    script.send(1, 2, 0, true);
    expect(script.state.firstUnstableOffset(3)).toBe(1);
    script.end(false);
    expect(script.state.firstUnstableOffset(3)).toBe(1);
    expect(script.state.firstUnstableOffset(4)).toBe(Infinity);
  });

  it('refuses a plain batch inside a transaction', () => {
    const script = new Script();
    script.send(0, 1, 0, true);
    expect(script.send(1, 1, 0, false)).toBe(ErrorCode.INVALID_TXN_STATE);
    expect(script.send(1, 1, 0, true)).toBe(0);
  });

  it('fences markers of older producers and older coordinators', () => {
    const script = new Script();
    script.send(0, 1, 5, true);
    script.state.appendMarker(
      { producerId: ID, epoch: 5, coordinatorEpoch: 3, isAbort: false, offset: 1, timestamp: 1 },
      1,
    );
    const check = (producerId: number, epoch: number, coordinatorEpoch: number): number =>
      script.state.checkMarker({ producerId, epoch, coordinatorEpoch });
    expect(check(ID, 4, 3)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH);
    expect(check(ID, 5, 2)).toBe(ErrorCode.TRANSACTION_COORDINATOR_FENCED);
    expect(check(ID, 6, 3)).toBe(0);
    expect(check(123, 0, 0)).toBe(0);
  });

  it('refuses a late marker of transactions v2 while the next transaction is open, and takes a repeated one', () => {
    const script = new Script();
    const marker = { producerId: ID, epoch: 5, coordinatorEpoch: 3 };
    script.end(false, 5);
    expect(script.state.checkMarker(marker, 2)).toBe(0);
    script.send(0, 1, 5, true);
    expect(script.state.checkMarker(marker, 2)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH);
    expect(script.state.checkMarker({ ...marker, epoch: 6 }, 2)).toBe(0);
    expect(script.state.checkMarker(marker, 1)).toBe(0);
  });

  it('opens a transaction for batches of a coordinator, which have no sequence', () => {
    const { state } = new Script();
    const batch = { producerId: ID, epoch: 2, baseSequence: -1, recordCount: 1, isTransactional: true };
    state.append(batch, { baseOffset: 7, lastOffset: 7, timestamp: 1 }, 5000);
    expect(state.get(ID)).toMatchObject({ epoch: 2, batches: [], currentTransactionFirstOffset: 7 });
    expect(state.firstUnstableOffset(8)).toBe(7);
    expect(state.checkEpoch(ID, 1)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH);
    expect(state.checkEpoch(ID, 2)).toBe(0);
  });

  it('reports a marker without a transaction as nothing', () => {
    const { state } = new Script();
    const marker = { producerId: 1, epoch: 0, coordinatorEpoch: 0, isAbort: true, offset: 4, timestamp: 1 };
    expect(state.appendMarker(marker, 1)).toBeNull();
  });
});

describe('producer state: verification of the first batch of a transaction', () => {
  const batch = (baseSequence: number, epoch = 0) => ({ producerId: ID, epoch, baseSequence, isTransactional: true });

  it('is needed until the first batch is in, and again after the end', () => {
    const script = new Script();
    const { state } = script;
    expect(state.checkVerification(batch(0), null)).toBe(ErrorCode.INVALID_TXN_STATE);
    const verification = state.beginVerification(batch(0), 1);
    expect(state.checkVerification(batch(0), verification)).toBe(0);
    script.send(0, 1, 0, true);
    expect(state.beginVerification(batch(1), 1)).toBeNull();
    expect(state.checkVerification(batch(1), null)).toBe(0);
    script.end(true);
    expect(state.checkVerification(batch(1), null)).toBe(ErrorCode.INVALID_TXN_STATE);
  });

  it('is void when a marker came between the question and the append', () => {
    const script = new Script();
    const verification = script.state.beginVerification(batch(0), 1);
    script.end(true);
    expect(script.state.checkVerification(batch(0), verification)).toBe(ErrorCode.INVALID_TXN_STATE);
    const another = script.state.beginVerification(batch(0), 1);
    expect(another).not.toBe(verification);
    expect(script.state.checkVerification(batch(0), verification)).toBe(ErrorCode.INVALID_TXN_STATE);
  });

  it('does not let a later batch pass an earlier one that still waits', () => {
    const { state } = new Script();
    const first = state.beginVerification(batch(0), 1);
    const second = state.beginVerification(batch(5), 1);
    expect(state.checkVerification(batch(5), second)).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(state.checkVerification(batch(0), first)).toBe(0);
  });

  it('is needed for the next epoch even while the transaction of the last one is open', () => {
    const script = new Script();
    script.send(0, 1, 0, true);
    expect(script.state.beginVerification(batch(0, 1), 1)).not.toBeNull();
    expect(script.state.checkVerification(batch(0, 1), null)).toBe(ErrorCode.INVALID_TXN_STATE);
  });

  it('is forgotten when nothing comes of it', () => {
    const { state } = new Script();
    const verification = state.beginVerification(batch(0), 1000);
    state.expire(1001);
    expect(state.checkVerification(batch(0), verification)).toBe(ErrorCode.INVALID_TXN_STATE);
  });
});

describe('producer state: snapshots', () => {
  it('keep the newest batch, the epoch and the open transaction', () => {
    const script = new Script();
    script.send(0, 3, 2, true);
    script.send(3, 2, 2, true);
    const copy = decodeProducerSnapshot(encodeProducerSnapshot(script.state));
    expect(copy?.get(ID)).toMatchObject({
      epoch: 2,
      batches: [{ firstSequence: 3, lastSequence: 4, lastOffset: 4, offsetDelta: 1 }],
      currentTransactionFirstOffset: 0,
    });
    expect(copy?.firstUnstableOffset(5)).toBe(0);
  });

  it('are refused when any byte is damaged', () => {
    const script = new Script();
    script.send(0);
    const file = encodeProducerSnapshot(script.state);
    for (let at = 0; at < file.length; at++) {
      const damaged = Buffer.from(file);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      expect(decodeProducerSnapshot(damaged)).toBeNull();
    }
    expect(decodeProducerSnapshot(Buffer.alloc(0))).toBeNull();
  });
});

describe('producer state: repetitions', () => {
  it('answers repetitions of batches that are still being written, after them', async () => {
    const world = new LogWorld();
    const log = await world.open();
    const batches = [0, 1, 2].map((baseSequence) => testBatch({ producerId: 1, producerEpoch: 0, baseSequence }));
    const answers: string[] = [];
    world.memory.hold();
    for (const round of ['first', 'again']) {
      for (const batch of batches) {
        log.append(batch, { origin: 'client' }, 0, ({ baseOffset }) => answers.push(`${round} ${baseOffset}`));
      }
    }
    await world.clock.settle();
    expect(answers).toEqual([]);
    world.memory.letGo();
    await world.clock.settle();
    expect(answers).toEqual(['first 0', 'first 1', 'first 2', 'again 0', 'again 1', 'again 2']);
    expect(log.endOffset).toBe(3);
  });
});
