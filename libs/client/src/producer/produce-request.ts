/**
 * The Produce request for some batches, and finding each batch's part of the response.
 *
 * Guarantees one batch per partition, as the protocol wants.
 */
import { type ProduceResponse, Produce, type RequestInput } from '@kafka-template/protocol';
import type { ProducerBatch } from './producer-batch.js';
import type { PartitionQueue } from './partition-queue.js';

/** One batch on its way. */
export interface BatchInFlight {
  readonly queue: PartitionQueue;
  readonly batch: ProducerBatch;
  readonly bytes: Buffer;
}

/** One partition's part of a Produce response. */
export type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number];

/** The body of the request. */
export function produceBody(
  batches: readonly BatchInFlight[],
  options: { readonly acks: number; readonly timeoutMs: number; readonly transactionalId: string | null },
): RequestInput<typeof Produce> {
  const topics = new Map<string, { index: number; records: Buffer }[]>();
  for (const { queue, bytes } of batches) {
    const partitions = topics.get(queue.topic);
    const data = { index: queue.partition, records: bytes };
    if (partitions === undefined) topics.set(queue.topic, [data]);
    else partitions.push(data);
  }
  const topicData = [...topics].map(([name, partitionData]) => ({ name, partitionData }));
  return { ...options, topicData };
}

/** Calls `visit` for each batch with its part of the response; undefined when the broker left it out. */
export function matchResponses(
  batches: readonly BatchInFlight[],
  response: ProduceResponse,
  visit: (batch: BatchInFlight, answer: PartitionResponse | undefined) => void,
): void {
  const answers = new Map<string, Map<number, PartitionResponse>>();
  for (const { name, partitionResponses } of response.responses) {
    const partitions = answers.get(name) ?? new Map<number, PartitionResponse>();
    for (const answer of partitionResponses) partitions.set(answer.index, answer);
    answers.set(name, partitions);
  }
  for (const each of batches) visit(each, answers.get(each.queue.topic)?.get(each.queue.partition));
}
