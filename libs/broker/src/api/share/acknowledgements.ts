/**
 * Acknowledgements in ShareFetch and ShareAcknowledge: each partition's batches go to its share partition.
 *
 * Guarantees: partitions fare apart from each other; what has to be in order happens before the first `await` for share
 * partitions that are at work already. Codes and texts are Kafka's. Source: KIP-932, KIP-1222.
 */
import { ErrorCode } from '@kafka-template/protocol';
import { AcknowledgeType, checkBatches, type AcknowledgedBatch } from '../../coordinator/share/partition/settle.js';
import type { BrokerServices } from '../context.js';
import { leaderHint, locateLeader, NO_EPOCH, type LeaderHint } from '../leader.js';

/** Whose acknowledgements. */
export interface Acknowledger {
  readonly groupId: string;
  readonly memberId: string;
  /** The request may renew locks. */
  readonly renews: boolean;
}

/** Topics of a request, with batches or without. */
export type AcknowledgedTopics = readonly {
  readonly topicId: string;
  readonly partitions: readonly {
    readonly partitionIndex: number;
    readonly acknowledgementBatches: readonly AcknowledgedBatch[];
  }[];
}[];

/** How one partition fared. */
export interface Acknowledged {
  readonly topicId: string;
  readonly partitionIndex: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly hint: LeaderHint | undefined;
}

const RENEW_DISABLED = 'Renewing acquisition locks is not enabled for the group.';

/** True when the request acknowledges anything. */
export function acknowledgesSomething(topics: AcknowledgedTopics): boolean {
  return topics.some(({ partitions }) => partitions.some((each) => each.acknowledgementBatches.length > 0));
}

/** Does what the batches say; resolves when all of it is stored. */
export function acknowledgeAll(
  broker: BrokerServices,
  who: Acknowledger,
  topics: AcknowledgedTopics,
): Promise<Acknowledged[]> {
  const outcomes: Promise<Acknowledged>[] = [];
  for (const { topicId, partitions } of topics) {
    for (const { partitionIndex, acknowledgementBatches } of partitions) {
      if (acknowledgementBatches.length === 0) continue;
      const row = { topicId, partitionIndex, batches: acknowledgementBatches };
      outcomes.push(acknowledgeOne(broker, who, row));
    }
  }
  return Promise.all(outcomes);
}

async function acknowledgeOne(
  broker: BrokerServices,
  { groupId, memberId, renews }: Acknowledger,
  row: {
    readonly topicId: string;
    readonly partitionIndex: number;
    readonly batches: readonly AcknowledgedBatch[];
  },
): Promise<Acknowledged> {
  const { topicId, partitionIndex, batches } = row;
  const topic = broker.controller.image.topicById(topicId);
  const answer = (errorCode: number, errorMessage: string | null = null): Acknowledged => {
    const hint = leaderHint(topic, partitionIndex, errorCode);
    return { topicId, partitionIndex, errorCode, errorMessage, hint };
  };
  const refused = checkBatches(batches, renews);
  if (refused !== null) return answer(refused);
  if (!topic) return answer(ErrorCode.UNKNOWN_TOPIC_ID);
  const located = locateLeader(broker, topic, partitionIndex, NO_EPOCH);
  if (!('partition' in located)) return answer(located.errorCode);
  const wantsRenewal = batches.some(({ acknowledgeTypes }) => acknowledgeTypes.includes(AcknowledgeType.RENEW));
  if (wantsRenewal && !broker.shares.rules(groupId).renewEnabled) {
    return answer(ErrorCode.INVALID_RECORD_STATE, RENEW_DISABLED);
  }
  const key = { groupId, topicId, partition: partitionIndex };
  const present = broker.shares.get(key) ?? (await broker.shares.find(key, located.partition)).share;
  if (!present) return answer(ErrorCode.NOT_LEADER_OR_FOLLOWER);
  return new Promise((resolve) => {
    present.acknowledge(memberId, batches, (errorCode, text) => resolve(answer(errorCode, text)));
  });
}
