/**
 * What is stored about one share partition (a group and a partition it reads) as plain data.
 *
 * Guarantees: batches are in ascending order, never overlap, and none lies before the start offset.
 * Leaves out what is being delivered right now: locks live in partition/.
 */
/** What can be stored of a record's delivery. The numbers are Kafka's. */
export const DeliveryState = { AVAILABLE: 0, ACQUIRED: 1, ACKNOWLEDGED: 2, ARCHIVED: 4 } as const;

/** Records next to each other with the same fate. Ends included. */
export interface StateBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** One of {@link DeliveryState}, but never ACQUIRED. */
  readonly deliveryState: number;
  readonly deliveryCount: number;
}

/** Where state belongs to. */
export interface ShareKey {
  readonly groupId: string;
  readonly topicId: string;
  readonly partition: number;
}

/** The stored state of a share partition. */
export interface ShareState {
  readonly snapshotEpoch: number;
  /** Grows when an administrator moves the start; writers with an older one are refused. */
  readonly stateEpoch: number;
  readonly leaderEpoch: number;
  /** First record that may still be delivered; -1 while nobody has read the partition. */
  readonly startOffset: number;
  /** Records after the start that need no delivery any more; -1 for unknown. */
  readonly deliveryCompleteCount: number;
  readonly createdMs: number;
  readonly writtenMs: number;
  readonly batches: readonly StateBatch[];
}

/** Kafka's text form of a key; its hash chooses the partition of the topic. */
export function shareKeyText({ groupId, topicId, partition }: ShareKey): string {
  return `${groupId}:${topicId}:${partition}`;
}

/** The batches after newer ones were laid over them, without what lies before the start. Equal neighbours become one. */
export function overlay(
  batches: readonly StateBatch[],
  newer: readonly StateBatch[],
  startOffset: number,
): StateBatch[] {
  let all: StateBatch[] = [...batches];
  for (const batch of newer) {
    all = all.flatMap((old) => without(old, batch));
    all.push(batch);
  }
  all.sort((left, right) => left.firstOffset - right.firstOffset);
  const result: StateBatch[] = [];
  for (const batch of all) {
    if (batch.lastOffset < startOffset) continue;
    const firstOffset = Math.max(batch.firstOffset, startOffset);
    const last = result.at(-1);
    const joins =
      last?.lastOffset === firstOffset - 1 &&
      last.deliveryState === batch.deliveryState &&
      last.deliveryCount === batch.deliveryCount;
    if (joins) result[result.length - 1] = { ...last, lastOffset: batch.lastOffset };
    else result.push({ ...batch, firstOffset });
  }
  return result;
}

function without(old: StateBatch, { firstOffset, lastOffset }: StateBatch): StateBatch[] {
  if (old.lastOffset < firstOffset || old.firstOffset > lastOffset) return [old];
  const rest: StateBatch[] = [];
  if (old.firstOffset < firstOffset) rest.push({ ...old, lastOffset: firstOffset - 1 });
  if (old.lastOffset > lastOffset) rest.push({ ...old, firstOffset: lastOffset + 1 });
  return rest;
}
