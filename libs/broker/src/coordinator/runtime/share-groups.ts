/**
 * The share groups in one partition of `__consumer_offsets`: runs decisions, keeps what they come to, and wakes when a
 * member's session is over.
 *
 * Guarantees: like the shard's: records go to the log before the state moves on, answers leave after the log has them.
 * Leaves out loading and writing, which the shard does.
 */
import type { Topics } from '../consumer-group/consumer-group.js';
import type { Instant } from '../group/group.js';
import { applyShareGroupRecord } from '../share/group/apply.js';
import { decideShareTick, type ShareGroupDecision } from '../share/group/decide.js';
import type { ShareGroupRecord } from '../share/group/records.js';
import {
  newShareGroup,
  nextShareDeadlineMs,
  type ShareGroup,
  type ShareGroupRules,
  type ShareWorld,
} from '../share/group/share-group.js';
import type { Logger } from '../../io/logger.js';
import type { StoredRecord } from '../stored-record.js';
import { Alarm, type Alarms } from './alarms.js';
import type { DecisionDone } from './consumer-groups.js';
import type { WriteSteps } from './gated-log.js';

/** Pause before something that happens by itself is tried again after the log refused it. */
const TICK_RETRY_MS = 1000;

/** What the groups need of their shard. */
export interface ShareGroupsOptions {
  readonly alarms: Alarms;
  readonly logger: Logger;
  readonly now: () => Instant;
  readonly rules: (groupId: string) => ShareGroupRules;
  readonly topics: () => Topics;
  /** False while the shard is loading or closed: nothing happens by itself then. */
  readonly isActive: () => boolean;
  readonly write: (records: readonly StoredRecord[], steps: WriteSteps) => void;
  readonly afterWrites: (answer: () => void, failed: (errorCode: number) => void) => void;
  /** A member has left, or was dropped; `isLast`: the group has no members any more. */
  readonly onMemberGone: (groupId: string, memberId: string, isLast: boolean) => void;
}

interface Entry {
  group: ShareGroup;
  readonly alarm: Alarm;
}

/** Puts groups together from the records of a log. */
export class ShareGroupLoad {
  readonly groups = new Map<string, ShareGroup>();

  constructor(
    private readonly now: Instant,
    private readonly rules: (groupId: string) => ShareGroupRules,
  ) {}

  apply(record: ShareGroupRecord): void {
    const { groupId } = record;
    if (record.type === 'shareGroup' && record.value === null) {
      this.groups.delete(groupId);
      return;
    }
    const known = this.groups.get(groupId);
    // Compaction may have left the end of something whose beginning is gone.
    if (!known && record.value === null) return;
    const group = known ?? newShareGroup(groupId);
    this.groups.set(groupId, group);
    const { monotonicMs } = this.now;
    applyShareGroupRecord(group, record, { monotonicMs, sessionTimeoutMs: this.rules(groupId).sessionTimeoutMs });
  }
}

/** See the file comment. */
export class ShareGroups {
  /** Groups that are being deleted: nobody joins them. */
  readonly closing = new Set<string>();
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly options: ShareGroupsOptions) {}

  get(groupId: string): ShareGroup | undefined {
    return this.entries.get(groupId)?.group;
  }

  has(groupId: string): boolean {
    return this.entries.has(groupId);
  }

  *all(): Iterable<ShareGroup> {
    for (const { group } of this.entries.values()) yield group;
  }

  /** Takes over what was loaded: everybody is as alive as if it had beaten now. */
  takeOver({ groups }: ShareGroupLoad): void {
    for (const group of groups.values()) {
      for (const memberId of group.members.keys()) this.refresh(group, memberId);
      this.put(group);
    }
  }

  drop(groupId: string): void {
    const entry = this.entries.get(groupId);
    if (!entry) return;
    this.options.alarms.clear(entry.alarm);
    this.entries.delete(groupId);
  }

  clear(): void {
    for (const groupId of [...this.entries.keys()]) this.drop(groupId);
  }

  /** What decisions about a group look at now. */
  world(groupId: string): ShareWorld {
    const { now, rules, topics } = this.options;
    return { now: now(), rules: rules(groupId), topics: topics() };
  }

  /** Stores what was decided, moves on, answers. */
  follow<A>(decision: ShareGroupDecision<A>, done: DecisionDone<A>): void {
    const { group, records, answer } = decision;
    const failed = (errorCode: number): void => done.failed(errorCode);
    const stored = (): void => done.answer(answer);
    if (records.length === 0) {
      this.refresh(group, decision.alive);
      return this.options.afterWrites(stored, failed);
    }
    const applied = (): void => {
      const before = this.get(group.id);
      this.refresh(group, decision.alive);
      this.put(group);
      for (const memberId of before?.members.keys() ?? []) {
        if (group.members.has(memberId)) continue;
        this.options.onMemberGone(group.id, memberId, group.members.size === 0);
      }
    };
    this.options.write(records, { applied, stored, refused: failed, failed });
  }

  private put(group: ShareGroup): void {
    const entry = this.entries.get(group.id) ?? this.newEntry(group);
    entry.group = group;
    this.options.alarms.set(entry.alarm, nextShareDeadlineMs(group));
  }

  /** The member is alive: its session starts over. The alarm rings early then, and is set again. */
  private refresh(group: ShareGroup, memberId: string | null): void {
    const member = memberId === null ? undefined : group.members.get(memberId);
    const { now, rules } = this.options;
    if (member) member.sessionDeadlineMs = now().monotonicMs + rules(group.id).sessionTimeoutMs;
  }

  private newEntry(group: ShareGroup): Entry {
    const entry: Entry = { group, alarm: new Alarm(() => this.tick(entry)) };
    this.entries.set(group.id, entry);
    return entry;
  }

  private tick(entry: Entry): void {
    const { alarms, logger, isActive } = this.options;
    if (!isActive()) return;
    const world = this.world(entry.group.id);
    const deadlineMs = nextShareDeadlineMs(entry.group);
    if (deadlineMs > world.now.monotonicMs) return alarms.set(entry.alarm, deadlineMs);
    const decision = decideShareTick(entry.group, world);
    logger.info('Members of a share group were dropped: they were silent', {
      group: entry.group.id,
      members: decision.answer,
    });
    this.follow(decision, {
      answer: () => undefined,
      failed: () => {
        if (this.entries.get(entry.group.id) === entry) {
          alarms.set(entry.alarm, world.now.monotonicMs + TICK_RETRY_MS);
        }
      },
    });
  }
}
