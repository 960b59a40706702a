/**
 * A consumer's side of its group, put together: membership, rebalances, commits, committed offsets.
 *
 * Guarantees that leaving happens in the order of a revocation: listener, last commit, LeaveGroup. Also serves consumers
 * that assign their partitions themselves and only commit to the group.
 */
import type { ConsumerGroupMetadata } from '../consumer.js';
import type { ConsumerContext } from '../consumer-context.js';
import { AutoCommit } from '../offsets/auto-commit.js';
import { Commits } from '../offsets/commits.js';
import { CommittedOffsets } from '../offsets/committed-offsets.js';
import { GroupChannel } from './group-channel.js';
import { GroupJoiner } from './join.js';
import { ConsumerMember } from './consumer-protocol/consumer-member.js';
import { Reconciliation } from './consumer-protocol/reconciliation.js';
import type { GroupDriver, GroupMember } from './group-protocol.js';
import { Membership } from './membership.js';
import { Rebalance } from './rebalance.js';
import type { RebalanceHooks } from './release.js';
import type { TopicWatch } from './topic-watch.js';

/** Everything one consumer does with its group. */
export class ConsumerGroup {
  readonly membership: GroupMember;
  readonly commits: Commits;
  readonly committed: CommittedOffsets;
  readonly autoCommit: AutoCommit;
  readonly rebalance: GroupDriver;

  constructor(
    context: ConsumerContext,
    private readonly groupId: string,
    topics: TopicWatch,
  ) {
    const channel = new GroupChannel(context, groupId);
    const { requestTimeoutMs, groupProtocol } = context.options;
    const member =
      groupProtocol === 'consumer' ? new ConsumerMember(context, channel) : new Membership(context, channel);
    this.membership = member;
    this.commits = new Commits(context, channel, member);
    this.committed = new CommittedOffsets(context, channel);
    this.autoCommit = new AutoCommit(context, this.commits);
    const hooks: RebalanceHooks = {
      commitBeforeRevocation: () => this.autoCommit.commitNow(requestTimeoutMs),
      awaitCommits: () => this.commits.commitSync([], requestTimeoutMs),
      onAssigned: () => {
        context.counters.rebalances += 1;
        this.autoCommit.restart();
      },
    };
    this.rebalance =
      member instanceof ConsumerMember
        ? new Reconciliation(context, member, topics, hooks)
        : new Rebalance(context, member, new GroupJoiner(context, channel, member, topics), topics, hooks);
  }

  /** As transactions need it. */
  metadata(): ConsumerGroupMetadata {
    const { generationId, memberId, groupInstanceId } = this.membership.identity();
    return { groupId: this.groupId, generationId, memberId, groupInstanceId };
  }

  /** Gives up all partitions and leaves. Rejects with what the listener threw, after the group was left. */
  async leave(reason: string): Promise<void> {
    try {
      await this.rebalance.giveUp();
    } finally {
      await this.membership.leave(reason);
    }
  }
}
