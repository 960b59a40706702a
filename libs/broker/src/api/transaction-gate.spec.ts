import { ErrorCode } from '@kafka-template/protocol';
import type { Partition, Verification } from '../replication/partition.js';
import { TransactionGate } from './transaction-gate.js';

/** A partition whose transaction is open or not, and a coordinator that answers when the test says so. */
function setUp(verifies = true) {
  const state = { isOpen: false };
  const questions: { adds: boolean; answer: (errorCode: number) => void }[] = [];
  const verification: Verification = { producerId: 1, epoch: 0, lowestSequence: 0, sinceMs: 0 };
  const partition = {
    topic: 't',
    partition: 0,
    beginVerification: () => (state.isOpen ? null : verification),
  } as unknown as Partition;
  const gate = new TransactionGate({
    verifies,
    enter: ({ adds }, answer) => questions.push({ adds, answer }),
  });
  const passed: [name: string, errorCode: number, verification: Verification | null | undefined][] = [];
  const pass = (name: string, options: { producerEpoch?: number; adds?: boolean } = {}): void => {
    const { producerEpoch = 0, adds = false } = options;
    const batch = { partition, transactionalId: 'x', producerId: 1, producerEpoch, baseSequence: 0, adds };
    gate.pass(batch, (errorCode, given) => passed.push([name, errorCode, given]));
  };
  return { state, questions, verification, passed, pass };
}

describe('transaction gate', () => {
  it('asks once for all batches that come before the answer, and lets them pass in their order', () => {
    const { state, questions, verification, passed, pass } = setUp();
    pass('a');
    pass('b');
    // The first batch of somebody else's question has opened the transaction: c must still not pass a and b.
    state.isOpen = true;
    pass('c');
    expect(questions.length).toBe(1);
    expect(passed).toEqual([]);
    questions[0]?.answer(ErrorCode.NONE);
    expect(passed).toEqual([
      ['a', 0, verification],
      ['b', 0, verification],
      ['c', 0, null],
    ]);
    pass('d');
    expect(passed[3]).toEqual(['d', 0, null]);
    expect(questions.length).toBe(1);
  });

  it('tells all of them what the coordinator says, and asks again for the next', () => {
    const { questions, passed, pass } = setUp();
    pass('a');
    pass('b');
    questions[0]?.answer(ErrorCode.CONCURRENT_TRANSACTIONS);
    expect(passed.map(([name, errorCode]) => [name, errorCode])).toEqual([
      ['a', ErrorCode.CONCURRENT_TRANSACTIONS],
      ['b', ErrorCode.CONCURRENT_TRANSACTIONS],
    ]);
    pass('a');
    expect(questions.length).toBe(2);
  });

  it('asks for each epoch of its own', () => {
    const { questions, pass } = setUp();
    pass('a');
    pass('b', { producerEpoch: 1 });
    expect(questions.length).toBe(2);
  });

  it('asks nobody when partitions do not verify, except to add', () => {
    const { questions, passed, pass } = setUp(false);
    pass('a');
    expect(passed).toEqual([['a', 0, undefined]]);
    pass('b', { adds: true });
    expect(questions.map(({ adds }) => adds)).toEqual([true]);
  });
});
