/**
 * Which broker gets which replica of a new topic: Kafka's round robin, with or without racks.
 *
 * Guarantees: replicas of a partition are on different brokers, and on different racks while there are enough; leaders and
 * replicas are spread evenly; with one broker or a given start the result is always the same.
 * Source: Kafka 3.9 `AdminUtils.assignReplicasToBrokers`, KIP-36.
 */
import type { BrokerInfo } from './image.js';

/** What is to be placed. `start` and `shift` are the two random numbers of the algorithm, 0 up to the broker count. */
export interface Placement {
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly firstPartition: number;
  readonly start: number;
  readonly shift: number;
}

/** Brokers in turns of racks: the first of every rack, the second of every rack, and so on. */
export function rackAlternating(brokers: readonly BrokerInfo[]): BrokerInfo[] {
  const racks = new Map<string, BrokerInfo[]>();
  for (const broker of [...brokers].sort((left, right) => left.id - right.id)) {
    const rack = broker.rack ?? '';
    racks.set(rack, [...(racks.get(rack) ?? []), broker]);
  }
  const queues = [...racks.entries()].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, members]) => members);
  const result: BrokerInfo[] = [];
  for (let round = 0; result.length < brokers.length; round += 1) {
    for (const queue of queues) {
      const broker = queue[round];
      if (broker) result.push(broker);
    }
  }
  return result;
}

function candidateAt(brokers: readonly BrokerInfo[], index: number): BrokerInfo {
  const broker = brokers[index % brokers.length];
  if (!broker) throw new Error('There are no brokers to place replicas on. Check the replication factor first.');
  return broker;
}

/** True when no rack holds two replicas while another rack holds none. */
function addsNewRack(chosen: readonly BrokerInfo[], broker: BrokerInfo, rackCount: number): boolean {
  const racks = new Set(chosen.map((replica) => replica.rack));
  return !racks.has(broker.rack) || racks.size === rackCount;
}

/** Replicas of each partition, the preferred leader first. Needs at least `replicationFactor` brokers. */
export function assignReplicas(brokers: readonly BrokerInfo[], placement: Placement): number[][] {
  const racked = brokers.every((broker) => broker.rack !== null);
  const ordered = racked ? rackAlternating(brokers) : [...brokers].sort((left, right) => left.id - right.id);
  const rackCount = racked ? new Set(ordered.map((broker) => broker.rack)).size : 0;
  const count = ordered.length;
  let shift = placement.shift;
  const assignments: number[][] = [];
  for (let added = 0; added < placement.partitions; added += 1) {
    const partition = placement.firstPartition + added;
    if (partition > 0 && partition % count === 0) shift += 1;
    const first = (partition + placement.start) % count;
    const chosen = [candidateAt(ordered, first)];
    // Each further replica is the next broker after a gap that grows every round, so followers of one leader spread too.
    for (let step = 0; chosen.length < placement.replicationFactor; step += 1) {
      const distance = count > 1 ? 1 + ((shift + step) % (count - 1)) : 0;
      const broker = candidateAt(ordered, first + distance);
      const fits = !chosen.includes(broker) && (!racked || step >= count || addsNewRack(chosen, broker, rackCount));
      if (fits) chosen.push(broker);
    }
    assignments.push(chosen.map((broker) => broker.id));
  }
  return assignments;
}
