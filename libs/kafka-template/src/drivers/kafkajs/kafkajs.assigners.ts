/**
 * Kafka's `range` and `roundrobin` for kafkajs, under Kafka's names and in Kafka's format.
 *
 * kafkajs' own assigner knows the leader's topics only, so that members with different topics starve, and its name is known
 * to no other client. With these, members on kafkajs, on this project's client and on Java share one group.
 */
import type { ConsumerProperties } from '../driver-options.js';
import type { KafkaJsAssigner, KafkaJsCluster, KafkaJsModule } from './kafkajs.types.js';

interface Member {
  readonly memberId: string;
  readonly topics: readonly string[];
}

type Share = Map<string, Record<string, number[]>>;
type Strategy = (members: readonly Member[], counts: ReadonlyMap<string, number>) => Share;

const STRATEGIES: Readonly<Record<string, Strategy>> = { range, roundrobin };

const NO_USER_DATA = Buffer.alloc(0);

/** Factories for kafkajs' option `partitionAssigners`; `onCluster` hears of the cluster kafkajs hands out. */
export function assignerFactories(
  protocol: KafkaJsModule['AssignerProtocol'],
  strategies: NonNullable<ConsumerProperties['partitionAssignmentStrategy']>,
  onCluster: (cluster: KafkaJsCluster) => void,
): ((context: { cluster: KafkaJsCluster }) => KafkaJsAssigner)[] {
  return strategies.map((name) => ({ cluster }) => {
    onCluster(cluster);
    return {
      name,
      version: 0,
      protocol: ({ topics }) => ({
        name,
        metadata: protocol.MemberMetadata.encode({ version: 0, topics, userData: NO_USER_DATA }),
      }),
      async assign({ members }) {
        const subscribed = members.map(({ memberId, memberMetadata }) => ({
          memberId,
          topics: protocol.MemberMetadata.decode(memberMetadata)?.topics ?? [],
        }));
        const counts = await partitionCounts(cluster, new Set(subscribed.flatMap(({ topics }) => topics)));
        const shares = (STRATEGIES[name] ?? range)(subscribed, counts);
        return [...shares].map(([memberId, assignment]) => ({
          memberId,
          memberAssignment: protocol.MemberAssignment.encode({ version: 0, assignment, userData: NO_USER_DATA }),
        }));
      },
    };
  });
}

async function partitionCounts(cluster: KafkaJsCluster, topics: ReadonlySet<string>): Promise<Map<string, number>> {
  await cluster.addMultipleTargetTopics([...topics]);
  return new Map([...topics].map((topic) => [topic, cluster.findTopicPartitionMetadata(topic).length]));
}

function range(members: readonly Member[], counts: ReadonlyMap<string, number>): Share {
  const shares = emptyShares(members);
  for (const topic of topicsOf(members)) {
    const subscribers = sorted(members).filter((member) => member.topics.includes(topic));
    const count = counts.get(topic) ?? 0;
    const share = Math.floor(count / subscribers.length);
    const withOneMore = count % subscribers.length;
    let partition = 0;
    subscribers.forEach((member, index) => {
      const end = partition + share + (index < withOneMore ? 1 : 0);
      for (; partition < end; partition++) give(shares, member, topic, partition);
    });
  }
  return shares;
}

function roundrobin(members: readonly Member[], counts: ReadonlyMap<string, number>): Share {
  const shares = emptyShares(members);
  const inTurn = sorted(members);
  let turn = 0;
  for (const topic of topicsOf(members)) {
    for (let partition = 0; partition < (counts.get(topic) ?? 0); partition++) {
      // Ends, because every topic in the list has a subscriber.
      while (inTurn[turn]?.topics.includes(topic) !== true) turn = (turn + 1) % inTurn.length;
      give(shares, inTurn[turn] as Member, topic, partition);
      turn = (turn + 1) % inTurn.length;
    }
  }
  return shares;
}

function emptyShares(members: readonly Member[]): Share {
  return new Map(members.map(({ memberId }) => [memberId, {}]));
}

function give(shares: Share, { memberId }: Member, topic: string, partition: number): void {
  const share = shares.get(memberId);
  if (share !== undefined) (share[topic] ??= []).push(partition);
}

function topicsOf(members: readonly Member[]): string[] {
  return [...new Set(members.flatMap((member) => member.topics))].sort();
}

function sorted(members: readonly Member[]): Member[] {
  return [...members].sort((left, right) => (left.memberId < right.memberId ? -1 : 1));
}
