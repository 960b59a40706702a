/**
 * A group of the new protocol in the making: what a decision emits is applied to a copy at once, so that its next step
 * sees it.
 *
 * Guarantees: the group it was made from stays as it was; nothing is copied before the first record, because most
 * heartbeats change nothing.
 */
import { applyConsumerGroupRecord } from './apply.js';
import { copyConsumerGroup, type ConsumerGroup, type World } from './consumer-group.js';
import type { ConsumerGroupRecord } from './records.js';

type WithoutGroup<R> = R extends ConsumerGroupRecord ? Omit<R, 'groupId'> : never;

/** See the file comment. */
export class ConsumerGroupDraft {
  readonly records: ConsumerGroupRecord[] = [];
  private copy: ConsumerGroup | null = null;

  constructor(
    private readonly base: ConsumerGroup,
    readonly world: World,
  ) {}

  /** The group as it is after everything emitted so far. */
  get group(): ConsumerGroup {
    return this.copy ?? this.base;
  }

  emit(record: WithoutGroup<ConsumerGroupRecord>): void {
    const { now, rules } = this.world;
    this.copy ??= copyConsumerGroup(this.base);
    const whole = { ...record, groupId: this.base.id } as ConsumerGroupRecord;
    applyConsumerGroupRecord(this.copy, whole, {
      monotonicMs: now.monotonicMs,
      sessionTimeoutMs: rules.sessionTimeoutMs,
    });
    this.records.push(whole);
  }
}
