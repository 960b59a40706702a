/**
 * A share group in the making: what a decision emits is applied to a copy at once, so that its next step sees it.
 *
 * Guarantees: the group it was made from stays as it was; nothing is copied before the first record, because most
 * heartbeats change nothing.
 */
import { applyShareGroupRecord } from './apply.js';
import type { ShareGroupRecord } from './records.js';
import { copyShareGroup, type ShareGroup, type ShareWorld } from './share-group.js';

type WithoutGroup<R> = R extends ShareGroupRecord ? Omit<R, 'groupId'> : never;

/** See the file comment. */
export class ShareGroupDraft {
  readonly records: ShareGroupRecord[] = [];
  private copy: ShareGroup | null = null;

  constructor(
    private readonly base: ShareGroup,
    readonly world: ShareWorld,
  ) {}

  /** The group as it is after everything emitted so far. */
  get group(): ShareGroup {
    return this.copy ?? this.base;
  }

  emit(record: WithoutGroup<ShareGroupRecord>): void {
    const { now, rules } = this.world;
    this.copy ??= copyShareGroup(this.base);
    const whole = { ...record, groupId: this.base.id } as ShareGroupRecord;
    applyShareGroupRecord(this.copy, whole, {
      monotonicMs: now.monotonicMs,
      sessionTimeoutMs: rules.sessionTimeoutMs,
    });
    this.records.push(whole);
  }
}
