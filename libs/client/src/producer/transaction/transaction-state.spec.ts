import { KafkaError } from '../../errors.js';
import { TransactionState, type TransactionStateName } from './transaction-state.js';

const STEPS: Readonly<Record<TransactionStateName, readonly TransactionStateName[]>> = {
  UNINITIALIZED: [],
  INITIALIZING: ['INITIALIZING'],
  READY: ['INITIALIZING', 'READY'],
  IN_TRANSACTION: ['INITIALIZING', 'READY', 'IN_TRANSACTION'],
  COMMITTING: ['INITIALIZING', 'READY', 'IN_TRANSACTION', 'COMMITTING'],
  ABORTING: ['INITIALIZING', 'READY', 'IN_TRANSACTION', 'ABORTING'],
  ABORTABLE_ERROR: ['INITIALIZING', 'READY', 'IN_TRANSACTION', 'ABORTABLE_ERROR'],
  FATAL_ERROR: ['FATAL_ERROR'],
};
const ALL = Object.keys(STEPS) as TransactionStateName[];

function stateAt(name: TransactionStateName): TransactionState {
  const state = new TransactionState('tx');
  for (const step of STEPS[name]) state.to(step);
  return state;
}

describe('TransactionState', () => {
  it.each([
    ['UNINITIALIZED', 'INITIALIZING,FATAL_ERROR'],
    ['INITIALIZING', 'READY,FATAL_ERROR'],
    ['READY', 'IN_TRANSACTION,FATAL_ERROR'],
    ['IN_TRANSACTION', 'COMMITTING,ABORTING,ABORTABLE_ERROR,FATAL_ERROR'],
    ['COMMITTING', 'READY,ABORTABLE_ERROR,FATAL_ERROR'],
    ['ABORTING', 'READY,FATAL_ERROR'],
    ['ABORTABLE_ERROR', 'ABORTING,FATAL_ERROR'],
    ['FATAL_ERROR', 'FATAL_ERROR'],
  ] as const)('from %s may follow %s and nothing else', (from, expected) => {
    const allowed = ALL.filter((next) => {
      try {
        stateAt(from).to(next);
        return true;
      } catch {
        return false;
      }
    });
    expect(allowed.join()).toBe(expected);
  });

  it('fails a transaction only while there is one that may be committed', () => {
    const error = new KafkaError('MESSAGE_TOO_LARGE', 'too large');
    const failing = ALL.filter((name) => stateAt(name).failAbortable(error));
    expect(failing).toEqual(['IN_TRANSACTION', 'COMMITTING']);
  });

  it('keeps the first fatal reason, and gives it as it is to every later call', () => {
    const state = stateAt('IN_TRANSACTION');
    const first = new KafkaError('PRODUCER_FENCED', 'fenced', { fatal: true });
    expect(state.failFatal(first)).toBe(true);
    expect(state.failFatal(new KafkaError('CLOSED', 'closed', { fatal: true }))).toBe(false);
    expect(state.refusal('commitTransaction()', ['IN_TRANSACTION'])).toBe(first);
  });

  it('a refusal names the state, what to call, and the reason of an abortable error', () => {
    expect(stateAt('READY').refusal('commitTransaction()', ['IN_TRANSACTION'])?.message).toBe(
      'commitTransaction() of producer tx is not possible in state READY. Call beginTransaction() first.',
    );
    const state = stateAt('IN_TRANSACTION');
    state.failAbortable(new KafkaError('MESSAGE_TOO_LARGE', 'too large'));
    expect(state.refusal('commitTransaction()', ['IN_TRANSACTION'])).toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      abortable: true,
      message:
        'commitTransaction() of producer tx is not possible in state ABORTABLE_ERROR. Call abortTransaction() first. ' +
        'The reason: too large',
    });
    expect(stateAt('READY').refusal('beginTransaction()', ['READY'])).toBeNull();
  });
});
