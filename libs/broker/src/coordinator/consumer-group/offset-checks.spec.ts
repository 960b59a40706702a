import { errorName } from '@kafka-template/protocol';
import type { CommitterIdentity } from '../group/commit.js';
import type { ConsumerGroup, ConsumerMember } from './consumer-group.js';
import { checkConsumerCommit } from './offset-checks.js';

/** A member in epoch 9 that got partition 0 in epoch 5, has to give partition 1 (of epoch 3) back, and never had partition 2. */
function group(): ConsumerGroup {
  const member = {
    epoch: 9,
    assigned: new Map([['t', new Map([[0, 5]])]]),
    pendingRevocation: new Map([['t', new Map([[1, 3]])]]),
  } as unknown as ConsumerMember;
  return { members: new Map([['m', member]]) } as unknown as ConsumerGroup;
}

describe('checkConsumerCommit', () => {
  it.each<[epoch: number, partition: number, transactional: boolean, code: string]>([
    [9, 0, false, 'NONE'],
    [10, 0, false, 'STALE_MEMBER_EPOCH'],
    [10, 0, true, 'ILLEGAL_GENERATION'],
    [8, 0, false, 'NONE'],
    [5, 0, false, 'NONE'],
    [4, 0, false, 'STALE_MEMBER_EPOCH'],
    [4, 0, true, 'ILLEGAL_GENERATION'],
    [3, 1, false, 'NONE'],
    [2, 1, false, 'STALE_MEMBER_EPOCH'],
    [8, 2, false, 'STALE_MEMBER_EPOCH'],
    [-1, 0, false, 'STALE_MEMBER_EPOCH'],
  ])('in epoch %d for partition %d (transactional: %s): %s', (generationId, partition, transactional, code) => {
    const committer = { memberId: 'm', generationId, groupInstanceId: null } as unknown as CommitterIdentity;
    const { errorCode, check } = checkConsumerCommit(group(), committer, { apiVersion: 9, transactional });
    expect(errorName(errorCode === 0 ? check('t', partition) : errorCode)).toBe(code);
  });
});
