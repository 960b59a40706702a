/**
 * One row of a Fetch answer, from what reading its partition gave.
 */
import { ErrorCode, type Fetch, type ResponseInput } from '@kafka-template/protocol';
import type { LeaderHint } from '../leader.js';
import type { FetchResult } from './fetch-result.js';

/** A row of the answer, as the encoder takes it. */
export type FetchRow = ResponseInput<typeof Fetch>['responses'][number]['partitions'][number];

type Aborted = FetchRow['abortedTransactions'];

/** Never null records: librdkafka takes their length of -1 for a broken message set. */
const NO_RECORDS: readonly Buffer[] = [];

/** The row of a result; `hint` names another leader. */
export function fetchRow(result: FetchResult, hint: LeaderHint | undefined): FetchRow {
  const partitionIndex = result.target.entry.data.partition;
  const { outcome, partition, diverging } = result;
  if (outcome !== null) {
    return {
      partitionIndex,
      errorCode: outcome.errorCode,
      highWatermark: outcome.highWatermark,
      lastStableOffset: outcome.lastStableOffset,
      logStartOffset: outcome.logStartOffset,
      abortedTransactions: outcome.abortedTransactions,
      records: outcome.records,
    };
  }
  if (diverging !== null && partition !== null) {
    return {
      partitionIndex,
      errorCode: ErrorCode.NONE,
      highWatermark: partition.highWatermark,
      lastStableOffset: partition.lastStableOffset,
      logStartOffset: partition.logStartOffset,
      divergingEpoch: diverging,
      abortedTransactions: null,
      records: NO_RECORDS,
    };
  }
  // Kafka lists no aborted transactions for a partition it does not have, and null for one that could not be read.
  const isKnown = result.target.topic?.partitions[partitionIndex] !== undefined;
  return { ...refusedRow(partitionIndex, result.errorCode, isKnown ? null : []), currentLeader: hint };
}

/** The row of a partition that gives nothing. */
export function refusedRow(partitionIndex: number, errorCode: number, abortedTransactions: Aborted): FetchRow {
  return { partitionIndex, errorCode, highWatermark: -1, abortedTransactions, records: NO_RECORDS };
}
