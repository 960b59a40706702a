/**
 * What a record does to a share group: the only way one changes.
 *
 * Guarantees: decisions and recovery go through the same function; records may come in the order that compaction leaves.
 */
import { NO_TARGET } from '../../consumer-group/assignment.js';
import type { ApplyTimes } from '../../consumer-group/apply.js';
import type { ShareGroupRecord } from './records.js';
import { newShareMember, type ShareGroup, type ShareMember } from './share-group.js';

/** Changes the group as the record says. The end of the group itself (`shareGroup` without a value) is the caller's. */
export function applyShareGroupRecord(group: ShareGroup, record: ShareGroupRecord, times: ApplyTimes): void {
  switch (record.type) {
    case 'shareGroup':
      if (record.value) Object.assign(group, record.value);
      return;
    case 'shareMember':
      if (record.value) change(group, record.memberId, record.value, times);
      else group.members.delete(record.memberId);
      return;
    case 'shareTargetEpoch':
      group.assignmentEpoch = record.value?.assignmentEpoch ?? 0;
      return;
    case 'shareTarget':
      if (record.value) group.targets.set(record.memberId, record.value);
      else group.targets.delete(record.memberId);
      return;
    case 'shareCurrent': {
      const nothing = { epoch: 0, previousEpoch: 0, assigned: NO_TARGET };
      if (record.value || group.members.has(record.memberId)) {
        change(group, record.memberId, record.value ?? nothing, times);
      }
      return;
    }
    case 'shareTopics':
      group.initializing = record.value?.initializing ?? new Map();
      group.initialized = record.value?.initialized ?? new Map();
      return;
  }
}

function change(group: ShareGroup, memberId: string, fields: Partial<ShareMember>, times: ApplyTimes): void {
  const before = group.members.get(memberId) ?? {
    ...newShareMember(memberId),
    sessionDeadlineMs: times.monotonicMs + times.sessionTimeoutMs,
  };
  group.members.set(memberId, { ...before, ...fields });
}
