/**
 * What is to be told about records of one partition, and how that looks in a request.
 *
 * Guarantees: batches are in ascending order; each has one type for all of its records.
 */

/** The numbers of Kafka's protocol; `gap`: there was nothing at the offset. */
export const ACKNOWLEDGE_TYPE = { gap: 0, accept: 1, release: 2, reject: 3, renew: 4 } as const;

/** Offset to one of {@link ACKNOWLEDGE_TYPE}. */
export type Acknowledgements = ReadonlyMap<number, number>;

/** Neighbours with one fate, as a request has them. */
export interface AcknowledgementBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly acknowledgeTypes: number[];
}

/** The acknowledgements as a request has them. */
export function acknowledgementBatches(acknowledgements: Acknowledgements): AcknowledgementBatch[] {
  const batches: { firstOffset: number; lastOffset: number; acknowledgeTypes: number[] }[] = [];
  for (const [offset, type] of [...acknowledgements].sort(([left], [right]) => left - right)) {
    const last = batches.at(-1);
    if (last?.lastOffset === offset - 1 && last.acknowledgeTypes[0] === type) last.lastOffset = offset;
    else batches.push({ firstOffset: offset, lastOffset: offset, acknowledgeTypes: [type] });
  }
  return batches;
}
